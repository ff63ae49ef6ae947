//! Work that many ask for at once and that is done once: a flight. It has a task of its own, so that a caller who gives up
//! takes nothing from the others, and what a late flight brings serves who comes next.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::time::{Instant, timeout_at};

use super::source::SourceError;

/// Flights at a time; who comes beyond them is told to come later.
const FLIGHTS: usize = 1024;

/// How long one may take, however long its callers wait.
pub(super) const LONGEST: Duration = Duration::from_secs(20);

type Landing<V> = Result<Arc<V>, SourceError>;

/// Answers by key, while they are sought and for some time after.
pub(super) struct Flights<K, V> {
    state: Arc<Mutex<State<K, V>>>,
    /// What may be kept, in bytes.
    limit: u64,
}

struct State<K, V> {
    flying: BTreeMap<K, Shared<BoxFuture<'static, Landing<V>>>>,
    landed: BTreeMap<K, Landed<V>>,
    weight: u64,
    clock: u64,
}

struct Landed<V> {
    answer: Landing<V>,
    until: Instant,
    weight: u64,
    /// When it was used last, by the count of uses.
    used: u64,
}

impl<K, V> Flights<K, V>
where
    K: Ord + Clone + Send + 'static,
    V: Send + Sync + 'static,
{
    /// Nothing is known yet.
    pub(super) fn new(limit: u64) -> Self {
        let (flying, landed) = (BTreeMap::new(), BTreeMap::new());
        Self { state: Arc::new(Mutex::new(State { flying, landed, weight: 0, clock: 0 })), limit }
    }

    /// The answer to a key: what is kept, what is under way, or else what `work` brings. `keep` says how long that is kept,
    /// and what it weighs.
    pub(super) async fn get<F>(
        &self,
        key: &K,
        until: Instant,
        keep: impl FnOnce(&Landing<V>) -> (Duration, u64) + Send + 'static,
        work: impl FnOnce() -> F,
    ) -> Landing<V>
    where
        F: Future<Output = Result<V, SourceError>> + Send + 'static,
    {
        let flight = {
            let mut state = locked(&self.state);
            if let Some(answer) = state.kept(key) {
                return answer;
            }
            match state.flying.get(key) {
                Some(flight) => flight.clone(),
                None if state.flying.len() >= FLIGHTS => {
                    return Err(SourceError::RateLimited { retry_after: Some(Duration::from_secs(1)) });
                }
                None => {
                    let flight = self.launch(key.clone(), keep, work());
                    state.flying.insert(key.clone(), flight.clone());
                    flight
                }
            }
        };
        timeout_at(until, flight).await.map_err(|_| SourceError::Deadline)?
    }

    fn launch(
        &self,
        key: K,
        keep: impl FnOnce(&Landing<V>) -> (Duration, u64) + Send + 'static,
        work: impl Future<Output = Result<V, SourceError>> + Send + 'static,
    ) -> Shared<BoxFuture<'static, Landing<V>>> {
        let (state, limit) = (Arc::clone(&self.state), self.limit);
        // The inner task may panic; the outer one always lands.
        let work = tokio::spawn(work);
        let landing = tokio::spawn(async move {
            let answer = match work.await {
                Ok(answer) => answer.map(Arc::new),
                Err(_) => Err(SourceError::Unavailable),
            };
            let (time, weight) = keep(&answer);
            locked(&state).land(key, &answer, time, weight, limit);
            answer
        });
        let answer = async move { landing.await.unwrap_or(Err(SourceError::Unavailable)) };
        answer.boxed().shared()
    }
}

impl<K: Ord + Clone, V> State<K, V> {
    fn kept(&mut self, key: &K) -> Option<Landing<V>> {
        self.clock = self.clock.saturating_add(1);
        let landed = self.landed.get_mut(key)?;
        if landed.until <= Instant::now() {
            let weight = landed.weight;
            self.landed.remove(key);
            self.weight = self.weight.saturating_sub(weight);
            return None;
        }
        landed.used = self.clock;
        Some(landed.answer.clone())
    }

    fn land(&mut self, key: K, answer: &Landing<V>, time: Duration, weight: u64, limit: u64) {
        self.flying.remove(&key);
        let now = Instant::now();
        let Some(until) = now.checked_add(time).filter(|_| !time.is_zero() && weight <= limit) else {
            return;
        };
        self.make_room(weight, limit, now);
        let landed = Landed { answer: answer.clone(), until, weight, used: self.clock };
        if let Some(before) = self.landed.insert(key, landed) {
            self.weight = self.weight.saturating_sub(before.weight);
        }
        self.weight = self.weight.saturating_add(weight);
    }

