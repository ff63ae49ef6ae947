//! Who is asked: an instance for each registry and set of credentials, with the tokens that were got for it. However many
//! there are, they are bounded in number and in size, and gone some time after they were used.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::instance::Instance;
use crate::image::credentials::CredentialId;

/// Instances that are kept.
const INSTANCES: usize = 256;
/// Bytes of credentials and tokens that they hold together.
const BYTES: usize = 8 << 20;
/// How long one is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(300);

/// A registry by its entry and its name, and what is shown to it.
type Key = (usize, String, CredentialId);

#[derive(Default)]
pub(super) struct Instances {
    kept: Mutex<BTreeMap<Key, Kept<Instance>>>,
    scales: Scales,
}

struct Kept<T> {
    instance: Arc<T>,
    used: Instant,
}

/// What is held of credentials, in bytes.
#[derive(Clone, Default)]
pub(super) struct Scales(Arc<AtomicUsize>);

/// Bytes that count as long as it is there.
pub(super) struct Weight {
    scales: Scales,
    bytes: usize,
}

impl Scales {
    pub(super) fn weigh(&self, bytes: usize) -> Weight {
        self.0.fetch_add(bytes, Ordering::Relaxed);
        Weight { scales: self.clone(), bytes }
    }

    fn held(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.scales.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Instances {
    /// The instance of a key, or a new one.
    pub(super) fn get(&self, key: Key, make: impl FnOnce(Scales) -> Instance) -> Arc<Instance> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || make(self.scales.clone());
        found(&mut kept, &self.scales, key, make)
    }
}

/// What is known of a key, or is made. Tokens are got again in two round trips: whoever was not used for longest goes.
fn found<T>(
    kept: &mut BTreeMap<Key, Kept<T>>,
    scales: &Scales,
    key: Key,
    make: impl FnOnce() -> T,
) -> Arc<T> {
    let now = Instant::now();
    kept.retain(|_, one| now.saturating_duration_since(one.used) < IDLE);
    let known = kept.remove(&key).map(|one| one.instance);
    let instance = known.unwrap_or_else(|| Arc::new(make()));
    while !kept.is_empty() && (kept.len() >= INSTANCES || scales.held() > BYTES) {
        let oldest = kept.iter().min_by_key(|(_, one)| one.used).map(|(key, _)| key.clone());
        oldest.and_then(|oldest| kept.remove(&oldest));
    }
    kept.insert(key, Kept { instance: Arc::clone(&instance), used: now });
    instance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept after instances of these sizes were asked for, one after the other.
    fn kept(sizes: impl IntoIterator<Item = (usize, usize)>) -> (Vec<usize>, usize) {
        let (mut kept, scales) = (BTreeMap::new(), Scales::default());
        for (index, bytes) in sizes {
            let key = (index, String::new(), CredentialId::default());
            drop(found(&mut kept, &scales, key, || scales.weigh(bytes)));
        }
        (kept.keys().map(|(index, _, _)| *index).collect(), scales.held())
    }

    #[test]
    fn they_are_bounded_in_number_and_in_size() {
        let (indexes, held) = kept((0..INSTANCES + 9).map(|index| (index, 1)));
        assert_eq!((indexes.len(), held, indexes[0]), (INSTANCES, INSTANCES, 9));
        let half = BYTES / 2;
        // Who was used again stays.
        assert_eq!(kept([(0, half), (1, half), (0, half), (2, half)]), (vec![0, 2], BYTES));
        assert_eq!(kept([(0, 1), (1, BYTES + 1)]), (vec![1], BYTES + 1));
        assert_eq!(kept([(0, BYTES + 1), (1, 1)]), (vec![1], 1));
    }
}
