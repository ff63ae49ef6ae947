//! What must hold before requests are taken, each by the name of who knows it; and what is only told beside it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Named conditions. A clone is the same one.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeMap<&'static str, ConditionState>>>);

/// How one condition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionState {
    /// Whether it holds.
    pub holds: bool,
    /// Whether requests are to come only where it does.
    pub is_needed: bool,
    /// What there is to say about it.
    pub detail: String,
}

/// One condition, for who knows whether it holds. It does not until that is said.
pub struct Condition {
    name: &'static str,
    is_needed: bool,
    readiness: Readiness,
}

impl Readiness {
    /// Another condition without which no requests are to come.
    pub fn condition(&self, name: &'static str) -> Condition {
        self.with(name, true)
    }

    /// Another one that is only told.
    pub fn told(&self, name: &'static str) -> Condition {
        self.with(name, false)
    }

    fn with(&self, name: &'static str, is_needed: bool) -> Condition {
        let detail = "not known yet".to_owned();
        self.lock().insert(name, ConditionState { holds: false, is_needed, detail });
        Condition { name, is_needed, readiness: self.clone() }
    }

    /// Whether all hold that are needed.
    pub fn is_ready(&self) -> bool {
        self.lock().values().all(|condition| condition.holds || !condition.is_needed)
    }

    /// All conditions by name.
    pub fn conditions(&self) -> BTreeMap<&'static str, ConditionState> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, ConditionState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Condition {
    /// It holds.
    pub fn holds(&self, detail: impl Into<String>) {
        self.set(true, detail.into());
    }

    /// It does not hold.
    pub fn fails(&self, why: impl Into<String>) {
        self.set(false, why.into());
    }

    fn set(&self, holds: bool, detail: String) {
        let state = ConditionState { holds, is_needed: self.is_needed, detail: detail.clone() };
        let before = self.readiness.lock().insert(self.name, state);
        if before.is_none_or(|before| before.holds != holds) {
            tracing::info!(condition = self.name, holds, detail, "readiness");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_must_hold_and_none_does_before_it_is_said() {
        let readiness = Readiness::default();
        let (one, two) = (readiness.condition("one"), readiness.condition("two"));
        assert!(!readiness.is_ready());
        one.holds("fine");
        assert!(!readiness.is_ready());
        two.holds("");
        assert!(readiness.is_ready());
        two.fails("gone");
        assert!(!readiness.is_ready());
        let state =
            |holds, detail: &str| ConditionState { holds, is_needed: true, detail: detail.to_owned() };
        let expected = BTreeMap::from([("one", state(true, "fine")), ("two", state(false, "gone"))]);
        assert_eq!(readiness.conditions(), expected);
    }

    #[test]
    fn what_is_only_told_keeps_no_requests_away() {
        let readiness = Readiness::default();
        let (needed, told) = (readiness.condition("needed"), readiness.told("told"));
        told.fails("not yet");
        assert!(!readiness.is_ready());
        needed.holds("");
        assert!(readiness.is_ready());
        let state = ConditionState { holds: false, is_needed: false, detail: "not yet".to_owned() };
        assert_eq!(readiness.conditions().get("told"), Some(&state));
    }
}
