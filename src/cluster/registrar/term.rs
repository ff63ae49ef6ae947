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
    /// Whether answers have come back through the API server, now or under an earlier leader.
    pub(super) is_proven: bool,
    pub(super) probed: Option<Instant>,
    pub(super) probe_failed: Option<String>,
    pub(super) guards: Looked,
    pub(super) renewal_failed: Option<Instant>,
    /// Since when the registration is not as it should be.
    pub(super) differs_since: Option<(OffsetDateTime, Instant)>,
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
            differs_since: None,
            current: None,
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
