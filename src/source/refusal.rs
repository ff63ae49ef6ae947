//! Why a source gave no revision that may be put in force: a word for metrics, and a sentence with its remedy.

use std::fmt;
use std::time::Duration;

/// Why, in the words of metrics and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The source can't be asked, or does not answer as one.
    Fetch,
    /// Nobody signed.
    Unsigned,
    /// Somebody signed who may not, or in a way that is not taken.
    Untrusted,
    /// What was signed are not these bytes.
    Tampered,
    /// It was signed when the key was not valid, or in the future.
    Expired,
    /// Several signatures, of which programs take different ones.
    Ambiguous,
    /// It does not come after what was accepted last.
    Rollback,
    /// Its files are no policies' tree.
    Files,
    /// The files that say who is trusted can't be used.
    Trust,
}

/// What is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why, in a word.
    pub reason: Reason,
    /// Why, in a sentence, with a remedy.
    pub message: String,
    /// When the source wants to be asked again.
    pub retry_after: Option<Duration>,
}

impl Reason {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Unsigned => "unsigned",
            Self::Untrusted => "untrusted",
            Self::Tampered => "tampered",
            Self::Expired => "expired",
            Self::Ambiguous => "ambiguous",
            Self::Rollback => "rollback",
            Self::Files => "files",
            Self::Trust => "trust",
        }
    }
}

impl Refusal {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), retry_after: None }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.as_str(), self.message)
    }
}

impl std::error::Error for Refusal {}
