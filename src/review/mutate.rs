//! Step 2: folds the patches of all mutating policies over the object, until none has anything left to change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::decision::{Action, Decision, Finding, Phase};
use super::knowledge::Knowledge;
use super::matched::{Matched, declared, matched};
use crate::admission::{Operation, Request};
use crate::engine::{Bound, Bundle, EvaluationError, Input};
use crate::patch::Patch;

/// The object so far, and what led there.
struct Fold {
    request: Request,
    patch: Patch,
    changes: usize,
    changed_by: BTreeSet<String>,
    findings: Vec<Finding>,
    /// Bindings that are in error: not asked again.
    failed: BTreeSet<String>,
    /// Whether the policies undo each other, so that nothing of the fold may be used.
    restless: bool,
}

/// Changes the object as the policies in force want it.
pub(super) fn fold(bundle: &Bundle, request: &Request, knowledge: &mut Knowledge<'_>) -> Decision {
    let mut fold = Fold {
        request: request.clone(),
        patch: Patch::default(),
        changes: 0,
        changed_by: BTreeSet::new(),
        findings: Vec::new(),
        failed: BTreeSet::new(),
        restless: false,
    };
    // The API server refuses a request whose DELETE or CONNECT is answered with a patch (cluster: section 2).
    if matches!(request.operation(), Operation::Create | Operation::Update) && request.object().is_some() {
        while fold.pass(bundle, knowledge) {}
    }
    if fold.restless || fold.findings.iter().any(|finding| finding.action == Action::Deny) {
        fold.patch = Patch::default();
        fold.request = request.clone();
    }
    fold.findings.sort();
    fold.findings.dedup();
    Decision {
        revision: bundle.revision.clone(),
        phase: Phase::Mutate,
        patch: fold.patch,
        object: fold.request.object().cloned(),
        findings: fold.findings,
        annotations: BTreeMap::new(),
    }
}

impl Fold {
    /// Applies the first change that a policy wants; false when none wants any.
    fn pass(&mut self, bundle: &Bundle, knowledge: &mut Knowledge<'_>) -> bool {
        // Matched anew each time: a change can bring an object into a policy's match or take it out.
        let mut concerned = matched(bundle, &self.request, Bound::mutates, knowledge);
        concerned.retain(|one| one.action != Action::Audit && !self.failed.contains(&identity(one)));
        concerned.sort_by_key(|one| {
            (one.bound.policy.metadata.order, &one.bound.policy.id, &one.bound.binding.name)
        });
        let facts = knowledge.all(&declared(&concerned), &self.request);
        if knowledge.lacks_something() {
            return false;
        }
        let input = Input::new(self.request.value(), facts);
        for one in &concerned {
            match self.change(bundle, one, &input) {
                Ok(None) => {}
                Ok(Some((patch, object))) => return self.take(bundle, one, patch, object),
                Err(error) => self.fail(one, &error),
            }
        }
        false
    }

    /// What a policy wants to change, and the object after it; None where it would stay as it is.
    fn change(
        &self,
        bundle: &Bundle,
        one: &Matched<'_>,
        input: &Input,
    ) -> Result<Option<(Patch, Value)>, EvaluationError> {
        if let Some(error) = &one.error {
            return Err(error.clone());
        }
        let (Some(proposal), Some(before)) = (bundle.propose(one.bound, input)?, self.request.object())
        else {
            return Ok(None);
        };
        let unusable = |error: crate::patch::PatchError| EvaluationError::Shape(format!("`patch`: {error}"));
        let patch = Patch::from_value(&proposal).map_err(unusable)?;
        let mut after = before.clone();
        patch.apply(&mut after).map_err(unusable)?;
        if !after.is_object() {
            return Err(EvaluationError::Shape("`patch` replaces the object by something else".to_owned()));
        }
        Ok((after != *before).then_some((patch, after)))
    }

    /// Goes on from the changed object. More changes than mutating bindings: they will never agree.
    fn take(&mut self, bundle: &Bundle, one: &Matched<'_>, patch: Patch, object: Value) -> bool {
        self.changed_by.insert(identity(one));
        if self.changes >= bundle.bound.iter().filter(|bound| bound.mutates()).count() {
            let names: Vec<&str> = self.changed_by.iter().map(String::as_str).collect();
            let text = format!(
                "the mutations do not come to rest; they undo each other or themselves: {}",
                names.join(", ")
            );
            self.fail(one, &EvaluationError::Policy(text));
            self.restless = true;
            return false;
        }
        self.changes = self.changes.saturating_add(1);
        self.patch.append(patch);
        self.request = self.request.with_object(object);
        true
    }

    fn fail(&mut self, one: &Matched<'_>, error: &EvaluationError) {
        self.failed.insert(identity(one));
        self.findings.push(Finding::error(one, error));
    }
}

fn identity(matched: &Matched<'_>) -> String {
    format!("{} (binding {})", matched.bound.policy.id, matched.bound.binding.name)
}
