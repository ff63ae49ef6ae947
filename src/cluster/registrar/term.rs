//! What a leader remembers while it leads.

use std::time::Duration;

use kube::Client;
use time::OffsetDateTime;
use tokio::time::Instant;

use super::super::guards::Looked;
use super::super::writer::Writer;
use crate::certificates::{Identity, Kept};

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
    /// Since when each configuration is not as it should be.
    differs_since: [Option<(OffsetDateTime, Instant)>; 2],
    /// The current certificate, and since when it is.
    current: Option<(Identity, Instant)>,
}

impl Term {
    pub(super) fn new(client: Client) -> Self {
        Self {
            writer: Writer::new(client),
            begun: false,
            is_proven: false,
            probed: None,
            probe_failed: None,
            guards: Looked::default(),
            renewal_failed: None,
            differs_since: [None, None],
            current: None,
        }
    }

    /// Since when the configuration at `place` is looked at and not known to be as it should be.
    pub(super) fn differs(&mut self, place: usize) -> (OffsetDateTime, Instant) {
        let now = (OffsetDateTime::now_utc(), Instant::now());
        self.differs_since.get_mut(place).map_or(now, |since| *since.get_or_insert(now))
    }

    /// The configuration at `place` is as it should be.
    pub(super) fn agrees(&mut self, place: usize) {
        if let Some(since) = self.differs_since.get_mut(place) {
            *since = None;
        }
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
