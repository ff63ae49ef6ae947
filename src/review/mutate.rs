//! What a request is changed to (`/mutate`): steps 2 to 5, from the patches of policies to the guard.

use std::collections::BTreeMap;

use super::decision::{Action, Decision, Phase};
use super::fold::Fold;
use super::guard;
use super::knowledge::Knowledge;
use crate::admission::Request;
use crate::engine::Bundle;
use crate::patch::Patch;

/// Changes the object as the policies in force want it; wholly, or where one of them is in error, not at all.
pub(super) fn mutate(bundle: &Bundle, request: &Request, knowledge: &mut Knowledge<'_>) -> Decision {
    let mut decision = Decision {
        revision: bundle.revision.clone(),
        phase: Phase::Mutate,
        patch: Patch::default(),
        object: request.object().cloned(),
        findings: Vec::new(),
        annotations: BTreeMap::new(),
        evaluated: BTreeMap::new(),
        trace: None,
    };
    let fold = Fold::run(bundle, request, knowledge);
    decision.findings = fold.findings;
    if let Some(after) = fold.request.object().filter(|_| !fold.gave_up) {
        decision.findings.extend(guard::findings(request, after, &fold.steps));
    }
    decision.evaluated = fold.evaluated;
    decision.findings.sort();
    decision.findings.dedup();
    if fold.gave_up || decision.findings.iter().any(|finding| finding.action == Action::Deny) {
        return decision;
    }
    if let (Some(before), Some(after)) = (request.object(), fold.request.object()) {
        decision.patch = Patch::diff(before, after);
        decision.object = Some(after.clone());
    }
    decision
}
