//! What an answer's status means. Only a plain 404 of the very thing is "not there".

use std::time::Duration;

use bytes::Bytes;

use crate::image::source::SourceError;
use crate::outbound::OutboundError;

/// Bytes of an error's body that are looked at.
pub(super) const ERROR_BYTES: u64 = 4 * 1024;

/// The longest wait that a registry is believed to mean.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// An answer, read.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    /// `Docker-Content-Digest`.
    pub(super) digest: Option<String>,
    pub(super) links: Vec<String>,
    pub(super) challenges: Vec<String>,
    pub(super) retry_after: Option<String>,
    pub(super) location: Option<String>,
    pub(super) is_private: bool,
    pub(super) body: Bytes,
}

impl Reply {
    /// The reply, where it is what was asked for.
    pub(super) fn found(self) -> Result<Self, SourceError> {
        match self.status {
            200 => Ok(self),
            status => Err(self.failure(status)),
        }
    }

    fn failure(&self, status: u16) -> SourceError {
        match status {
            // Debian's docker-registry says so of a manifest that it has, where `Accept` does not fit.
            404 if contains(&self.body, b"accept header does not support") => SourceError::Corrupt(
                "it holds the manifest and says that the request does not accept its type",
            ),
            404 => SourceError::NotFound,
            401 | 403 => SourceError::Unauthorized,
            429 => SourceError::RateLimited { retry_after: self.wait() },
            300..=399 => SourceError::Corrupt("a redirect of what never leaves its host"),
            500..=599 => SourceError::Unavailable,
            _ => SourceError::Corrupt("a status that says nothing about what was asked"),
        }
    }

    fn wait(&self) -> Option<Duration> {
        let seconds = self.retry_after.as_deref()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds).min(LONGEST_WAIT))
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// What the transport says.
pub(super) fn of_transport(error: OutboundError, limit: &'static str) -> SourceError {
    match error {
        OutboundError::Deadline => SourceError::Deadline,
        OutboundError::Limit { .. } => SourceError::Limit(limit),
        other => SourceError::Transport(other),
    }
}
