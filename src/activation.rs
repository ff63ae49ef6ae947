//! Which bundle answers. A candidate takes the place of the one in force when all that it needs is prepared; else the
//! last good one stays. And what else must hold before requests are taken: [`Readiness`].
//!
//! Called by `cli`, which loads candidates, and by `webhook`, which asks for the bundle in force. Reads no files:
//! what a candidate is made of is its source's matter.

mod quarantine;
mod readiness;
mod status;
mod step;
mod urgency;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::engine::Bundle;
use crate::events::{Events, Reason};
use crate::metrics::{BundleLabels, Metrics};
use crate::policy::Revision;
use crate::review::Decision;

use quarantine::Quarantine;
pub use readiness::{Condition, ConditionState, Readiness};
pub use status::{Activated, Refused, SourceStatus, Status};
pub use step::Step;
pub use urgency::gives_way;

/// What has to be done before a bundle can answer: its facts are there, the API server sends what it wants to see.
pub trait Preparation: Send + Sync {
    /// Makes everything ready for `candidate` beside the bundle in force, which goes on to answer. Why it can't is told
    /// with a remedy; the candidate is tried again later. Dropped before its end where a newer candidate comes.
    fn prepare<'a>(
        &'a self,
        candidate: &'a Arc<Bundle>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

    /// `bundle` is in force: what only earlier ones needed can go.
    fn activated(&self, bundle: &Arc<Bundle>);
}

/// The bundle in force.
pub struct Activation {
    active: RwLock<Option<Arc<Bundle>>>,
    preparations: Vec<Arc<dyn Preparation>>,
    quarantine: Quarantine,
    /// One candidate at a time.
    turn: tokio::sync::Mutex<()>,
    status: watch::Sender<Status>,
    condition: Condition,
    metrics: Metrics,
    events: Arc<dyn Events>,
}

impl Activation {
    /// Nothing is in force yet. The preparations are made in their order.
    pub fn new(
        preparations: Vec<Arc<dyn Preparation>>,
        readiness: &Readiness,
        metrics: Metrics,
        events: Arc<dyn Events>,
    ) -> Arc<Self> {
        Arc::new(Self {
            active: RwLock::default(),
            preparations,
            quarantine: Quarantine::default(),
            turn: tokio::sync::Mutex::default(),
            status: watch::Sender::default(),
            condition: readiness.condition("bundle"),
            metrics,
            events,
        })
    }

