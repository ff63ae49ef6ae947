//! Step 2: folds the patches of all mutating policies over the object, until none has anything left to change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::decision::{Action, Decision, Finding, Phase};
use super::knowledge::Knowledge;
use super::matched::{Matched, declared, matched};
use crate::admission::Request;
use crate::engine::{Bound, Bundle, EvaluationError, Input};
use crate::kubernetes::field_path::of_pointer;
use crate::patch::{Patch, PatchError};

/// What no mutation may change: an API server would refuse the request, or store another object than it was asked for.
const IDENTITY: [&str; 5] =
    ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/uid"];

/// The object so far, and what led there.
struct Fold {
    request: Request,
    /// As the last pass saw it.
    input: Option<Input>,
    patch: Patch,
    changes: usize,
    /// Who changed something, and the finding that it becomes where nothing of the fold may be used.
    changed_by: BTreeMap<String, Finding>,
    findings: Vec<Finding>,
    /// Bindings that are in error: not asked again.
    failed: BTreeSet<String>,
    evaluated: BTreeMap<usize, bool>,
    /// Whether the policies undo each other, so that nothing of the fold may be used.
    restless: bool,
}

/// Changes the object as the policies in force want it.
pub(super) fn fold(bundle: &Bundle, request: &Request, knowledge: &mut Knowledge<'_>) -> Decision {
    let mut fold = Fold {
        request: request.clone(),
        input: None,
        patch: Patch::default(),
        changes: 0,
        changed_by: BTreeMap::new(),
        findings: Vec::new(),
        failed: BTreeSet::new(),
        evaluated: BTreeMap::new(),
        restless: false,
    };
    while fold.pass(bundle, knowledge) {}
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
        evaluated: fold.evaluated,
        trace: None,
    }
}

impl Fold {
    /// Applies the first change that a policy wants; false when none wants any.
    fn pass(&mut self, bundle: &Bundle, knowledge: &mut Knowledge<'_>) -> bool {
        // Matched anew each time: a change can bring an object into a policy's match or take it out.
        let mut concerned = matched(bundle, &self.request, Phase::Mutate, knowledge);
        concerned.retain(|one| !self.failed.contains(&identity(one)));
        concerned.sort_by_key(|one| {
            (one.bound.policy.metadata.order, &one.bound.policy.id, &one.bound.binding.name)
        });
        let facts = knowledge.all(&declared(&concerned), &self.request);
        if knowledge.lacks_something() || concerned.is_empty() {
            return false;
        }
        let input = match (self.input.take(), self.request.object()) {
            (Some(input), Some(object)) => input.with_object(object, facts),
            _ => Input::new(self.request.value(), facts),
        };
        let asked: Vec<&Bound> =
            concerned.iter().filter(|one| one.error.is_none()).map(|one| one.bound).collect();
        let mut proposals = bundle.propose(&asked, &input).into_iter();
        for one in &concerned {
            let lost = || Err(EvaluationError::Shape("the binding was not asked".to_owned()));
            let proposal = match &one.error {
                Some(error) => Err(error.clone()),
                None => proposals.next().unwrap_or_else(lost),
            };
            self.evaluated.insert(one.bound.place(), matches!(proposal, Err(EvaluationError::Policy(_))));
            match proposal.and_then(|proposal| self.change(proposal.as_ref())) {
                Ok(None) => {}
                // Those behind it are asked again about the object with this change.
                Ok(Some((patch, object))) => {
                    self.input = Some(input);
                    return self.take(bundle, one, patch, object);
                }
                Err(error) => self.fail(one, &error),
            }
        }
        false
    }

    /// What a policy wants to change, and the object after it; None where it would stay as it is.
    fn change(&self, proposal: Option<&Value>) -> Result<Option<(Patch, Value)>, EvaluationError> {
        let (Some(proposal), Some(before)) = (proposal, self.request.object()) else { return Ok(None) };
        let unusable = |error: PatchError| EvaluationError::Shape(format!("`patch`: {error}"));
        let patch = Patch::from_value(proposal).map_err(unusable)?;
        let mut after = before.clone();
        patch.apply(&mut after).map_err(unusable)?;
        if let Some(changed) =
            IDENTITY.iter().find(|pointer| before.pointer(pointer) != after.pointer(pointer))
        {
            let text = format!(
                "`patch` changes `{}`, by which the API server knows the object",
                of_pointer(changed)
            );
            return Err(EvaluationError::Shape(text));
        }
        // The API server's library has no operation on the whole document.
        if patch.paths().any(str::is_empty) {
            return Err(EvaluationError::Shape(
                "`patch` replaces the whole object; name its members".to_owned(),
            ));
        }
        Ok((after != *before).then_some((patch, after)))
    }

    /// Goes on from the changed object. More changes than mutating bindings: they will never agree, and it is an error of
    /// each of them, because what each wanted is dropped.
    fn take(&mut self, bundle: &Bundle, one: &Matched<'_>, patch: Patch, object: Value) -> bool {
        let dropped = EvaluationError::Policy("its change was dropped".to_owned());
        self.changed_by.entry(identity(one)).or_insert_with(|| Finding::error(one, &dropped));
        if self.changes >= bundle.bound.iter().filter(|bound| bound.mutates()).count() {
            let names: Vec<&str> = self.changed_by.keys().map(String::as_str).collect();
            let text = format!(
                "the mutations do not come to rest; they undo each other or themselves: {}",
                names.join(", ")
            );
            let findings = std::mem::take(&mut self.changed_by).into_values();
            self.findings.extend(findings.map(|one| Finding {
                key: text.clone(),
                message: text.clone(),
                ..one
            }));
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
