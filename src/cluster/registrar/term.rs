//! What a leader remembers while it leads.

use std::time::Duration;

use kube::Client;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use super::super::guards::Looked;
use super::super::state::Fingerprints;
use super::super::writer::Writer;
use crate::certificates::{Identity, Kept};
use crate::registration::fingerprint;

/// One time of leading.
pub(super) struct Term {
    pub(super) writer: Writer,
    pub(super) begun: bool,
    /// Whether workloads are sent: answers have come back through the API server, now or under an earlier leader.
    pub(super) is_proven: bool,
    pub(super) probed: Option<Instant>,
    pub(super) probe_failed: Option<String>,
    pub(super) guards: Looked,
    pub(super) renewal_failed: Option<Instant>,
    /// When another key for proofs was last tried to be made: what was written is shown later.
    pub(super) proof_renewed: Option<Instant>,
    /// What stands, and what is written down of that.
    standing: Fingerprints,
    recorded: Fingerprints,
    /// When each configuration was last seen to be as it should be; at first, when an earlier leader still led.
    right: [Option<OffsetDateTime>; 2],
    /// Times in which not all was sent that should have been, not written down yet: from, to, what.
    pub(super) gaps: Vec<Value>,
    /// What somebody has changed of each, where not all of it is written again yet.
    changed: [Option<String>; 2],
    /// The current certificate, and since when it is.
    current: Option<(Identity, Instant)>,
}

impl Term {
    /// `after`: until when somebody led before.
    pub(super) fn new(client: Client, after: Option<OffsetDateTime>) -> Self {
        Self {
            writer: Writer::new(client),
            begun: false,
            is_proven: false,
            probed: None,
            probe_failed: None,
            guards: Looked::default(),
            renewal_failed: None,
            proof_renewed: None,
            standing: Fingerprints::default(),
            recorded: Fingerprints::default(),
            gaps: Vec::new(),
            right: [after, after],
            changed: [None, None],
            current: None,
        }
    }

    /// Takes note of what earlier leaders wrote.
    pub(super) fn begin(&mut self, former: Fingerprints) {
        self.writer.follows(former.clone());
        self.recorded = former;
        self.begun = true;
    }

    /// The configuration at `place` is that one.
    pub(super) fn stands(&mut self, place: usize, desired: &Value) {
        if let Some(standing) = self.standing.get_mut(place) {
            *standing = Some(fingerprint(desired));
        }
    }

    /// The fingerprint of what stands at `place`, if that is not written down yet.
    pub(super) fn unrecorded(&self, place: usize) -> Option<String> {
        let standing = self.standing.get(place)?;
        standing.clone().filter(|_| self.recorded.get(place) != Some(standing))
    }

    /// That is written down.
    pub(super) fn recorded(&mut self, place: usize, fingerprint: String) {
        if let Some(recorded) = self.recorded.get_mut(place) {
            *recorded = Some(fingerprint);
        }
    }

    /// The configuration at `place` is as it should be.
    pub(super) fn agrees(&mut self, place: usize) {
        if let Some(right) = self.right.get_mut(place) {
            *right = Some(OffsetDateTime::now_utc());
        }
    }

    /// Somebody has changed the configuration at `place`.
    pub(super) fn misses(&mut self, place: usize, what: &str) {
        if let Some(changed) = self.changed.get_mut(place) {
            changed.get_or_insert_with(|| what.to_owned());
        }
    }

    /// All of the configuration at `place` is written again: what was missing until now, if anything was. Nobody saw it
    /// change, so it was missing since it was last seen right. For how many seconds.
    pub(super) fn closes(&mut self, place: usize, name: &str) -> Option<f64> {
        let what = self.changed.get_mut(place)?.take()?;
        let to = OffsetDateTime::now_utc();
        // Another replica's clock may be ahead.
        let from = self.right.get(place).copied().flatten().map_or(to, |right| right.min(to));
        let between = to.unix_timestamp_nanos().saturating_sub(from.unix_timestamp_nanos());
        let nanoseconds = u64::try_from(between).unwrap_or_default();
        let text = |moment: OffsetDateTime| moment.format(&Rfc3339).unwrap_or_default();
        self.gaps.push(json!({ "from": text(from), "to": text(to), "what": format!("{name}: {what}") }));
        Some(Duration::from_nanos(nanoseconds).as_secs_f64())
    }

    /// For how long the current certificate has been seen to be the current one.
    pub(super) fn in_use(&mut self, kept: &Kept) -> Duration {
        let Some(leaf) = &kept.current else { return Duration::ZERO };
        match &self.current {
            Some((before, since)) if before.is(leaf.identity()) => since.elapsed(),
            Some(_) | None => {
                self.current = Some((leaf.identity().clone(), Instant::now()));
                Duration::ZERO
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(after: Option<OffsetDateTime>) -> Term {
        let nowhere = kube::Config::new("http://127.0.0.1:1".parse().unwrap());
        Term::new(Client::try_from(nowhere).unwrap(), after)
    }

    #[tokio::test]
    async fn a_gap_is_from_when_it_was_last_right_until_all_is_written_again() {
        let after = OffsetDateTime::now_utc() - time::Duration::hours(1);
        let mut term = term(Some(after));
        assert_eq!(term.closes(0, "a"), None);
        term.misses(0, "it is gone");
        term.misses(0, "it is gone again");
        let seconds = term.closes(0, "a").unwrap();
        assert!((3_600.0..3_660.0).contains(&seconds), "{seconds}");
        assert_eq!(term.closes(0, "a"), None);
        let [gap] = term.gaps.as_slice() else { panic!("{:?}", term.gaps) };
        assert_eq!(
            (&gap["from"], &gap["what"]),
            (&json!(after.format(&Rfc3339).unwrap()), &json!("a: it is gone"))
        );

        term.agrees(0);
        term.misses(0, "emptied");
        assert!(term.closes(0, "a").unwrap() < 60.0);
        assert_eq!(term.gaps.len(), 2);
    }

    #[tokio::test]
    async fn a_clock_that_is_ahead_makes_no_gap_from_the_future() {
        let mut term = term(Some(OffsetDateTime::now_utc() + time::Duration::hours(1)));
        term.misses(1, "it is gone");
        assert_eq!(term.closes(1, "b"), Some(0.0));
    }

    #[tokio::test]
    async fn what_stands_is_written_down_once() {
        let mut term = term(None);
        let one = json!({ "webhooks": [{ "name": "one" }] });
        term.begin([Some(fingerprint(&one)), None]);
        assert_eq!((term.unrecorded(0), term.unrecorded(1)), (None, None));
        term.stands(0, &one);
        term.stands(1, &one);
        assert_eq!((term.unrecorded(0), term.unrecorded(1)), (None, Some(fingerprint(&one))));
        term.recorded(1, fingerprint(&one));
        assert_eq!(term.unrecorded(1), None);
        term.stands(0, &json!({ "webhooks": [] }));
        assert!(term.unrecorded(0).is_some());
    }
}
