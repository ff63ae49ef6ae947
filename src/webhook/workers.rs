//! Where reviews run: a few at a time, off the threads that serve connections, with a bounded queue before them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

use super::limits::Limits;
use super::refusal::Refusal;

/// Threads for reviews.
pub(super) struct Workers {
    free: Arc<Semaphore>,
    queue: Semaphore,
    wait: Duration,
    panics: AtomicU64,
}

impl Workers {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            free: Arc::new(Semaphore::new(limits.workers)),
            queue: Semaphore::new(limits.workers.saturating_mul(limits.queue)),
            wait: limits.wait,
            panics: AtomicU64::new(0),
        }
    }

    /// Runs `job` on a worker, first come, first served. A job that began runs to its end and keeps its worker until
    /// then, even where nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let place = self.queue.try_acquire().map_err(|_| Refusal::QueueFull)?;
        let worker = timeout(self.wait, Arc::clone(&self.free).acquire_owned()).await;
        let worker = worker.map_err(|_| Refusal::QueueSlow)?.map_err(|_| Refusal::Stopping)?;
        drop(place);
        let job = spawn_blocking(move || {
            let result = job();
            drop(worker);
            result
        });
        job.await.map_err(|error| self.failed(&error))
    }

    /// What was said in a panic may hold parts of an object: only its number is logged here.
    fn failed(&self, error: &JoinError) -> Refusal {
        if !error.is_panic() {
            return Refusal::Stopping;
        }
        let panics = self.panics.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        tracing::error!(panics, "a review panicked");
        Refusal::Panicked
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_and_a_slow_one_refuse() {
        let wait = Duration::from_millis(50);
        let workers = Arc::new(Workers::new(&Limits { workers: 1, queue: 1, wait, ..Limits::default() }));
        let (release, released) = mpsc::channel::<()>();
        let run = |job: Box<dyn FnOnce() + Send>| {
            let workers = Arc::clone(&workers);
            tokio::spawn(async move { workers.run(job).await })
        };
        let busy = run(Box::new(move || released.recv().unwrap()));
        while workers.free.available_permits() > 0 {
            yield_now().await;
        }
        let waiting = run(Box::new(|| ()));
        while workers.queue.available_permits() > 0 {
            yield_now().await;
        }
        assert!(matches!(workers.run(|| ()).await, Err(Refusal::QueueFull)));
        assert!(matches!(waiting.await.unwrap(), Err(Refusal::QueueSlow)));
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        assert_eq!(workers.run(|| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_spoils_one_job_and_frees_its_worker() {
        let workers = Workers::new(&Limits { workers: 1, ..Limits::default() });
        for count in 1..=3 {
            assert!(matches!(
                workers.run(|| panic!("a test's panic")).await,
                Err::<(), _>(Refusal::Panicked)
            ));
            assert_eq!(workers.panics.load(Ordering::Relaxed), count);
        }
        assert_eq!(workers.run(|| 7).await.unwrap(), 7);
    }
}
