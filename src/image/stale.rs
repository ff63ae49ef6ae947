//! What was read last, for when a registry is away: signatures do not rot, and who is no longer trusted is no longer in the
//! policies. Only where the operator sets an age, only for evidence of that very digest that was read in full, and each use
//! is counted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::source::{Gathered, SourceError};
use crate::metrics::Metrics;

/// What was read last, by key.
pub(super) struct Last<K> {
    /// How long ago it may have been.
    longest: Duration,
    /// How many bytes are kept.
    limit: u64,
    metrics: Metrics,
    kept: Mutex<Kept<K>>,
}

struct Kept<K> {
    by_key: BTreeMap<K, Read>,
    weight: u64,
}

struct Read {
    gathered: Arc<Gathered>,
    at: Instant,
    weight: u64,
}

impl<K: Ord + Clone> Last<K> {
    pub(super) fn new(longest: Duration, limit: u64, metrics: Metrics) -> Self {
        let kept = Mutex::new(Kept { by_key: BTreeMap::new(), weight: 0 });
        Self { longest, limit, metrics, kept }
    }

    /// Remembers what was read. That nothing was there is nothing to remember: it lets nobody in.
    pub(super) fn read(&self, key: &K, gathered: &Arc<Gathered>, weight: u64) {
        if gathered.evidence.is_empty() || !gathered.unread.is_empty() || weight > self.limit {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let read = Read { gathered: Arc::clone(gathered), at: Instant::now(), weight };
        let before = kept.by_key.insert(key.clone(), read).map_or(0, |before| before.weight);
        kept.weight = kept.weight.saturating_sub(before).saturating_add(weight);
        while kept.weight > self.limit {
            let oldest = kept.by_key.iter().min_by_key(|(_, read)| read.at).map(|(key, _)| key.clone());
            let Some(gone) = oldest.and_then(|key| kept.by_key.remove(&key)) else { return };
            kept.weight = kept.weight.saturating_sub(gone.weight);
        }
    }

    /// What may be used because a registry is away: with its age, and with why it was not read now.
    pub(super) fn instead(&self, key: &K, why: &SourceError) -> Option<Gathered> {
        if !why.is_outage() {
            return None;
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let read = kept.by_key.get(key)?;
        let age = read.at.elapsed();
        if age > self.longest {
            return None;
        }
        self.metrics.stale_evidence();
        let evidence = read.gathered.evidence.clone();
        Some(Gathered { evidence, unread: vec![why.clone()], stale: Some(age) })
    }
}
