//! Admissions at a steady rate while something happens: how many fail, and how many are answered wrongly.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::environment::{Answer, RUNTIME, User};
use crate::webhook::pod;

/// Admissions a second.
const RATE: u32 = 200;

/// How many at once at the most. A machine that can't take the rate is not flooded, but asked less.
const AT_ONCE: usize = 64;

/// One of how many violates a policy.
const VIOLATING: usize = 20;

/// What came of the admissions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) right: usize,
    pub(crate) wrongly_allowed: usize,
    pub(crate) wrongly_denied: usize,
    /// Some of what was wrong.
    pub(crate) wrong: BTreeSet<String>,
    /// Refused because the webhook did not answer, by what the API server said of it.
    pub(crate) failed: BTreeMap<String, usize>,
    /// What the API server could not do itself.
    pub(crate) unreachable: BTreeMap<String, usize>,
    pub(crate) seconds: f32,
    /// The slowest, in milliseconds.
    pub(crate) slowest: u128,
}

/// A verdict of the answer: whether it is the right one for a Pod that violates a policy, or that does not.
pub(crate) type Verdict = fn(violating: bool, answer: &Answer) -> bool;

/// How long each scenario runs: what CI has time for, or what is asked for.
pub(crate) fn duration() -> Duration {
    let seconds = std::env::var("MESHGATE_E2E_SECONDS").map_or(3, |text| text.parse().unwrap());
    Duration::from_secs(seconds)
}

/// Whether there is time for more than to see that a scenario works.
pub(crate) fn is_long() -> bool {
    duration() > Duration::from_secs(3)
}

/// Sends dry-run creations of Pods for [`duration`], and as long as `meanwhile` takes.
pub(crate) fn under_load(user: &User, path: &str, right: Verdict, meanwhile: impl FnOnce()) -> Tally {
    let stop = Arc::new(AtomicBool::new(false));
    let load = RUNTIME.spawn(send(user.clone(), path.into(), right, Arc::clone(&stop)));
    meanwhile();
    stop.store(true, Ordering::Relaxed);
    RUNTIME.block_on(load).unwrap()
}

async fn send(user: User, path: Arc<str>, right: Verdict, stop: Arc<AtomicBool>) -> Tally {
    let tally = Arc::new(Mutex::new(Tally::default()));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (start, mut running, mut number) = (Instant::now(), JoinSet::new(), 0);
    while start.elapsed() < duration() || !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        let (user, path, tally) = (user.clone(), Arc::clone(&path), Arc::clone(&tally));
        let violating = number % VIOLATING == 0;
        running.spawn(async move {
            let pod = admitted(number, violating);
            let start = Instant::now();
            let answer = user.ask(Method::POST, &path, "application/json", Some(&pod)).await;
            tally.lock().unwrap().count(violating, answer, right, start.elapsed());
            drop(place);
        });
        number += 1;
        while running.try_join_next().is_some() {}
    }
    while running.join_next().await.is_some() {}
    tally.lock().unwrap().seconds = start.elapsed().as_secs_f32();
    tally.lock().unwrap().clone()
}

/// A Pod with which nothing is wrong, or that is privileged.
pub(crate) fn admitted(number: usize, violating: bool) -> Value {
    let mut pod = pod(&format!("admitted-{number}"), &json!({ "privileged": violating }));
    pod["metadata"]["labels"] = json!({ "owner": "a", "app.kubernetes.io/name": "a" });
    pod["spec"]["containers"][0]["image"] = json!("docker.io/library/app:1");
    pod["spec"]["containers"][0]["resources"] =
        json!({ "requests": { "cpu": "1m", "memory": "1Mi" }, "limits": { "memory": "1Mi" } });
    pod
}

/// Right under the starter profile where it denies: the violating one is refused for what it is; the other is made without
/// a word, and completed.
pub(crate) fn by_the_starter_profile(violating: bool, answer: &Answer) -> bool {
    if violating {
        return answer.status == 403
            && answer
                .message()
                .ends_with("privileged (container \"app\" must not set securityContext.privileged=true)");
    }
    let profile = &answer.body["spec"]["securityContext"]["seccompProfile"]["type"];
    answer.status == 201 && answer.warnings.is_empty() && profile == "RuntimeDefault"
}

impl Tally {
    fn count(
        &mut self,
        violating: bool,
        answer: Result<Answer, kube::Error>,
        right: Verdict,
        took: Duration,
    ) {
        self.slowest = self.slowest.max(took.as_millis());
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return *self.unreachable.entry(error.to_string()).or_default() += 1,
        };
        let message = answer.message();
        if right(violating, &answer) {
            self.right += 1;
        } else if message.contains("denied the request") {
            self.wrongly_denied += 1;
            self.wrong.insert(message.to_owned());
        } else if message.contains("failed calling webhook") {
            *self.failed.entry(message.to_owned()).or_default() += 1;
        } else if answer.status == 429 || answer.status >= 500 {
            *self.unreachable.entry(format!("{}: {message}", answer.status)).or_default() += 1;
        } else {
            self.wrongly_allowed += 1;
            self.wrong.insert(answer.body.to_string());
        }
    }

    pub(crate) fn failures(&self) -> usize {
        self.failed.values().sum()
    }

    /// Prints the numbers; fails unless every admission was answered, and rightly.
    pub(crate) fn assert_clean(&self, what: &str) {
        println!("{what}: {self}");
        assert_eq!(
            (self.failures(), self.wrongly_allowed, self.wrongly_denied),
            (0, 0, 0),
            "{what}: {self:?}"
        );
        assert!(self.right > 100, "{what}: a load that shows something: {self:?}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unreachable: usize = self.unreachable.values().sum();
        let all = self.right + self.failures() + self.wrongly_allowed + self.wrongly_denied + unreachable;
        write!(
            f,
            "{all} admissions in {:.1} s, {} failed, {} wrongly allowed, {} wrongly denied; {unreachable} the API server could not take; \
             the slowest {} ms",
            self.seconds,
            self.failures(),
            self.wrongly_allowed,
            self.wrongly_denied,
            self.slowest
        )
    }
}
