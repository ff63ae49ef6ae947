//! Step 6: asks every policy that concerns the object what is wrong with it.

use std::collections::BTreeMap;

use super::decision::{Action, Decision, Finding, Phase};
use super::knowledge::{Knowledge, object};
use super::matched::{Matched, declared, matched};
use crate::admission::Request;
use crate::engine::{Bound, Bundle, EvaluationError, Input, Judgement};
use crate::patch::Patch;

/// Judges the object as it is about to be stored.
pub(super) fn judge(bundle: &Bundle, request: &Request, knowledge: &mut Knowledge<'_>) -> Decision {
    let concerned = matched(bundle, request, Bound::judges, knowledge);
    let facts = knowledge.all(&declared(&concerned), request);
    let mut decision = Decision {
        revision: bundle.revision.clone(),
        phase: Phase::Validate,
        patch: Patch::default(),
        object: request.object().cloned(),
        findings: Vec::new(),
        annotations: BTreeMap::new(),
    };
    if knowledge.lacks_something() {
        return decision;
    }
    let input = Input::new(request.value(), facts);
    for one in &concerned {
        let judgement = match &one.error {
            Some(error) => Err(error.clone()),
            None => bundle.judge(one.bound, &input),
        };
        let findings =
            judgement.and_then(|judgement| take(one, judgement, request, &mut decision.annotations));
        decision.findings.extend(findings.unwrap_or_else(|error| vec![Finding::error(one, &error)]));
    }
    decision.findings.sort();
    decision.findings.dedup();
    decision
}

/// A judgement's findings, with its annotations added to the others.
fn take(
    matched: &Matched<'_>,
    judgement: Judgement,
    request: &Request,
    annotations: &mut BTreeMap<String, String>,
) -> Result<Vec<Finding>, EvaluationError> {
    for (key, value) in &judgement.annotations {
        if annotations.get(key).is_some_and(|other| other != value) {
            let text = format!("the annotation `{key}` has another value from an earlier binding");
            return Err(EvaluationError::Shape(text));
        }
    }
    annotations.extend(judgement.annotations);
    // A warning is shown whatever the binding says, except where it only records.
    let warn = if matched.action == Action::Audit { Action::Audit } else { Action::Warn };
    let kinds = [(matched.action, judgement.deny), (warn, judgement.warn), (Action::Audit, judgement.audit)];
    let object = object(request);
    let of_kind = |(action, violations): (Action, Vec<_>)| {
        violations.into_iter().map(move |violation| Finding::violation(matched, action, violation, object))
    };
    Ok(kinds.into_iter().flat_map(of_kind).collect())
}
