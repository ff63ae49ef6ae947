//! All open connections: what each is doing, since when, and who goes when there are too many.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use super::limits::Limits;

/// The open connections, in the order in which they came.
pub(super) struct Connections {
    limit: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    came: u64,
    connections: BTreeMap<u64, Arc<Connection>>,
}

/// One connection.
pub(super) struct Connection {
    number: u64,
    opened: Instant,
    completed: AtomicBool,
    activity: watch::Sender<Activity>,
    evicted: Notify,
}

/// What a connection is doing.
#[derive(Clone, Copy)]
enum Activity {
    /// Nothing of a request has come since.
    Idle(Instant),
    /// A request's head has been coming since.
    Head(Instant),
    /// A request has come and is not answered.
    Request,
}

/// A connection's place among the open ones, until it is dropped.
pub(super) struct Place {
    pub(super) connection: Arc<Connection>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, open: Mutex::default() })
    }

    /// A place for a new connection, if need be another's. None where all others have earned theirs and are at work.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.lock();
        if open.connections.len() >= self.limit {
            let number = open.least_missed()?;
            if let Some(connection) = open.connections.remove(&number) {
                connection.evicted.notify_one();
            }
        }
        open.came = open.came.saturating_add(1);
        let now = Instant::now();
        let connection = Arc::new(Connection {
            number: open.came,
            opened: now,
            completed: AtomicBool::new(false),
            activity: watch::Sender::new(Activity::Idle(now)),
            evicted: Notify::new(),
        });
        open.connections.insert(connection.number, Arc::clone(&connection));
        Some(Place { connection, connections: Arc::clone(self) })
    }

    /// How many never completed a request, are idle, and are at work.
    pub(super) fn counted(&self) -> (usize, usize, usize) {
        let open = self.lock();
        let (mut new, mut idle, mut busy) = (0_usize, 0_usize, 0_usize);
        for connection in open.connections.values() {
            let count = if matches!(*connection.activity.borrow(), Activity::Request) {
                &mut busy
            } else if connection.completed.load(Ordering::Relaxed) {
                &mut idle
            } else {
                &mut new
            };
            *count = count.saturating_add(1);
        }
        (new, idle, busy)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// The oldest that never completed a request, or else the longest idle.
    fn least_missed(&self) -> Option<u64> {
        let newcomer = self.connections.values().find(|one| !one.completed.load(Ordering::Relaxed));
        let idle = || {
            let since = |one: &Arc<Connection>| one.waiting_since().map(|since| (since, one.number));
            self.connections.values().filter_map(since).min()
        };
        newcomer.map(|one| one.number).or_else(|| idle().map(|(_, number)| number))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().connections.remove(&self.connection.number);
    }
}

impl Connection {
    /// Bytes have come.
    pub(super) fn receives(&self) {
        self.activity.send_if_modified(|activity| match activity {
            Activity::Idle(_) => {
                *activity = Activity::Head(Instant::now());
                true
            }
            Activity::Head(_) | Activity::Request => false,
        });
    }

    /// A request's head has come wholly.
    pub(super) fn begins(&self) {
        self.activity.send_replace(Activity::Request);
    }

    /// The request is answered.
    pub(super) fn completes(&self) {
        self.completed.store(true, Ordering::Relaxed);
        self.activity.send_replace(Activity::Idle(Instant::now()));
    }

    /// Whether it has lived so long that its next answer is to be its last.
    pub(super) fn is_old(&self, age: Duration) -> bool {
        self.opened.elapsed() >= self.lifetime(age)
    }

    /// 90 to 110 % of `age`, by its number: connections that come together do not go together.
    fn lifetime(&self, age: Duration) -> Duration {
        let percent = u32::try_from(self.number % 21).unwrap_or_default().saturating_add(90);
        age.saturating_mul(percent).checked_div(100).unwrap_or(age)
    }

    /// Returns when its place is another's.
    pub(super) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    /// Returns when it has been idle too long, or a head has taken too long.
    pub(super) async fn overdue(&self, limits: &Limits) {
        self.waits_for(limits.idle, Some(limits.head)).await;
    }

    /// Returns when nothing of a request has come for `idle`.
    pub(super) async fn quiet(&self, idle: Duration) {
        self.waits_for(idle, None).await;
    }

    /// Returns when it has been idle for `idle`, or a head has taken `head`.
    async fn waits_for(&self, idle: Duration, head: Option<Duration>) {
        let mut activity = self.activity.subscribe();
        loop {
            let due = match *activity.borrow_and_update() {
                Activity::Idle(since) => since.checked_add(idle),
                Activity::Head(since) => head.and_then(|head| since.checked_add(head)),
                Activity::Request => None,
            };
            let changed = activity.changed();
            match due {
                None => changed.await.unwrap_or_default(),
                Some(due) => tokio::select! {
                    () = sleep_until(due) => return,
                    _ = changed => {}
                },
            }
        }
    }

    fn waiting_since(&self) -> Option<Instant> {
        match *self.activity.borrow() {
            Activity::Idle(since) | Activity::Head(since) => Some(since),
            Activity::Request => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(connections: &Connections) -> Vec<u64> {
        connections.lock().connections.keys().copied().collect()
    }

    #[tokio::test]
    async fn who_never_completed_a_request_goes_first_then_the_longest_idle() {
        let connections = Connections::new(3);
        let places: Vec<Place> = (0..3).filter_map(|_| connections.admit()).collect();
        places[0].connection.completes();
        places[2].connection.completes();
        places[2].connection.begins();

        let fourth = connections.admit().unwrap();
        assert_eq!(numbers(&connections), [1, 3, 4]);
        places[1].connection.evicted().await;

        fourth.connection.completes();
        let fifth = connections.admit().unwrap();
        assert_eq!(numbers(&connections), [3, 4, 5]);
        places[0].connection.evicted().await;

        for place in [&fourth, &fifth] {
            place.connection.completes();
            place.connection.begins();
        }
        assert!(connections.admit().is_none(), "all are at work");
        drop(places);
        assert_eq!(numbers(&connections), [4, 5]);
        assert!(connections.admit().is_some());
    }

    #[test]
    fn connections_of_one_moment_grow_old_at_different_times() {
        let connections = Connections::new(100);
        let places: Vec<Place> = (0..42).filter_map(|_| connections.admit()).collect();
        let age = Duration::from_secs(300);
        let lifetimes: std::collections::BTreeSet<Duration> =
            places.iter().map(|place| place.connection.lifetime(age)).collect();
        assert_eq!(lifetimes.first(), Some(&Duration::from_secs(270)));
        assert_eq!(lifetimes.last(), Some(&Duration::from_secs(330)));
        assert_eq!(lifetimes.len(), 21);
        assert!(!places[0].connection.is_old(age));
        assert!(places[0].connection.is_old(Duration::ZERO));
    }
}
