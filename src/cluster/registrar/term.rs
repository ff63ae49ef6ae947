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

/// A time in which not all was sent that should have been.
pub(super) struct Gap {
    pub(super) seconds: f64,
    /// From, to, what.
    pub(super) record: Value,
}

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
    /// What is written down of what was written.
    recorded: Fingerprints,
    /// When each configuration was last seen to be as it should be; at first, when an earlier leader still led.
    right: [Option<OffsetDateTime>; 2],
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
            recorded: Fingerprints::default(),
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

    /// The fingerprint of what is written at `place`, if that is not written down yet.
    pub(super) fn unrecorded(&self, place: usize, desired: &Value) -> Option<String> {
        let now = fingerprint(desired);
        (self.recorded.get(place) != Some(&Some(now.clone()))).then_some(now)
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
    /// change, so it was missing since it was last seen right.
    pub(super) fn closes(&mut self, place: usize, name: &str) -> Option<Gap> {
        let what = self.changed.get_mut(place)?.take()?;
        let to = OffsetDateTime::now_utc();
        // Another replica's clock may be ahead.
        let from = self.right.get(place).copied().flatten().map_or(to, |right| right.min(to));
        let between = to.unix_timestamp_nanos().saturating_sub(from.unix_timestamp_nanos());
        let nanoseconds = u64::try_from(between).unwrap_or_default();
        let text = |moment: OffsetDateTime| moment.format(&Rfc3339).unwrap_or_default();
        Some(Gap {
            seconds: Duration::from_nanos(nanoseconds).as_secs_f64(),
            record: json!({ "from": text(from), "to": text(to), "what": format!("{name}: {what}") }),
        })
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
