//! Step 6: asks every policy that concerns the object what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::{Action, Decision, Finding, Phase};
use super::excepted::{excuse, exempt, exemptions};
use super::knowledge::{Knowledge, object};
use super::matched::{Matched, declared, matched};
use super::{namespaces, probe};
use crate::admission::Request;
use crate::engine::{Bound, Bundle, EvaluationError, Exempt, Input, Judgement};
use crate::patch::Patch;
use crate::policy::Exception;

/// Annotations of all policies together; with meshgate's own an answer has 10 at most (contracts: server, names).
const ANNOTATIONS: usize = 6;

/// Judges the object as it is about to be stored.
pub(super) fn judge(bundle: &Bundle, request: &Request, knowledge: &mut Knowledge<'_>) -> Decision {
    let concerned = matched(bundle, request, Phase::Validate, knowledge);
    let facts = knowledge.all(&declared(&concerned), request);
    let mut decision = Decision {
        revision: bundle.revision.clone(),
        phase: Phase::Validate,
        patch: Patch::default(),
        object: None,
        findings: Vec::new(),
        annotations: BTreeMap::new(),
        evaluated: BTreeMap::new(),
        trace: None,
    };
    decision.findings = namespaces::findings(request, knowledge.subjects());
    decision.findings.extend(probe::findings(request, Phase::Validate));
    if knowledge.lacks_something() {
        return decision;
    }
    decision.object = request.object().cloned();
    if concerned.is_empty() {
        return decision;
    }
    let excepted = knowledge.excepted(request);
    let plain = knowledge.recognised(request).plain;
    let unseen = exempt(&excepted, concerned.iter().map(|one| one.bound))
        .map(|(place, exempt)| (place, with_plain(exempt, place, bundle, &plain)));
    let input = Input::new(request.value(), facts).exempting(unseen);
    let asked: Vec<&Bound> =
        concerned.iter().filter(|one| one.error.is_none()).map(|one| one.bound).collect();
    let mut judgements = bundle.judge(&asked, &input).into_iter();
    for one in &concerned {
        let lost = || Err(EvaluationError::Shape("the binding was not asked".to_owned()));
        let judgement = match &one.error {
            Some(error) => Err(error.clone()),
            None => judgements.next().unwrap_or_else(lost),
        };
        decision.evaluated.insert(one.bound.place(), matches!(judgement, Err(EvaluationError::Policy(_))));
        match judgement {
            Ok(judgement) => {
                let exemptions = exemptions(&excepted, one.bound);
                decision.findings.extend(exemptions.iter().map(|unit| Finding::exemption(one, unit)));
                take(one, judgement, request, excuse(&excepted, one.bound), &mut decision);
            }
            Err(error) => decision.findings.push(Finding::error(one, &error)),
        }
    }
    decision.findings.sort();
    decision.findings.dedup();
    decision
}

/// Adds the containers that a mesh put there and that are plainly its own, under the controls that need not look at
/// them: those of Pod Security and of images (contracts: injection).
fn with_plain(mut exempt: Exempt, place: usize, bundle: &Bundle, plain: &BTreeSet<String>) -> Exempt {
    let spared = bundle
        .bound
        .get(place)
        .map(|bound| &bound.policy)
        .filter(|policy| !plain.is_empty() && matches!(policy.id.category(), "pod_security" | "images"));
    for control in spared.into_iter().flat_map(|policy| &policy.metadata.controls) {
        exempt.entry(control.clone()).or_default().extend(plain.iter().cloned());
    }
    exempt
}

/// Adds a judgement to the decision. What of it can't be used is an error beside the rest: it takes no denial along.
fn take(
    matched: &Matched<'_>,
    judgement: Judgement,
    request: &Request,
    excuse: Option<&Exception>,
    decision: &mut Decision,
) {
    let Judgement { deny, warn, audit, annotations, mut errors } = judgement;
    errors.extend(annotate(annotations, &mut decision.annotations).err());
    // A warning is shown whatever the binding says, except where it only records.
    let warns = if matched.action == Action::Audit { Action::Audit } else { Action::Warn };
    let kinds = [(None, deny), (Some(warns), warn), (Some(Action::Audit), audit)];
    let object = object(request);
    let of_kind = |(action, violations): (Option<Action>, Vec<_>)| {
        violations.into_iter().filter_map(move |one| Finding::violation(matched, action, one, object, excuse))
    };
    decision.findings.extend(kinds.into_iter().flat_map(of_kind));
    let errors = errors.into_iter().map(EvaluationError::Shape);
    decision.findings.extend(errors.map(|error| Finding::error(matched, &error)));
}

/// Adds annotations to those of other bindings, or none of them.
fn annotate(annotations: BTreeMap<String, String>, all: &mut BTreeMap<String, String>) -> Result<(), String> {
    let other = |(key, value): &(&String, &String)| all.get(*key).is_some_and(|other| other != *value);
    if let Some((key, _)) = annotations.iter().find(other) {
        return Err(format!("the annotation `{key}` has another value from an earlier binding"));
    }
    let added = annotations.keys().filter(|key| !all.contains_key(*key)).count();
    if all.len().saturating_add(added) > ANNOTATIONS {
        return Err(format!("the policies have more than {ANNOTATIONS} annotations together"));
    }
    all.extend(annotations);
    Ok(())
}
