//! Where reviews run: a few at a time, off the threads that serve connections, with a bounded queue before them. A job
//! that does not end is left behind and its worker replaced, as long as there are not too many of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout, timeout_at};

use super::limits::Limits;
use super::refusal::Refusal;
use crate::metrics::Metrics;

/// Threads for reviews.
pub(super) struct Workers {
    free: Arc<Semaphore>,
    queue: Semaphore,
    wait: Duration,
    grace: Duration,
    /// How many jobs may be left behind at a time.
    most_stuck: usize,
    stuck: AtomicUsize,
    /// Workers and places in the queue that there are.
    sizes: (usize, usize),
    metrics: Metrics,
}

impl Workers {
    pub(super) fn new(limits: &Limits, metrics: Metrics) -> Self {
        let sizes = (limits.workers, limits.workers.saturating_mul(limits.queue));
        Self {
            free: Arc::new(Semaphore::new(sizes.0)),
            queue: Semaphore::new(sizes.1),
            wait: limits.wait,
            grace: limits.grace,
            most_stuck: limits.workers,
            stuck: AtomicUsize::new(0),
            sizes,
            metrics,
        }
    }

    /// Whether nothing will be reviewed any more: all workers are stuck, and all that took their place.
    pub(super) fn all_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed) >= self.sizes.0.saturating_add(self.most_stuck)
    }

    /// Requests that wait; workers that review, wait, are stuck.
    pub(super) fn counted(&self) -> (usize, usize, usize, usize) {
        let (workers, places) = self.sizes;
        let queued = places.saturating_sub(self.queue.available_permits());
        let free = self.free.available_permits();
        (queued, workers.saturating_sub(free), free, self.stuck.load(Ordering::Relaxed))
    }

    /// Runs `job` on a worker, first come, first served. A job that began runs to its end, even where nobody waits for
    /// it any more, and keeps its worker; one that goes on long after its deadline keeps it no longer.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        deadline: Instant,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if self.all_stuck() {
            return Err(Refusal::Stuck);
        }
        let place = self.queue.try_acquire().map_err(|_| Refusal::QueueFull)?;
        let since = Instant::now();
        let worker = timeout(self.wait, Arc::clone(&self.free).acquire_owned()).await;
        self.metrics.queue_wait(since.elapsed());
        let worker = worker.map_err(|_| Refusal::QueueSlow)?.map_err(|_| Refusal::Stopping)?;
        drop(place);
        let (answer, answered) = oneshot::channel();
        // On its own, because whoever asked may go away before the job ends.
        tokio::spawn(Arc::clone(self).attend(spawn_blocking(job), worker, deadline, answer));
        answered.await.unwrap_or(Err(Refusal::Stopping))
    }

    async fn attend<T: Send + 'static>(
        self: Arc<Self>,
        mut job: JoinHandle<T>,
        worker: OwnedSemaphorePermit,
        deadline: Instant,
        answer: oneshot::Sender<Result<T, Refusal>>,
    ) {
        let late = deadline.checked_add(self.grace).unwrap_or(deadline);
        let result = match timeout_at(late, &mut job).await {
            Ok(result) => result,
            Err(_) => self.leave_behind(job, worker).await,
        };
        // Nobody waits after the deadline.
        drop(answer.send(result.map_err(|error| self.failed(&error))));
    }

    /// Waits for a job that is stuck, with another worker in its place unless too many are.
    async fn leave_behind<T>(
        &self,
        job: JoinHandle<T>,
        worker: OwnedSemaphorePermit,
    ) -> Result<T, JoinError> {
        let stuck = self.stuck.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let is_replaced = stuck <= self.most_stuck;
        tracing::error!(stuck, is_replaced, "a review does not end");
        let kept = (!is_replaced).then_some(worker);
        let result = job.await;
        self.stuck.fetch_sub(1, Ordering::Relaxed);
        drop(kept);
        result
    }

    /// What was said in a panic may hold parts of an object: only that there was one is logged here.
    fn failed(&self, error: &JoinError) -> Refusal {
        if !error.is_panic() {
            return Refusal::Stopping;
        }
        self.metrics.panicked();
        tracing::error!("a review panicked");
        Refusal::Panicked
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use tokio::task::yield_now;

    use super::*;

    fn workers(limits: Limits) -> Arc<Workers> {
        Arc::new(Workers::new(&limits, Metrics::new()))
    }

    fn soon() -> Instant {
        Instant::now().checked_add(Duration::from_secs(30)).unwrap()
    }

    #[tokio::test]
    async fn a_full_queue_and_a_slow_one_refuse() {
        let wait = Duration::from_millis(50);
        let workers = workers(Limits { workers: 1, queue: 1, wait, ..Limits::default() });
        let (release, released) = mpsc::channel::<()>();
        let run = |job: Box<dyn FnOnce() + Send>| {
            let workers = Arc::clone(&workers);
            tokio::spawn(async move { workers.run(soon(), job).await })
        };
        let busy = run(Box::new(move || released.recv().unwrap()));
        while workers.free.available_permits() > 0 {
            yield_now().await;
        }
        let waiting = run(Box::new(|| ()));
        while workers.queue.available_permits() > 0 {
            yield_now().await;
        }
        assert!(matches!(workers.run(soon(), || ()).await, Err(Refusal::QueueFull)));
        assert!(matches!(waiting.await.unwrap(), Err(Refusal::QueueSlow)));
        release.send(()).unwrap();
        busy.await.unwrap().unwrap();
        assert_eq!(workers.run(soon(), || 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_panic_spoils_one_job_and_frees_its_worker() {
        let workers = workers(Limits { workers: 1, ..Limits::default() });
        for count in 1..=3 {
            assert!(matches!(
                workers.run(soon(), || panic!("a test's panic")).await,
                Err::<(), _>(Refusal::Panicked)
            ));
            let text = workers.metrics.text(0).unwrap();
            assert!(text.contains(&format!("\nmeshgate_panics_total {count}\n")), "{text}");
        }
        assert_eq!(workers.run(soon(), || 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_stuck_job_is_replaced_and_as_many_as_there_are_workers() {
        let wait = Duration::from_millis(50);
        let workers = workers(Limits { workers: 1, wait, grace: wait, ..Limits::default() });
        let mut releases = Vec::new();
        for stuck in 1..=2 {
            let (release, released) = mpsc::channel::<()>();
            releases.push(release);
            let job = move || released.recv().unwrap();
            let asked = Arc::clone(&workers);
            tokio::spawn(async move { asked.run(Instant::now(), job).await });
            while workers.stuck.load(Ordering::Relaxed) < stuck {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            // The first is replaced, the second is one too many.
            assert_eq!(workers.run(soon(), || 7).await.is_ok(), stuck == 1);
            assert_eq!(workers.all_stuck(), stuck == 2);
        }
        assert!(workers.all_stuck());
        assert!(matches!(workers.run(soon(), || 7).await, Err(Refusal::Stuck)));
        releases.into_iter().for_each(|release| release.send(()).unwrap());
        while workers.stuck.load(Ordering::Relaxed) > 0 {
            yield_now().await;
        }
        assert_eq!(workers.run(soon(), || 7).await.unwrap(), 7);
        assert_eq!(workers.free.available_permits(), 1);
    }
}
