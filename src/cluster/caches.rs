//! What the API server holds, kept as far as the policies in force declare it: a [`ContextSource`] that asks the API
//! server for nothing that a watch can show.
//!
//! A bundle is prepared ([`Preparation`]) before it is put in force: our rights are checked and its kinds listed. What
//! only an earlier bundle needed goes a while after.

mod answers;
mod lookups;
mod meshes;
mod pulling;
mod resource;
mod rights;
mod shelf;
mod store;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use kube::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use self::lookups::Lookups;
pub use self::pulling::PullSecretsOfCluster;
use self::store::{Standing, Store};
use super::connection::Connection;
use crate::activation::Preparation;
use crate::admission::GroupVersionKind;
use crate::context::{Inventory, Keep, Needs};
use crate::engine::Bundle;
use crate::kubernetes::kinds;
use crate::metrics::Metrics;

/// How long a candidate's kinds may take to be listed.
const LISTING: Duration = Duration::from_secs(60);
/// Between looks at what is kept.
const TICK: Duration = Duration::from_secs(1);
/// Between looks at the API server's version.
const VERSION: Duration = Duration::from_secs(60);
/// Between looks at how far a listing is.
const LOOK: Duration = Duration::from_millis(100);

/// The watches of a process.
pub struct Caches {
    client: Client,
    lookups: Lookups,
    metrics: Metrics,
    max_bytes: u64,
    /// From when a bundle is in force until what only earlier ones needed goes.
    lingers: Duration,
    state: Mutex<State>,
    /// The mesh that was read last.
    last_mesh: Mutex<Option<meshes::Last>>,
}

/// What is watched: a kind, and the namespace where it is one alone.
type Place = (GroupVersionKind, Option<String>);

#[derive(Default)]
struct State {
    watches: BTreeMap<Place, Watch>,
    /// What the bundle in force needs.
    active: Needs,
    /// What the last candidate needs, until it or another one is in force.
    candidate: Needs,
    /// When what it does not need goes.
    drops: Option<Instant>,
    /// The version of the API server, or why it is not known.
    version: Option<Result<(u64, u64), String>>,
    inventories: Vec<Arc<Inventory>>,
}

impl State {
    /// What was known of the version stays known while the API server is away.
    fn learn(&mut self, version: Result<(u64, u64), String>) {
        if version.is_ok() || self.version.as_ref().is_none_or(Result::is_err) {
            self.version = Some(version);
        }
    }

    /// Lets go what neither the bundle in force nor a candidate needs.
    fn drop_unneeded(&mut self) {
        self.drops = None;
        let Self { watches, active, candidate, inventories, .. } = self;
        let needed: BTreeSet<Place> = active.places().chain(candidate.places()).map(place).collect();
        watches.retain(|place, _| needed.contains(place));
        inventories.clear();
    }
}

