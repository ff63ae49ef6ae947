//! Where things stand with bundles, for people.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::step::Step;
use crate::engine::Bundle;

/// Which bundle is in force, which is about to be, and which is not and why.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// What answers: the last good one.
    pub active: Option<Activated>,
    /// The revision that is being prepared.
    pub candidate: Option<String>,
    /// The last that was refused after that.
    pub refused: Option<Refused>,
    /// Where candidates come from, where that is asked again and again.
    pub source: Option<SourceStatus>,
}

/// How a source is doing. Times are RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceStatus {
    /// When it was asked last.
    pub last_check: Option<String>,
    /// When it answered last.
    pub last_success: Option<String>,
    /// Why it did not, where it did not answer last.
    pub last_error: Option<String>,
    /// When it is asked again.
    pub next: Option<String>,
    /// The commit that it named last, with the name of its hash before it, whatever comes of it.
    pub head: Option<String>,
    /// The commit accepted last.
    pub floor: Option<String>,
    /// What is to be known besides: what is not kept on disk, who is not trusted any more.
    pub notes: Vec<String>,
}

/// A bundle that came in force.
#[derive(Clone, Debug)]
pub struct Activated {
    /// Its revision.
    pub revision: String,
    /// How many bindings it has.
    pub bindings: usize,
    /// When it came in force, as RFC 3339.
    pub since: String,
    /// All that is known of it.
    pub record: Value,
}

/// A candidate that is not put in force.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Its revision; None where it can't even be read.
    pub revision: Option<String>,
    /// When, as RFC 3339.
    pub at: String,
    /// At which step, in the words of metrics: `verify`, `gate`.
    pub stage: &'static str,
    /// Why, in a word: `unsigned`.
    pub reason: &'static str,
    /// Why, a line each reason.
    pub why: String,
}

impl Status {
    pub(super) fn activate(&mut self, bundle: &Bundle) {
        let (revision, bindings) = (bundle.revision.to_string(), bundle.bound.len());
        self.active =
            Some(Activated { revision, bindings, since: now(), record: bundle.revision.to_value() });
        self.refused = None;
    }
}

impl Refused {
    pub(super) fn now(revision: Option<&str>, step: Step, why: &str) -> Self {
        let (revision, why) = (revision.map(str::to_owned), why.to_owned());
        Self { revision, at: now(), stage: step.stage(), reason: step.reason(), why }
    }
}

fn now() -> String {
    let now = OffsetDateTime::now_utc();
    // To the second: who reads it compares it with a log.
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}