    /// What is over goes first, then what was not used for longest.
    fn make_room(&mut self, weight: u64, limit: u64, now: Instant) {
        if self.weight.saturating_add(weight) <= limit {
            return;
        }
        self.landed.retain(|_, landed| landed.until > now);
        self.weight = self.landed.values().map(|landed| landed.weight).fold(0, u64::saturating_add);
        while self.weight.saturating_add(weight) > limit {
            let oldest = self.landed.iter().min_by_key(|(_, landed)| landed.used).map(|(key, _)| key.clone());
            let Some(removed) = oldest.and_then(|key| self.landed.remove(&key)) else { return };
            self.weight = self.weight.saturating_sub(removed.weight);
        }
    }
}

/// Never held across a wait.
fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::time::sleep;

    use super::*;

    /// What a test calls a second, and what it calls a minute.
    const SECOND: Duration = Duration::from_millis(20);
    const MINUTE: Duration = Duration::from_millis(600);

    fn later(seconds: u32) -> Instant {
        Instant::now().checked_add(SECOND.saturating_mul(seconds)).unwrap()
    }

    fn minute(_: &Landing<usize>) -> (Duration, u64) {
        (MINUTE, 10)
    }

    /// Counts how often it is done.
    fn work(
        count: &Arc<AtomicUsize>,
        takes: u32,
    ) -> impl Future<Output = Result<usize, SourceError>> + use<> {
        let count = Arc::clone(count);
        async move {
            sleep(SECOND.saturating_mul(takes)).await;
            Ok(count.fetch_add(1, Ordering::SeqCst).saturating_add(1))
        }
    }

    #[tokio::test]
    async fn many_callers_have_one_flight_and_who_gives_up_takes_nothing() {
        let (flights, count) = (Flights::new(100), Arc::default());
        let callers = (0..51).map(|_| flights.get(&"key", later(30), minute, || work(&count, 5)));
        let impatient = flights.get(&"key", later(1), minute, || work(&count, 5));
        let (answers, given_up) = tokio::join!(futures_util::future::join_all(callers), impatient);
        assert!(answers.iter().all(|answer| *answer == Ok(Arc::new(1))), "{answers:?}");
        assert_eq!(given_up, Err(SourceError::Deadline));
        assert_eq!(count.load(Ordering::SeqCst), 1);
        // It is kept for its time and no longer.
        assert_eq!(flights.get(&"key", later(9), minute, || work(&count, 0)).await, Ok(Arc::new(1)));
        sleep(MINUTE).await;
        assert_eq!(flights.get(&"key", later(9), minute, || work(&count, 0)).await, Ok(Arc::new(2)));
    }

    #[tokio::test]
    async fn a_flight_goes_on_without_callers_and_serves_the_next() {
        let (flights, count) = (Flights::new(100), Arc::default());
        assert_eq!(
            flights.get(&"key", later(1), minute, || work(&count, 5)).await,
            Err(SourceError::Deadline)
        );
        sleep(SECOND * 6).await;
        assert_eq!(flights.get(&"key", later(1), minute, || work(&count, 5)).await, Ok(Arc::new(1)));
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_its_flight_and_a_slow_key_blocks_no_other() {
        let (flights, count) = (Flights::<_, usize>::new(100), Arc::default());
        let panics =
            flights.get(&"panics", later(9), |_| (Duration::ZERO, 0), || async { panic!("on purpose") });
        assert_eq!(panics.await, Err(SourceError::Unavailable));
        let slow = flights.get(&"slow", later(30), minute, || work(&count, 20));
        let quick = flights.get(&"quick", later(1), minute, || work(&count, 0));
        let (slow, quick) = tokio::join!(slow, quick);
        assert_eq!((slow, quick), (Ok(Arc::new(2)), Ok(Arc::new(1))));
        assert_eq!(flights.get(&"panics", later(1), minute, || work(&count, 0)).await, Ok(Arc::new(3)));
    }

    #[tokio::test]
    async fn what_was_not_used_for_longest_makes_room() {
        let (flights, count) = (Flights::new(30), Arc::default());
        for key in ["a", "b", "c", "a", "d"] {
            drop(flights.get(&key, later(1), minute, || work(&count, 0)).await);
        }
        assert_eq!(count.load(Ordering::SeqCst), 4);
        let mut kept: Vec<&str> = locked(&flights.state).landed.keys().copied().collect();
        kept.sort_unstable();
        assert_eq!(kept, ["a", "c", "d"]);
        assert_eq!(locked(&flights.state).weight, 30);
        let huge = flights.get(&"huge", later(1), |_| (MINUTE, 31), || work(&count, 0));
        assert!(huge.await.is_ok() && !locked(&flights.state).landed.contains_key("huge"));
    }

    #[tokio::test]
    async fn flights_are_bounded() {
        let (flights, count) = (Flights::new(30), Arc::default());
        let numbers: Vec<usize> = (0..FLIGHTS + 1).collect();
        let all = numbers.iter().map(|key| flights.get(key, later(99), minute, || work(&count, 1)));
        let answers = futures_util::future::join_all(all).await;
        let refused = answers.iter().filter(|answer| matches!(answer, Err(SourceError::RateLimited { .. })));
        assert_eq!(refused.count(), 1);
    }
}
