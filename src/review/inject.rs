//! Step 3: what a mesh proposes, narrowed by policies, and rendered. Called by `mutate` about the object as it is after all
//! patches; no mesh is asked to render what no policy agreed to.

use super::decision::{Action, Finding, Phase};
use super::fold::{Fold, Step};
use super::knowledge::Knowledge;
use super::matched::{Matched, declared, matched};

use serde_json::{Value, json};

use crate::admission::Request;
use crate::engine::{Bound, Bundle, EvaluationError, Injection, Input};
use crate::mesh::{Injector, Proposal, RenderedContainer, proof};
use crate::policy::FactName;

/// What was injected.
pub(super) struct Injected {
    mesh: String,
    revision: String,
    /// What is the mesh's.
    pub(super) containers: Vec<RenderedContainer>,
}

impl Injected {
    /// Mesh and revision, for the audit log.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.mesh, self.revision)
    }

    /// The object as it is now, with the proof of what was rendered into it.
    pub(super) fn proven(&self, request: &Request, mut object: Value, knowledge: &Knowledge<'_>) -> Value {
        let namespace = request.namespace().unwrap_or_default();
        let of = (self.mesh.as_str(), self.revision.as_str());
        let proof =
            proof::sign(knowledge.proof_keys(), knowledge.now(), namespace, of, &self.containers, &object);
        let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
        if let (Some(proof), Some(metadata)) = (proof, metadata) {
            let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
            if annotations.is_null() {
                *annotations = json!({});
            }
            if let Some(annotations) = annotations.as_object_mut() {
                annotations.insert(proof::ANNOTATION.to_owned(), Value::from(proof));
            }
        }
        object
    }
}

/// Injects into the object of a fold where a mesh and a policy want it and it is not there yet.
pub(super) fn inject<'a>(
    bundle: &'a Bundle,
    fold: &mut Fold<'a>,
    knowledge: &mut Knowledge<'_>,
) -> Option<Injected> {
    let mut concerned = matched(bundle, &fold.request, Phase::Mutate, knowledge);
    concerned.retain(|one| one.bound.injects() && one.action != Action::Audit);
    let facts = knowledge.all(&declared(&concerned), &fold.request);
    if knowledge.lacks_something() || concerned.is_empty() {
        return None;
    }
    let proposal = knowledge.proposal(&fold.request)?;
    let asked: Vec<&Bound> =
        concerned.iter().filter(|one| one.error.is_none()).map(|one| one.bound).collect();
    let mut answers = bundle.narrow(&asked, &Input::new(fold.request.value(), facts)).into_iter();
    let (mut agreed, mut is_off) = (None, false);
    for one in concerned {
        let lost = || Err(EvaluationError::Shape("the binding was not asked".to_owned()));
        let answer = match &one.error {
            Some(error) => Err(error.clone()),
            None => answers.next().unwrap_or_else(lost),
        };
        let failed = matches!(answer, Err(EvaluationError::Policy(_)));
        *fold.evaluated.entry(one.bound.place()).or_default() |= failed;
        match answer.and_then(|answer| narrowed(answer, &proposal)) {
            Ok(None) => {}
            Ok(Some(true)) => agreed = agreed.or(Some(one)),
            Ok(Some(false)) => is_off = true,
            Err(error) => fold.findings.push(Finding::error(&one, &error)),
        }
    }
    let (by, proposal) = (agreed.filter(|_| !is_off)?, proposal.ok()??);
    // Also where the mesh has been there already.
    if proposal.injector != Injector::Meshgate {
        fold.findings.extend(beside(&by, &proposal));
        return None;
    }
    // A part of it is what anybody can write; it would else keep the rest away.
    if knowledge.recognised(&fold.request).is_whole {
        return None;
    }
    render(by, &proposal, fold, knowledge)
}

/// That the mesh injects where meshgate is told to: nobody can tell by which of both a sidecar is then.
fn beside(by: &Matched<'_>, proposal: &Proposal) -> Option<Finding> {
    let Injector::Webhook(webhook) = &proposal.injector else { return None };
    let text = format!(
        "the webhook {webhook} of {} injects, too, so meshgate leaves it to that and compares, as in mode verify; let it match no more, or set the mode to verify",
        proposal.mesh
    );
    Some(Finding::warned(by, text))
}

/// What an answer says: nothing, to inject, or not to; an error where it is no narrowing.
fn narrowed(
    answer: Option<Injection>,
    proposal: &Result<Option<Proposal>, String>,
) -> Result<Option<bool>, EvaluationError> {
    let proposal = proposal
        .as_ref()
        .map_err(|why| EvaluationError::Fact { name: FactName::MeshProposal.as_str(), why: why.clone() })?;
    let Some(Injection { mesh, revision, inject, .. }) = answer else { return Ok(None) };
    let proposed = proposal.as_ref().filter(|proposal| proposal.inject);
    let names = proposal.as_ref().map(|proposal| (proposal.mesh.clone(), proposal.revision.clone()));
    let is_same =
        (mesh.clone(), revision) == names.map_or((None, None), |(mesh, revision)| (Some(mesh), revision));
    let widens = |text: &str| {
        Err(EvaluationError::Shape(format!("`inject` {text}; it may only turn an injection off")))
    };
    match (inject, proposed) {
        (true, None) => widens("turns on an injection that no mesh proposes"),
        (true, Some(_)) if !is_same => widens("names another mesh or revision than is proposed"),
        (false, _) if mesh.is_some() && !is_same => widens("names another mesh or revision than is proposed"),
        (inject, _) => Ok(Some(inject)),
    }
}

fn render<'a>(
    by: Matched<'a>,
    proposal: &Proposal,
    fold: &mut Fold<'a>,
    knowledge: &mut Knowledge<'_>,
) -> Option<Injected> {
    let before = fold.request.object()?.clone();
    match knowledge.render(proposal, &fold.request)? {
        Ok(rendering) => {
            fold.request = fold.request.with_object(rendering.object.clone());
            fold.steps.push(Step { by, before, after: rendering.object });
            let revision = proposal.revision.as_deref().unwrap_or("default").to_owned();
            Some(Injected { mesh: proposal.mesh.clone(), revision, containers: rendering.containers })
        }
        Err(why) => {
            let text = format!("the sidecar of {} can't be injected: {why}", proposal.mesh);
            fold.findings.push(Finding::refused(&by, text));
            None
        }
    }
}
