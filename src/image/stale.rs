//! What was read last, for when a registry is away: signatures do not rot, and who is no longer trusted is no longer in the
//! policies. Only where the operator sets an age, only for evidence of that very digest that was read in full, and each use
//! is counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::evidence::Evidence;
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
    evidence: Vec<Evidence>,
    /// When the source answered.
    at: Instant,
    weight: u64,
}

impl<K: Ord + Clone> Last<K> {
    pub(super) fn new(longest: Duration, limit: u64, metrics: Metrics) -> Self {
        let kept = Mutex::new(Kept { by_key: BTreeMap::new(), weight: 0 });
        Self { longest, limit, metrics, kept }
    }

    /// What a source answered, the moment it did. What was read in full is remembered, and an outage says nothing; after any
    /// other answer what was read before counts no more, or a signature that was deleted would come back in an outage.
    pub(super) fn answered(&self, key: &K, answer: &Result<Gathered, SourceError>, weight: u64) {
        let unread = match answer {
            Ok(gathered) => gathered.unread.as_slice(),
            Err(why) => std::slice::from_ref(why),
        };
        if is_away(unread) {
            return;
        }
        let whole = answer.as_ref().ok().filter(|all| all.unread.is_empty() && !all.evidence.is_empty());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.by_key.remove(key).map_or(0, |before| before.weight);
        kept.weight = kept.weight.saturating_sub(before);
        let Some(gathered) = whole.filter(|_| weight <= self.limit) else { return };
        let read = Read { evidence: gathered.evidence.clone(), at: Instant::now(), weight };
        kept.by_key.insert(key.clone(), read);
        kept.weight = kept.weight.saturating_add(weight);
        while kept.weight > self.limit {
            let oldest = kept.by_key.iter().min_by_key(|(_, read)| read.at).map(|(key, _)| key.clone());
            let Some(gone) = oldest.and_then(|key| kept.by_key.remove(&key)) else { return };
            kept.weight = kept.weight.saturating_sub(gone.weight);
        }
    }

    /// What may be used because a registry is away: with its age, and with why it was not read now. Where some of it could
    /// not be read for another reason, nothing is.
    pub(super) fn instead(&self, key: &K, unread: &[SourceError]) -> Option<Gathered> {
        if !is_away(unread) {
            return None;
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let read = kept.by_key.get(key)?;
        let age = read.at.elapsed();
        if age > self.longest {
            return None;
        }
        self.metrics.stale_evidence();
        let evidence = read.evidence.clone();
        Some(Gathered { evidence, unread: unread.to_vec(), stale: Some(age) })
    }
}

/// Whether outages are why something could not be read, and nothing else.
fn is_away(unread: &[SourceError]) -> bool {
    !unread.is_empty() && unread.iter().all(SourceError::is_outage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::digest::Digest;
    use crate::image::evidence::{Origin, Repository};
    use crate::kubernetes::image_reference::ImageReference;

    /// What a registry said.
    fn said() -> Result<Gathered, SourceError> {
        let repository = Repository::of(&ImageReference::parse("registry.example/app").unwrap());
        let origin = Origin { repository, manifest: Digest::of(b"m"), layer: Digest::of(b"l") };
        let evidence = vec![Evidence::bundle(origin, b"{}".to_vec().into())];
        Ok(Gathered { evidence, unread: Vec::new(), stale: None })
    }

    #[test]
    fn what_was_read_first_makes_room() {
        let last = Last::new(Duration::from_secs(60), 30, Metrics::new());
        let knows = |key| last.instead(&key, &[SourceError::Unavailable]).is_some();
        for key in ["a", "b", "c", "a", "d"] {
            last.answered(&key, &said(), 10);
        }
        // `a` was read again.
        assert_eq!(["a", "b", "c", "d"].map(knows), [true, false, true, true]);
        last.answered(&"huge", &said(), 31);
        last.answered(&"d", &said(), 31);
        assert_eq!(["a", "c", "d", "huge"].map(knows), [true, true, false, false]);
        assert_eq!(last.kept.lock().unwrap().weight, 20);
    }

    #[test]
    fn only_outages_alone_let_older_evidence_stand_in() {
        use SourceError::{Corrupt, Deadline, Unavailable};
        assert!(is_away(&[Unavailable]) && is_away(&[Unavailable, Deadline]));
        assert!(
            !is_away(&[]) && !is_away(&[Unavailable, Corrupt("x")]) && !is_away(&[Corrupt("x"), Deadline])
        );
    }
}
