//! What a request is changed to (`/mutate`): steps 2 to 5, from the patches of policies to the guard.

use std::collections::BTreeMap;

use super::decision::{Action, Decision, Phase};
use super::fold::Fold;
use super::knowledge::Knowledge;
use super::{guard, inject, namespaces, pin, probe};
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
    let mut fold = Fold::run(bundle, request, knowledge);
    let injected = inject::inject(bundle, &mut fold, knowledge);
    let rendered = injected.as_ref().map(|injected| injected.containers.as_slice()).unwrap_or_default();
    let templates = &bundle.settings.pod_templates;
    // Pinning is the one change of images that nobody needs to be allowed: it comes after what is compared.
    let raised =
        fold.request.object().map(|after| guard::findings(templates, request, after, &fold.steps, rendered));
    fold.findings.extend(raised.unwrap_or_default());
    pin::pin(bundle, &mut fold, knowledge);
    let name = injected.as_ref().map(|injected| ("mutate-injected".to_owned(), injected.name()));
    decision.annotations.extend(name);
    decision.findings = fold.findings;
    decision.findings.extend(probe::findings(request, Phase::Mutate));
    decision.evaluated = fold.evaluated;
    decision.findings.sort();
    decision.findings.dedup();
    if decision.findings.iter().any(|finding| finding.action == Action::Deny) {
        decision.annotations.clear();
        return decision;
    }
    if let (Some(before), Some(after)) = (request.object(), fold.request.object()) {
        let mut after = namespaces::signed(request, after);
        if let Some(injected) = &injected {
            after = injected.proven(request, after, knowledge);
        }
        decision.patch = Patch::diff(before, &after);
        decision.object = Some(after);
    }
    decision
}