    /// The bundle in force; None before the first.
    pub fn active(&self) -> Option<Arc<Bundle>> {
        self.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where things stand.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// The same, for who wants to know of each change.
    pub fn changes(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Puts `candidate` in force when all is prepared for it.
    ///
    /// # Errors
    /// Why the last good one stays. It is recorded here already.
    pub async fn activate(&self, candidate: Arc<Bundle>) -> Result<(), String> {
        let _turn = self.turn.lock().await;
        let revision = candidate.revision.to_string();
        let pending = Pending::of(self, &candidate.revision);
        for preparation in &self.preparations {
            if let Err(why) = preparation.prepare(&candidate).await {
                drop(pending);
                self.refuse(Some(&revision), Step::Prepare, &why);
                return Err(why);
            }
        }
        drop(pending);
        self.put_in_force(candidate);
        Ok(())
    }

    /// A candidate can't be used, or not even be read: the last good one stays.
    pub fn refuse(&self, revision: Option<&str>, step: Step, why: &str) {
        let (stage, reason) = (step.stage(), step.reason());
        tracing::error!(
            revision,
            stage,
            reason,
            why,
            "the policies are not put in force; the last good ones stay"
        );
        self.metrics.bundle_refused(stage, reason);
        let which = revision.map_or_else(|| "the policies".to_owned(), |one| format!("the revision {one}"));
        self.events.tell(Reason::BundleRefused, &format!("{which} can't be put in force: {why}"));
        self.status.send_modify(|status| status.refused = Some(Refused::now(revision, step, why)));
        if let Some(active) = &self.status.borrow().active {
            let asked = revision.map_or_else(String::new, |revision| format!(" {revision}"));
            self.condition.holds(format!("{}; the candidate{asked} is refused: {why}", active.revision));
        } else {
            self.condition.fails(why);
        }
    }

    /// Says how the source is doing.
    pub fn source(&self, source: SourceStatus) {
        self.status.send_if_modified(|status| {
            let is_new = status.source.as_ref() != Some(&source);
            status.source = Some(source);
            is_new
        });
    }

    /// Nothing can be put in force yet, and why; where something is in force it goes on.
    pub fn lacks(&self, why: &str) {
        if self.status.borrow().active.is_none() {
            self.condition.fails(why);
        }
    }

    /// What the source holds is what is in force: what was refused before is past.
    pub fn confirm(&self) {
        self.status.send_if_modified(|status| status.refused.take().is_some());
        if let Some(active) = &self.status.borrow().active {
            self.condition.holds(active.revision.clone());
        }
    }

    /// Takes note of a decision of `bundle`, and of the policies that were in error.
    pub fn record(self: &Arc<Self>, bundle: &Bundle, decision: &Decision) {
        if self.quarantine.count(&bundle.revision, &decision.evaluated) {
            let activation = Arc::clone(self);
            // Parsing takes longer than a request has.
            drop(spawn_blocking(move || activation.rearrange()));
        }
    }

    fn put_in_force(&self, bundle: Arc<Bundle>) {
        let before = {
            let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
            self.quarantine.begin(&bundle.revision);
            active.replace(Arc::clone(&bundle))
        };
        for preparation in &self.preparations {
            preparation.activated(&bundle);
        }
        if let Some(before) = before {
            self.forget(&before, &bundle);
        }
        let revision = bundle.revision.to_string();
        tracing::info!(revision, bindings = bundle.bound.len(), "policies are in force");
        let time = bundle.revision.provenance.time.map(OffsetDateTime::unix_timestamp);
        self.metrics.bundle_activated(time, OffsetDateTime::now_utc().unix_timestamp());
        self.status.send_modify(|status| status.activate(&bundle));
        self.show(None);
        self.condition.holds(revision);
    }

    /// Series of policies and bindings that are gone.
    fn forget(&self, before: &Bundle, bundle: &Bundle) {
        for bound in &before.bound {
            let (policy, binding) = (&bound.policy.id, &bound.binding.name);
            let is_policy = |one: &&crate::engine::Bound| one.policy.id == *policy;
            if !bundle.bound.iter().any(|one| is_policy(&one)) {
                self.metrics.forget_policy(policy.as_str());
            }
            if !bundle.bound.iter().filter(is_policy).any(|one| one.binding.name == *binding) {
                self.metrics.forget_binding(policy.as_str(), binding);
            }
        }
    }

    /// Which revisions play a part.
    fn show(&self, candidate: Option<&Revision>) {
        let row = |state, revision: &Revision| BundleLabels {
            state,
            source: revision.provenance.source.clone(),
            revision: revision.to_string(),
            tree: revision.tree.short(),
        };
        let active = self.active();
        let active = active.iter().map(|bundle| row("active", &bundle.revision));
        self.metrics.bundles(active.chain(candidate.map(|revision| row("candidate", revision))).collect());
    }

    /// Asks those policies alone that err on every request.
    fn rearrange(&self) {
        let Some(bundle) = self.active() else { return };
        let Some(arranged) = self.quarantine.arrange(&bundle) else { return };
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        // Another one may have come in force meanwhile.
        if active.as_ref().is_some_and(|active| active.revision == arranged.revision) {
            *active = Some(Arc::new(arranged));
        }
    }
}

/// A candidate that is being prepared; it is none any more when this is dropped, also where nobody waits for it.
struct Pending<'a>(&'a Activation);

impl<'a> Pending<'a> {
    fn of(activation: &'a Activation, revision: &Revision) -> Self {
        activation.status.send_modify(|status| status.candidate = Some(revision.to_string()));
        activation.show(Some(revision));
        Self(activation)
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.0.status.send_modify(|status| status.candidate = None);
        self.0.show(None);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::Mutex;

    use super::*;
    use crate::engine::compile;
    use crate::policy::{Draft, Tree};

    /// A bundle with a binding of each of these policies, which deny requests of their own name.
    pub(super) fn bundle(names: &[&str]) -> Bundle {
        let mut tree = Tree::default();
        for name in names {
            let rules = "[{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
            let text = format!(
                "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: {rules}}}\npackage policies.x.{name}\n\ndeny contains \"no\" if input.request.name == \"{name}\"\n"
            );
            tree.insert(format!("x/{name}/{name}.rego"), text);
        }
        let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: \"*\", enforcement: deny}\n";
        tree.insert("b.yaml", binding);
        compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// Says what it was asked and what it was told; can't prepare `refused`, and never ends with `endless`.
    struct Steps {
        name: &'static str,
        said: Arc<Mutex<Vec<String>>>,
        refused: Arc<Bundle>,
        endless: Arc<Bundle>,
    }

    impl Preparation for Steps {
        fn prepare<'a>(
            &'a self,
            candidate: &'a Arc<Bundle>,
        ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
            self.said.lock().unwrap().push(format!("{} prepares", self.name));
            if candidate.revision == self.endless.revision {
                return Box::pin(pending());
            }
            let can_not = candidate.revision == self.refused.revision;
            Box::pin(ready(if can_not { Err("there is no such kind".to_owned()) } else { Ok(()) }))
        }

        fn activated(&self, _: &Arc<Bundle>) {
            self.said.lock().unwrap().push(format!("{} is told", self.name));
        }
    }

    struct World {
        activation: Arc<Activation>,
        readiness: Readiness,
        said: Arc<Mutex<Vec<String>>>,
        bundles: [Arc<Bundle>; 4],
    }

    impl World {
        /// With a first good bundle, a second one, one that is refused, and one whose preparation never ends.
        fn new() -> Self {
            let bundles = ["one", "two", "refused", "endless"].map(|name| Arc::new(bundle(&[name])));
            let (readiness, said) = (Readiness::default(), Arc::<Mutex<Vec<String>>>::default());
            let steps = |name| -> Arc<dyn Preparation> {
                let [_, _, refused, endless] = bundles.clone();
                Arc::new(Steps { name, said: Arc::clone(&said), refused, endless })
            };
            let preparations = vec![steps("a"), steps("b")];
            let activation =
                Activation::new(preparations, &readiness, Metrics::new(), Arc::new(crate::events::Untold));
            Self { activation, readiness, said, bundles }
        }

        fn said(&self) -> Vec<String> {
            std::mem::take(&mut self.said.lock().unwrap())
        }

        fn active(&self) -> Option<String> {
            self.activation.active().map(|bundle| bundle.revision.to_string())
        }
    }

    #[tokio::test]
    async fn a_candidate_is_in_force_when_all_is_prepared_and_else_the_last_good_one_stays() {
        let world = World::new();
        let [one, two, refused, _] = world.bundles.clone();
        assert_eq!((world.active(), world.readiness.is_ready()), (None, false));
        assert_eq!(world.activation.activate(refused.clone()).await, Err("there is no such kind".to_owned()));
        assert_eq!((world.active(), world.readiness.is_ready()), (None, false));
        assert_eq!(world.said(), ["a prepares"]);

        assert_eq!(world.activation.activate(one.clone()).await, Ok(()));
        assert_eq!(world.said(), ["a prepares", "b prepares", "a is told", "b is told"]);
        assert_eq!((world.active(), world.readiness.is_ready()), (Some(one.revision.to_string()), true));

        world.activation.activate(refused.clone()).await.unwrap_err();
        assert_eq!((world.active(), world.readiness.is_ready()), (Some(one.revision.to_string()), true));
        let status = world.activation.status();
        let why = status.refused.map(|refused| (refused.revision, refused.why));
        assert_eq!(why, Some((Some(refused.revision.to_string()), "there is no such kind".to_owned())));
        assert_eq!(status.candidate, None);

        world.activation.activate(two.clone()).await.unwrap();
        assert!(world.activation.status().refused.is_none());
        assert_eq!(world.active(), Some(two.revision.to_string()));
    }

    #[tokio::test]
    async fn a_candidate_that_nobody_waits_for_any_more_is_none() {
        let world = World::new();
        let [one, two, _, endless] = world.bundles.clone();
        world.activation.activate(one.clone()).await.unwrap();
        let waiting = tokio::spawn({
            let activation = Arc::clone(&world.activation);
            let endless = endless.clone();
            async move { activation.activate(endless).await }
        });
        while world.activation.status().candidate.is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.activation.status().candidate, Some(endless.revision.to_string()));
        assert_eq!(world.active(), Some(one.revision.to_string()));
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        assert_eq!(world.activation.status().candidate, None);
        world.activation.activate(two.clone()).await.unwrap();
        assert_eq!(world.active(), Some(two.revision.to_string()));
    }
}
