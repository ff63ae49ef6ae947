//! Who is asked: an instance for each registry and set of credentials, with the tokens that were got for it. However many
//! there are, they are bounded in number and in size, and gone some time after they were used.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::instance::Instance;
use crate::image::credentials::CredentialId;

/// Instances that are kept.
const INSTANCES: usize = 256;
/// Bytes of credentials and tokens that they hold together.
const BYTES: usize = 8 << 20;
/// How long one is kept that nobody uses, at the least; twice that at the most.
const IDLE: Duration = Duration::from_secs(300);

/// A registry by its entry and its name, and what is shown to it.
type Key = (usize, String, CredentialId);

pub(super) struct Instances<T = Instance> {
    known: Arc<Mutex<Known<T>>>,
    scales: Scales,
    idle: Duration,
}

struct Known<T> {
    kept: BTreeMap<Key, Kept<T>>,
    /// Whether somebody looks after those that nobody uses.
    is_swept: bool,
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

    /// What is held now.
    pub(super) fn held(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.scales.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Default for Instances {
    fn default() -> Self {
        Self::kept_for(IDLE)
    }
}

impl<T: Send + Sync + 'static> Instances<T> {
    fn kept_for(idle: Duration) -> Self {
        let known = Known { kept: BTreeMap::new(), is_swept: false };
        Self { known: Arc::new(Mutex::new(known)), scales: Scales::default(), idle }
    }

    /// The instance of a key, or a new one.
    pub(super) fn get(&self, key: Key, make: impl FnOnce(Scales) -> T) -> Arc<T> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let instance = found(&mut known.kept, &self.scales, key, || make(self.scales.clone()));
        if !known.is_swept {
            known.is_swept = true;
            tokio::spawn(sweep(Arc::downgrade(&self.known), self.idle));
        }
        instance
    }
}

/// Removes what nobody used for some time, whether or not somebody asks again, as long as there is something.
async fn sweep<T>(known: Weak<Mutex<Known<T>>>, idle: Duration) {
    loop {
        sleep(idle).await;
        let Some(known) = known.upgrade() else { return };
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.kept.retain(|_, one| one.used.elapsed() < idle);
        if known.kept.is_empty() {
            known.is_swept = false;
            return;
        }
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

    #[tokio::test]
    async fn who_is_not_used_is_gone_though_nobody_asks() {
        let idle = Duration::from_millis(100);
        let instances = Instances::kept_for(idle);
        let key = |index| (index, String::new(), CredentialId::default());
        let held = || instances.scales.held();
        for _ in 0..2 {
            drop(instances.get(key(1), |scales| scales.weigh(1)));
            for _ in 0..10 {
                sleep(idle / 4).await;
                drop(instances.get(key(2), |scales| scales.weigh(2)));
            }
            assert_eq!(held(), 2, "the one that is used stays");
            sleep(idle * 3).await;
            assert_eq!(held(), 0);
        }
    }
}
