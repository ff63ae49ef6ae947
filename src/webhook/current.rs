//! The bundle in force. A policy that errs on every request spoils the program that it shares with others, which are
//! then asked one by one: it is put into a program of its own, so that the others keep their speed. What it means for a
//! request stays the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tokio::task::spawn_blocking;

use crate::engine::Bundle;
use crate::review::Decision;

/// Errors in a row after which a policy is taken to err always.
const ERRORS: u32 = 20;

/// The bundle that answers, and how its policies are doing.
pub(super) struct Current {
    bundle: RwLock<Arc<Bundle>>,
    /// Errors in a row of bindings, by their places.
    erring: Mutex<BTreeMap<usize, u32>>,
    arranging: Mutex<()>,
}

impl Current {
    pub(super) fn new(bundle: Arc<Bundle>) -> Arc<Self> {
        Arc::new(Self { bundle: RwLock::new(bundle), erring: Mutex::default(), arranging: Mutex::default() })
    }

    pub(super) fn bundle(&self) -> Arc<Bundle> {
        Arc::clone(&self.bundle.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes note of a decision, and of the policies that were in error.
    pub(super) fn record(self: &Arc<Self>, decision: &Decision) {
        if self.count(&decision.evaluated) {
            let current = Arc::clone(self);
            // Parsing takes longer than a request has.
            drop(spawn_blocking(move || current.quarantine()));
        }
    }

    /// Counts; whether there is a new binding that errs always.
    fn count(&self, evaluated: &BTreeMap<usize, bool>) -> bool {
        let mut erring = self.lock();
        let mut is_new = false;
        for (place, is_error) in evaluated {
            if *is_error {
                let errors = erring.entry(*place).or_default();
                *errors = errors.saturating_add(1);
                is_new |= *errors == ERRORS;
            } else {
                erring.remove(place);
            }
        }
        is_new
    }

    /// Asks those alone that err always now. One at a time, so that the last to come has seen all.
    fn quarantine(&self) {
        let _only = self.arranging.lock().unwrap_or_else(PoisonError::into_inner);
        let always = |(place, errors): (&usize, &u32)| (*errors >= ERRORS).then_some(*place);
        let alone: BTreeSet<usize> = self.lock().iter().filter_map(always).collect();
        tracing::warn!(bindings = alone.len(), "policies that err on every request are asked on their own");
        match self.bundle().quarantined(&alone) {
            Ok(bundle) => {
                *self.bundle.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(bundle);
            }
            Err(faults) => {
                tracing::error!(%faults, "the policies can't be arranged anew; they stay as they are")
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, u32>> {
        self.erring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compile;
    use crate::policy::{Draft, Tree};

    fn current() -> Arc<Current> {
        let mut tree = Tree::default();
        for name in ["a", "b"] {
            let rules = "[{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
            let text = format!(
                "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: {rules}}}\npackage policies.x.{name}\n\ndeny contains \"no\" if input.request.name == \"{name}\"\n"
            );
            tree.insert(format!("x/{name}/{name}.rego"), text);
        }
        let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: \"*\", enforcement: deny}\n";
        tree.insert("b.yaml", binding);
        let bundle = compile(Draft::read(&tree, &Tree::default()));
        Current::new(Arc::new(bundle.unwrap_or_else(|faults| panic!("{faults}"))))
    }

    #[test]
    fn a_policy_that_errs_every_time_is_asked_alone_and_once_is_enough_to_be_told_so() {
        let current = current();
        let both = |a, b| BTreeMap::from([(0, a), (1, b)]);
        for _ in 1..ERRORS {
            assert!(!current.count(&both(true, true)));
        }
        // One that was well in between begins anew.
        assert!(current.count(&both(false, true)));
        assert!(!current.count(&both(true, true)));

        let before = current.bundle();
        current.quarantine();
        let after = current.bundle();
        assert!(!Arc::ptr_eq(&before, &after));
        assert_eq!((after.bound.len(), &after.revision), (before.bound.len(), &before.revision));
    }
}
