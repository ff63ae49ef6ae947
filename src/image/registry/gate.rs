//! How many requests are under way at a time, in all and to one registry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::image::source::SourceError;

/// Registries of which is known how many requests they have: beyond that they are forgotten, and counted anew.
const KNOWN: usize = 1024;

/// Who may go on.
pub(super) struct Gates {
    all: Arc<Semaphore>,
    each: usize,
    by_registry: Mutex<BTreeMap<String, Arc<Semaphore>>>,
}

/// Held while a request is under way.
pub(super) struct Pass {
    _each: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Gates {
    /// So many in all, so many each.
    pub(super) fn new(all: usize, each: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), each, by_registry: Mutex::default() }
    }

    /// Waits until a request to a registry may begin.
    pub(super) async fn pass(&self, registry: &str, until: Instant) -> Result<Pass, SourceError> {
        let own = {
            let mut known = self.by_registry.lock().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= KNOWN && !known.contains_key(registry) {
                known.clear();
            }
            let own = known.entry(registry.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(self.each)));
            Arc::clone(own)
        };
        // A registry's own queue first, so that a slow one does not hold what others could use.
        let wait = async {
            let each = own.acquire_owned().await.ok()?;
            let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
            Some(Pass { _each: each, _all: all })
        };
        timeout_at(until, wait).await.ok().flatten().ok_or(SourceError::Deadline)
    }
}
