//! What the API server is to send, for the bundle in force, a candidate, and what was in force a moment ago: it is told
//! before a bundle needs it, and told otherwise only after.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::live::Live;
use super::pace::Pace;
use crate::engine::Bundle;
use crate::registration::Coverage;

/// What is wanted. A clone is the same one.
#[derive(Clone)]
pub(super) struct Wants {
    inner: Arc<Mutex<Inner>>,
    changed: watch::Sender<()>,
    narrows: Duration,
}

#[derive(Default)]
struct Inner {
    active: Option<Coverage>,
    candidate: Option<Coverage>,
    /// What was registered when this replica began to lead.
    inherited: Option<Coverage>,
    /// What earlier bundles needed, until when.
    former: Vec<(Coverage, Instant)>,
}

impl Wants {
    pub(super) fn new(pace: &Pace) -> Self {
        Self { inner: Arc::default(), changed: watch::Sender::new(()), narrows: pace.narrows }
    }

    /// All that is wanted; None before the first bundle.
    pub(super) fn needs(&self) -> Option<Coverage> {
        let mut inner = self.lock();
        inner.former.retain(|(_, until)| Instant::now() < *until);
        let active = inner.active.clone()?;
        let former = inner.former.iter().map(|(needs, _)| needs);
        Some(
            former
                .chain(&inner.candidate)
                .chain(&inner.inherited)
                .fold(active, |all, needs| all.union(needs)),
        )
    }

    /// What the bundle in force needs; None before the first.
    pub(super) fn active(&self) -> Option<Coverage> {
        self.lock().active.clone()
    }

    /// Keeps what is registered already until a bundle comes in force here: who led before may have widened it for one
    /// that others have and this replica has not yet.
    pub(super) fn keep(&self, registered: &Coverage) {
        self.lock().inherited = Some(registered.clone());
        self.changed.send_replace(());
    }

    /// Returns when there is something to want: a bundle is in force.
    pub(super) async fn first(&self) {
        let mut changed = self.subscribe();
        while self.lock().active.is_none() {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Tells when something else is wanted.
    pub(super) fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Returns when the API server has been shown for a while to send what the candidate needs. The first bundle of a
    /// process does not wait: nothing is registered for it, or it was in force before.
    pub(super) async fn widened(
        &self,
        candidate: &Bundle,
        live: &mut watch::Receiver<Live>,
        shown: Duration,
    ) -> Result<(), String> {
        let needs = Coverage::of(candidate);
        if self.lock().active.is_none() {
            return Ok(());
        }
        let _wanted = self.want(needs.clone());
        loop {
            let left = {
                let live = live.borrow_and_update();
                match live.needs() {
                    Some((registered, since)) if registered.covers(&needs) => shown.saturating_sub(since),
                    // Nothing is sent for anybody yet: all of it will be told at once.
                    None if live.is_known() => Duration::ZERO,
                    None | Some(_) => Duration::MAX,
                }
            };
            if left.is_zero() {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(shown)) => {}
                changed = live.changed() => {
                    changed.map_err(|_| "the webhook configurations are no longer watched".to_owned())?;
                }
            }
        }
    }

    /// A bundle is in force.
    pub(super) fn activated(&self, bundle: &Bundle) {
        let needs = Coverage::of(bundle);
        let mut inner = self.lock();
        let before = inner.active.replace(needs);
        let inherited = inner.inherited.take();
        before.into_iter().chain(inherited).for_each(|former| inner.retire(former, self.narrows));
        drop(inner);
        self.changed.send_replace(());
    }

    /// Wants the needs of a candidate until this is dropped.
    fn want(&self, needs: Coverage) -> Candidate<'_> {
        self.lock().candidate = Some(needs);
        self.changed.send_replace(());
        Candidate(self)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn retire(&mut self, needs: Coverage, narrows: Duration) {
        let now = Instant::now();
        self.former.push((needs, now.checked_add(narrows).unwrap_or(now)));
    }
}

/// A candidate's needs, for as long as it is one.
struct Candidate<'a>(&'a Wants);

impl Drop for Candidate<'_> {
    fn drop(&mut self) {
        // What it made the API server send goes as what an earlier bundle needed: others may still want it.
        let mut inner = self.0.lock();
        if let Some(needs) = inner.candidate.take() {
            inner.retire(needs, self.0.narrows);
        }
        drop(inner);
        self.0.changed.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compile;
    use crate::policy::{Draft, Tree};
    use crate::registration::Rules;

    /// A bundle whose one policy is about that resource.
    fn bundle(resource: &str) -> Bundle {
        let mut tree = Tree::default();
        let rules = format!("[{{apiGroups: [\"\"], apiVersions: [v1], resources: [{resource}]}}]");
        tree.insert(
            "x/a/a.rego",
            format!(
                "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: {rules}}}\npackage policies.x.a\n\ndeny contains \"no\" if input.request.uid\n"
            ),
        );
        tree.insert(
            "b.yaml",
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: x/a, enforcement: deny}\n",
        );
        compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
    }

    #[tokio::test]
    async fn what_an_earlier_leader_registered_stays_until_a_bundle_comes_in_force_here() {
        let pace = Pace { narrows: Duration::from_millis(200), ..Pace::default() };
        let wants = Wants::new(&pace);
        let (pods, services) = (Coverage::of(&bundle("pods")), Coverage::of(&bundle("services")));
        wants.keep(&services);
        assert_eq!(wants.needs(), None, "nobody stands who has nothing in force");
        wants.activated(&bundle("pods"));
        wants.keep(&services);
        // Others may have it in force, however long this replica does without.
        tokio::time::sleep(pace.narrows * 2).await;
        assert_eq!(wants.needs(), Some(pods.union(&services)));
        wants.activated(&bundle("pods"));
        assert_eq!(wants.needs(), Some(pods.union(&services)));
        tokio::time::sleep(pace.narrows * 2).await;
        assert_eq!(wants.needs(), Some(pods));
    }

    #[tokio::test]
    async fn who_has_nothing_in_force_waits() {
        let wants = Wants::new(&Pace::default());
        let mut first = std::pin::pin!(wants.first());
        assert!(futures_util::poll!(&mut first).is_pending());
        wants.activated(&bundle("pods"));
        first.await;
        assert!(wants.needs().is_some_and(|needs| needs.mutating == Rules::default()));
    }
}
