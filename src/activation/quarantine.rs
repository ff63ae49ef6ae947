//! A policy that errs on every request spoils the program that it shares with others, which are then asked one by one:
//! it is put into a program of its own, so that the others keep their speed. What it means for a request stays the
//! same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::engine::Bundle;
use crate::policy::Revision;

/// Errors in a row after which a policy is taken to err always.
const ERRORS: u32 = 20;

/// How the policies of the bundle in force are doing.
#[derive(Default)]
pub(super) struct Quarantine {
    erring: Mutex<Erring>,
    arranging: Mutex<()>,
}

#[derive(Default)]
struct Erring {
    /// The bundle whose places these are.
    revision: Option<Revision>,
    /// Errors in a row of bindings, by their places.
    errors: BTreeMap<usize, u32>,
}

impl Quarantine {
    /// Another bundle is in force.
    pub(super) fn begin(&self, revision: &Revision) {
        *self.lock() = Erring { revision: Some(revision.clone()), errors: BTreeMap::new() };
    }

    /// Counts; whether there is a new binding that errs always.
    pub(super) fn count(&self, revision: &Revision, evaluated: &BTreeMap<usize, bool>) -> bool {
        let mut erring = self.lock();
        if erring.revision.as_ref() != Some(revision) {
            return false;
        }
        let mut is_new = false;
        for (place, is_error) in evaluated {
            if *is_error {
                let errors = erring.errors.entry(*place).or_default();
                *errors = errors.saturating_add(1);
                is_new |= *errors == ERRORS;
            } else {
                erring.errors.remove(place);
            }
        }
        is_new
    }

    /// `bundle`, with those asked alone that err always now. One at a time, so that the last to come has seen all.
    pub(super) fn arrange(&self, bundle: &Bundle) -> Option<Bundle> {
        let _only = self.arranging.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = self.always(&bundle.revision)?;
        tracing::warn!(bindings = alone.len(), "policies that err on every request are asked on their own");
        let arranged = bundle.quarantined(&alone);
        arranged
            .inspect_err(
                |faults| tracing::error!(%faults, "the policies can't be arranged anew; they stay as they are"),
            )
            .ok()
    }

    /// The places of those that err always; None where another bundle is in force.
    fn always(&self, revision: &Revision) -> Option<BTreeSet<usize>> {
        let erring = self.lock();
        let always = |(place, errors): (&usize, &u32)| (*errors >= ERRORS).then_some(*place);
        (erring.revision.as_ref() == Some(revision))
            .then(|| erring.errors.iter().filter_map(always).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Erring> {
        self.erring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::bundle;
    use super::*;
    use crate::policy::Tree;

    #[test]
    fn a_policy_that_errs_every_time_is_asked_alone_and_once_is_enough_to_be_told_so() {
        let (before, quarantine) = (bundle(&["a", "b"]), Quarantine::default());
        let both = |a, b| BTreeMap::from([(0, a), (1, b)]);
        let count = |a, b| quarantine.count(&before.revision, &both(a, b));
        quarantine.begin(&before.revision);
        for _ in 1..ERRORS {
            assert!(!count(true, true));
        }
        // One that was well in between begins anew.
        assert!(count(false, true));
        assert!(!count(true, true));

        let after = quarantine.arrange(&before).unwrap();
        assert_eq!((after.bound.len(), &after.revision), (before.bound.len(), &before.revision));
        assert_eq!(quarantine.always(&before.revision), Some(BTreeSet::from([1])));
    }

    #[test]
    fn what_another_bundle_decided_is_not_counted() {
        let (bundle, quarantine) = (bundle(&["a", "b"]), Quarantine::default());
        let other = Revision::of(&Tree::default(), &Tree::default());
        quarantine.begin(&other);
        for _ in 0..ERRORS {
            assert!(!quarantine.count(&bundle.revision, &BTreeMap::from([(0, true)])));
        }
        assert!(quarantine.arrange(&bundle).is_none());
        assert_eq!(quarantine.always(&other), Some(BTreeSet::new()));
    }
}
