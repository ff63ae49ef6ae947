//! Why evidence does not count. A closed list, so that metrics, policies and tests can tell the reasons apart.

use std::fmt;

/// The check that evidence did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// It can't be read: JSON, base64, PEM, DER, versions, keys that stand twice.
    Malformed,
    /// It can be read, and nobody here verifies what it holds.
    Unsupported,
    /// It is more than is looked at.
    Limit,
    /// It is signed by a key where a certificate is wanted, or the reverse.
    Kind,
    /// The signature is not over these bytes by this key.
    Signature,
    /// The certificate is of no authority of the trust root, or was not valid when it signed.
    Certificate,
    /// No log of certificates vouches for the certificate.
    Sct,
    /// No log of signatures vouches for the signature.
    Log,
    /// The log's entry is about something else.
    LogMismatch,
    /// Nothing proves when it was signed, or it was at the wrong time.
    Time,
    /// It is about another image.
    Binding,
    /// Somebody else signed it.
    Identity,
    /// The trust root can't be used.
    TrustRoot,
}

impl Class {
    /// Its name for policies and machines.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Limit => "limit",
            Self::Kind => "kind",
            Self::Signature => "signature",
            Self::Certificate => "certificate",
            Self::Sct => "sct",
            Self::Log => "log",
            Self::LogMismatch => "log-mismatch",
            Self::Time => "time",
            Self::Binding => "binding",
            Self::Identity => "identity",
            Self::TrustRoot => "trust-root",
        }
    }

    /// What that means, and what to do, in our words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Malformed => "it can't be read; sign again with a current client",
            Self::Unsupported => "it is in a form that is not verified; sign again with a current client",
            Self::Limit => {
                "it is larger than what is looked at; raise `images.limits`, or attest less at once"
            }
            Self::Kind => {
                "it is signed in another way than the authority says: by a key, or by a certificate"
            }
            Self::Signature => "the signature is not by this key over these bytes",
            Self::Certificate => {
                "the certificate is of no authority of the trust root, or was not valid at the time of signing"
            }
            Self::Sct => "no log of certificates that the trust root knows vouches for the certificate",
            Self::Log => {
                "no transparency log that the trust root knows vouches for it; the trust root may be out of date"
            }
            Self::LogMismatch => "the entry of the transparency log is about another signature",
            Self::Time => {
                "nothing that the trust root knows proves when it was signed, or it was outside `validFor`"
            }
            Self::Binding => "it is about another image",
            Self::Identity => {
                "somebody else signed it: issuer and subject are none of the authority's identities"
            }
            Self::TrustRoot => "the trust root can't be used",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why evidence does not count. `detail` may quote the evidence: it is for logs below `info` and for nobody else.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {detail}")]
pub struct Reject {
    /// The check.
    pub class: Class,
    /// More of it.
    pub detail: String,
}

impl Reject {
    /// With a detail.
    pub fn new(class: Class, detail: impl fmt::Display) -> Self {
        Self { class, detail: detail.to_string() }
    }
}
