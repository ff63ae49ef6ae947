//! The seam to where evidence lies: a registry, a directory. A source reads; it judges nothing, and its errors can't be
//! mistaken for "nothing there".

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;

use super::credentials::CredentialSet;
use super::digest::Digest;
use super::evidence::{Evidence, Repository};
use crate::kubernetes::image_reference::ImageReference;
use crate::outbound::OutboundError;

/// What a source will say.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>>;

/// Somebody who has images and what was said about them.
pub trait EvidenceSource: Send + Sync {
    /// The digest behind a reference, computed from the bytes received and never taken from a header. Of a reference
    /// that names a digest it is that one.
    fn resolve<'a>(
        &'a self,
        image: &'a ImageReference,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Resolved>;

    /// What lies in a repository about a digest.
    fn evidence<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        want: &'a Wanted,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Gathered>;

    /// The user that an image runs as unless its Pod says another: `config.User` of its own configuration, as it is written.
    /// None where the images of an index have different ones.
    fn user<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Option<String>>;

    /// What of a caller's credentials can have a part in an answer about a repository. Who has the same gets the same.
    fn counting(&self, at: &Repository, who: &CredentialSet) -> CredentialSet {
        who.narrowed(at.registry(), at.name())
    }
}

/// What a reference means now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Of the manifest or index.
    pub digest: Digest,
    /// Of the manifest or index.
    pub media_type: String,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    /// Whether cosign's `.sig` and `.att` are.
    pub legacy: bool,
    /// Whether Sigstore bundles are.
    pub bundles: bool,
    /// The predicate types that somebody asks for; their versions are meant as well. Evidence that says of itself (by an annotation, which nobody vouches
    /// for) that it is of another type is not read.
    pub predicate_types: BTreeSet<String>,
    /// What the tags of evidence begin with.
    pub tag_prefix: String,
}

impl Wanted {
    /// Whether somebody asks for statements of a type, as policies read types: a version (`…/v2.3`) is of its family.
    pub(super) fn is_type(&self, kind: &str) -> bool {
        let of_family = |family: &String| {
            kind.strip_prefix(family.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with("/v"))
        };
        self.predicate_types.iter().any(of_family)
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// What was read.
    pub evidence: Vec<Evidence>,
    /// Why the rest, that was there, could not be read.
    pub unread: Vec<SourceError>,
    /// How long ago it was read, where it could not be read now, and `unread` says why. Then all that was there is here.
    pub stale: Option<Duration>,
}

/// Why a source has no answer, by what the caller can do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The source says that this very thing is not there.
    #[error("not found, or not readable with the credentials at hand")]
    NotFound,
    /// No credentials, or wrong ones. Said like [`SourceError::NotFound`], which tells nobody what there is.
    #[error("not found, or not readable with the credentials at hand")]
    Unauthorized,
    /// The registry is not one that may be asked; nothing was connected to.
    #[error("its registry is not among `images.registries` of the configuration")]
    Denied,
    /// The registry asks to wait.
    #[error("its registry asks to try later")]
    RateLimited {
        /// For so long, where it says it.
        retry_after: Option<Duration>,
    },
    /// More than a limit allows; what of it is said.
    #[error("more than is read: {0}")]
    Limit(&'static str),
    /// Our deadline, or that of the caller.
    #[error("not read in time")]
    Deadline,
    /// The registry failed.
    #[error("its registry fails")]
    Unavailable,
    /// There was no connection, or it broke.
    #[error("its registry does not answer: {0}")]
    Transport(OutboundError),
    /// There was no connection, and why is not said: every registry may be asked, so whoever names the image chose it.
    #[error("its registry can't be reached")]
    Unreachable,
    /// The registry wants a token from somebody else than its configuration says; nothing was sent there.
    #[error("its registry asks for a token of another host; name that host in its `tokenHosts`")]
    TokenHost,
    /// The credentials of the configuration can't be read.
    #[error("the file of its registry's credentials can't be read")]
    Credentials,
    /// There is nothing for those who may read what is known; somebody whose pull secrets can't be read may see more.
    #[error("nothing is found without the pull secrets that could not be read")]
    PullSecrets,
    /// The answer contradicts itself or what was asked; how is said.
    #[error("its registry answers with what can't be right: {0}")]
    Corrupt(&'static str),
}

impl SourceError {
    /// Whether a registry was away, which says nothing of what it has.
    pub(super) fn is_outage(&self) -> bool {
        let is_away = matches!(self, Self::Unavailable | Self::Unreachable | Self::Transport(_));
        is_away || matches!(self, Self::Deadline | Self::RateLimited { .. })
    }

    /// Its name for policies and machines. An image that may not be read is said to be absent (R43).
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound | Self::Unauthorized => "not-found",
            Self::Denied | Self::TokenHost => "denied",
            Self::RateLimited { .. } => "rate-limited",
            Self::Limit(_) => "limit",
            Self::Deadline => "deadline",
            Self::Unavailable | Self::Unreachable | Self::Transport(_) => "unavailable",
            Self::Credentials | Self::PullSecrets => "unavailable",
            Self::Corrupt(_) => "corrupt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_has_its_versions() {
        let want = Wanted { predicate_types: ["https://t".to_owned()].into(), ..Wanted::default() };
        let is_wanted = |kind: &str| want.is_type(kind);
        assert!(is_wanted("https://t") && is_wanted("https://t/v2.3"));
        assert!(
            !is_wanted("https://tt") && !is_wanted("https://t/w") && !is_wanted("https:") && !is_wanted("")
        );
    }
}
