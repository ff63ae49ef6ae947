//! What whoever runs meshgate is to learn of beside the log: a few things, each worth a look. In an installation they become
//! Events of its Deployment.
//!
//! Called by whoever sees such a thing; `cluster` writes them. Nobody tells of denials, nor of what a dry run would do (R44).

/// What happened; the `reason` of an Event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Policies that are in force can't be kept on disk.
    BundleNotKept,
    /// Policies are not put in force; the last good ones stay.
    BundleRefused,
    /// A certificate is about to end, or its renewal is stuck.
    CertificateLate,
    /// A commit was accepted, and nothing is known of what was accepted before.
    FloorUnknown,
    /// The webhook does not answer through the API server.
    ProbeFailed,
    /// Somebody else changed the registration, and it was written again.
    RegistrationRepaired,
    /// An earlier commit comes in force, on purpose.
    RolledBack,
    /// The source of policies can't be asked.
    SourceUnreachable,
    /// What would have been denied was let through, because its namespace is suspended.
    SuspensionUsed,
    /// Who signed the policies in force is not trusted any more.
    TrustStale,
    /// The files that say who is trusted can't be used any more.
    TrustUnreadable,
}

/// Who is told. Telling waits for nothing.
pub trait Events: Send + Sync {
    /// Something happened; `note` says what, and to what, without anything of an object.
    fn tell(&self, reason: Reason, note: &str);
}

/// Nobody is told.
#[derive(Clone, Copy, Debug)]
pub struct Untold;

impl Events for Untold {
    fn tell(&self, _: Reason, _: &str) {}
}

impl Reason {
    /// The word that is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BundleNotKept => "BundleNotKept",
            Self::BundleRefused => "BundleRefused",
            Self::CertificateLate => "CertificateLate",
            Self::FloorUnknown => "FloorUnknown",
            Self::ProbeFailed => "ProbeFailed",
            Self::RegistrationRepaired => "RegistrationRepaired",
            Self::RolledBack => "RolledBack",
            Self::SourceUnreachable => "SourceUnreachable",
            Self::SuspensionUsed => "SuspensionUsed",
            Self::TrustStale => "TrustStale",
            Self::TrustUnreadable => "TrustUnreadable",
        }
    }

    /// What meshgate did or tried then; the `action` of an Event.
    pub fn action(self) -> &'static str {
        match self {
            Self::BundleNotKept | Self::BundleRefused | Self::FloorUnknown | Self::RolledBack => {
                "ActivatingPolicies"
            }
            Self::CertificateLate => "RenewingCertificate",
            Self::ProbeFailed => "Probing",
            Self::RegistrationRepaired => "Registering",
            Self::SuspensionUsed => "Reviewing",
            Self::SourceUnreachable => "FetchingPolicies",
            Self::TrustStale | Self::TrustUnreadable => "VerifyingPolicies",
        }
    }
}
