//! Where things stand with bundles, for people.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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
}

/// A candidate that is not put in force.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Its revision; None where it can't even be read.
    pub revision: Option<String>,
    /// When, as RFC 3339.
    pub at: String,
    /// Why, a line each reason.
    pub why: String,
}

impl Status {
    pub(super) fn activate(&mut self, bundle: &Bundle) {
        let (revision, bindings) = (bundle.revision.to_string(), bundle.bound.len());
        self.active = Some(Activated { revision, bindings, since: now() });
        self.refused = None;
    }
}

impl Refused {
    pub(super) fn now(revision: Option<&str>, why: &str) -> Self {
        Self { revision: revision.map(str::to_owned), at: now(), why: why.to_owned() }
    }
}

fn now() -> String {
    let now = OffsetDateTime::now_utc();
    // To the second: who reads it compares it with a log.
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}