/// A watch under way; it ends when this is dropped.
struct Watch {
    kept: Arc<Store>,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Caches {
    /// Keeps no more than `max_bytes`, estimated, and what a bundle no longer needs for as long as it `lingers`.
    pub fn new(connection: &Connection, max_bytes: u64, lingers: Duration, metrics: Metrics) -> Arc<Self> {
        let client = connection.client();
        let lookups = Lookups::new(client.clone());
        let caches = Arc::new(Self {
            client,
            lookups,
            metrics,
            max_bytes,
            lingers,
            state: Mutex::default(),
            last_mesh: Mutex::default(),
        });
        tokio::spawn(tend(Arc::downgrade(&caches)));
        caches
    }

    /// Lists what `candidate` needs beside what is kept already. Fails for a right that is missing, for memory, and where
    /// the API server does not answer.
    async fn list_for(&self, candidate: &Bundle) -> Result<(), String> {
        let needs = candidate.needs();
        // From now on: what is kept already must not go while the rest is prepared, here and elsewhere.
        self.lock().candidate = needs.clone();
        rights::check(&self.client, needs.rules().into_iter()).await?;
        if needs.version {
            let version = answers::version(&self.client).await;
            self.lock().learn(version);
        }
        let mut new: Vec<Watch> = Vec::new();
        for (kind, namespace, keep) in needs.places() {
            let known = self.kept_in(kind, namespace);
            let is_enough = |kept: &Arc<Store>| {
                kept.keep.and(keep) == kept.keep && !matches!(kept.standing(), Standing::Dropped(_))
            };
            if !known.as_ref().is_some_and(is_enough) {
                let keep = known.map_or(keep, |kept| kept.keep.and(keep));
                new.push(Watch::start(&self.client, kind, namespace, keep));
            }
        }
        let listed = timeout(LISTING, self.listed(&new)).await;
        listed.unwrap_or_else(|_| Err(still_listing(&new)))?;
        let mut state = self.lock();
        state.watches.extend(new.into_iter().map(|watch| (watch.kept.place(), watch)));
        drop(state);
        candidate.meshes.as_ref().map_or(Ok(()), |settings| self.can_read(settings))
    }

    /// Waits until all are listed.
    async fn listed(&self, new: &[Watch]) -> Result<(), String> {
        loop {
            let waits = new.iter().any(|watch| matches!(watch.kept.standing(), Standing::Listing(_)));
            let known =
                self.lock().watches.values().map(|watch| watch.kept.bytes()).fold(0, u64::saturating_add);
            let bytes = new.iter().map(|watch| watch.kept.bytes()).fold(known, u64::saturating_add);
            if bytes > self.max_bytes {
                return Err(format!(
                    "what the policies declare takes more than caches.maxBytes, {} bytes; declare less, or raise it",
                    self.max_bytes
                ));
            }
            if !waits {
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }

    /// Lets go what is not needed, and what is too much.
    fn tidy(&self) {
        let mut state = self.lock();
        if state.drops.is_some_and(|moment| moment <= Instant::now()) {
            state.drop_unneeded();
        }
        let bytes = state.watches.values().map(|watch| watch.kept.bytes()).fold(0, u64::saturating_add);
        if bytes <= self.max_bytes {
            return;
        }
        // Without Namespaces nothing could be decided.
        let declared = state.watches.values().filter(|watch| watch.kept.kind.kind != "Namespace");
        if let Some(watch) = declared.max_by_key(|watch| watch.kept.bytes()) {
            let why = format!(
                "given up: all facts together take more than caches.maxBytes, {} bytes",
                self.max_bytes
            );
            tracing::error!(kind = watch.kept.kind.kind, why, "a kind is no longer watched");
            watch.task.abort();
            watch.kept.drop_because(why);
        }
    }

    fn tell(&self) {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let state = self.lock();
        let kinds = state
            .watches
            .values()
            .map(|Watch { kept, .. }| (kept.name(), whole(kept.age().as_secs()), whole(kept.bytes())));
        self.metrics.kept(kinds);
    }

    fn kept(&self, kind: &GroupVersionKind) -> Option<Arc<Store>> {
        self.kept_in(kind, None)
    }

    fn kept_in(&self, kind: &GroupVersionKind, namespace: Option<&str>) -> Option<Arc<Store>> {
        let place = (kind.clone(), namespace.map(str::to_owned));
        self.lock().watches.get(&place).map(|watch| Arc::clone(&watch.kept))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Preparation for Caches {
    fn prepare<'a>(
        &'a self,
        candidate: &'a Arc<Bundle>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(self.list_for(candidate))
    }

    fn activated(&self, bundle: &Arc<Bundle>) {
        let mut state = self.lock();
        state.active = bundle.needs();
        state.candidate = Needs::default();
        state.drops = Instant::now().checked_add(self.lingers);
    }
}

impl Watch {
    fn start(client: &Client, kind: &GroupVersionKind, namespace: Option<&str>, keep: Keep) -> Self {
        let kept = Arc::new(Store::new(kind.clone(), namespace.map(str::to_owned), keep));
        let task = tokio::spawn(watching::watch(client.clone(), Arc::clone(&kept)));
        Self { kept, task }
    }
}

fn place((kind, namespace, _): (&GroupVersionKind, Option<&str>, Keep)) -> Place {
    (kind.clone(), namespace.map(str::to_owned))
}

/// Why a listing takes so long, as far as that is known.
fn still_listing(new: &[Watch]) -> String {
    let one = |watch: &Watch| match watch.kept.standing() {
        Standing::Listing(why) => {
            let why = why.unwrap_or_else(|| "no answer yet".to_owned());
            Some(format!("{}: {why}", watch.kept.name()))
        }
        _ => None,
    };
    let kinds: Vec<String> = new.iter().filter_map(one).collect();
    format!("not listed within {} s: {}", LISTING.as_secs(), kinds.join("; "))
}

/// What went wrong, in the API server's words where it has some.
pub(super) fn said(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("the API server says {}: {}", status.code, status.message),
        error => error.to_string(),
    }
}

/// Whether the world may do without a kind: of Kubernetes' own all are served.
fn is_optional(kind: &GroupVersionKind) -> bool {
    !kinds::is_built_in(&kind.group, &kind.kind)
}

/// Looks after the caches as long as there are some.
async fn tend(caches: Weak<Caches>) {
    let mut asked = Instant::now();
    loop {
        sleep(TICK).await;
        let Some(caches) = caches.upgrade() else { return };
        caches.tidy();
        caches.tell();
        let reads = caches.lock().active.version;
        if reads && asked.elapsed() >= VERSION {
            asked = Instant::now();
            let version = answers::version(&caches.client).await;
            caches.lock().learn(version);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_candidate_needs_stays_until_another_is_in_force() {
        let kind = |kind: &str| GroupVersionKind::new("", "v1", kind);
        let needs = |kinds: &[&str]| {
            let mut needs = Needs::default();
            kinds.iter().for_each(|one| needs.add(kind(one), Keep::Whole));
            needs
        };
        let watch = |one: &str| {
            let kept = Arc::new(Store::new(kind(one), None, Keep::Whole));
            (kept.place(), Watch { kept, task: tokio::spawn(std::future::pending()) })
        };
        let watches = ["Pod", "Secret", "Service"].map(watch).into();
        let (active, candidate) = (needs(&["Pod"]), needs(&["Service"]));
        let mut state = State { watches, active, candidate, ..State::default() };
        state.drop_unneeded();
        let kinds = |state: &State| Vec::from_iter(state.watches.keys().map(|(kind, _)| kind.kind.clone()));
        assert_eq!(kinds(&state), ["Pod", "Service"]);
        state.candidate = Needs::default();
        state.drop_unneeded();
        assert_eq!(kinds(&state), ["Pod"]);
    }

    #[test]
    fn a_version_that_is_known_is_not_forgotten() {
        let mut state = State::default();
        for (learnt, known) in [
            (Err("away".to_owned()), Err("away".to_owned())),
            (Ok((1, 36)), Ok((1, 36))),
            (Err("away".to_owned()), Ok((1, 36))),
            (Ok((1, 37)), Ok((1, 37))),
        ] {
            state.learn(learnt);
            assert_eq!(state.version, Some(known));
        }
    }
}
