//! One manifest through both phases, and its Pods likewise. Mutation of all comes before validation of any, so that each
//! object is judged beside the others as they would be stored, in whatever order they are judged.

use std::sync::Arc;

use serde_json::Value;

use super::check::{Check, Reviewed};
use super::manifests::Manifest;
use super::pods;
use super::reported::{Reporter, merge, name, status};
use super::requests::NOBODY;
use crate::admission::Request;
use crate::context::{Beside, ContextSource, Facts, World};
use crate::report::{DocumentResult, ExplainedReview, ReportedFinding};
use crate::review::{Action, Decision, Finding, Phase, complete_in, explained_in};

/// A manifest that policies have changed as far as they would.
pub(super) struct Mutated {
    decision: Decision,
    /// The request with the object as it would be validated.
    pub(super) request: Request,
    explained: Vec<ExplainedReview>,
}

/// All that came out of one manifest.
pub(super) struct Judged {
    pub(super) document: DocumentResult,
    pub(super) findings: Vec<ReportedFinding>,
    pub(super) reviewed: Reviewed,
    pub(super) explained: Vec<ExplainedReview>,
}

impl Mutated {
    /// Whether policies change it.
    fn is_changed(&self) -> bool {
        !self.decision.patch.is_empty()
    }

    /// The object as it would be stored, and its namespace, where that is not what the manifest says.
    pub(super) fn changed(&self) -> Option<(Option<&str>, &Value)> {
        let object = self.request.object().filter(|_| self.is_changed())?;
        Some((self.request.namespace(), object))
    }
}

impl Check<'_> {
    /// The first phase.
    pub(super) async fn mutate(&self, request: Request, world: &dyn ContextSource) -> Mutated {
        let mut explained = Vec::new();
        let decision = self.phase(&request, world, Phase::Mutate, &mut explained).await;
        let object = decision.object.clone();
        let request = object.map_or_else(|| request.clone(), |object| request.with_object(object));
        Mutated { decision, request, explained }
    }

    /// The second phase, as the API server would ask: no validation of what mutation refused.
    async fn validate(&self, mutated: Mutated, world: &dyn ContextSource) -> (Mutated, Vec<Finding>) {
        let mut mutated = mutated;
        let mut findings = mutated.decision.findings.clone();
        if findings.iter().all(|finding| !self.refuses(finding)) {
            let decision = self.phase(&mutated.request, world, Phase::Validate, &mut mutated.explained).await;
            findings.extend(decision.findings);
        }
        (mutated, findings)
    }

    /// What is left to do of a manifest, and its Pods.
    pub(super) async fn judge(&self, manifest: &Manifest, mutated: Mutated, world: &World) -> Judged {
        let name = name(manifest, &mutated.request);
        let reporter = Reporter { check: self, manifest, name: &name };
        let (mut own, own_findings) = self.validate(mutated, world).await;
        let object = own.request.object();
        let mut findings: Vec<_> =
            own_findings.iter().map(|one| reporter.reported(one, object, None)).collect();
        let mut beside = Beside::new(world);
        if let Some(derived) = pods::derive(&self.bundle.settings.pod_templates, &own.request, &mut beside) {
            let its_pods = self.mutate(derived.request, &beside).await;
            let (its_pods, pod_findings) = self.validate(its_pods, &beside).await;
            let pod = its_pods.request.object();
            let reported = pod_findings.iter().map(|one| reporter.reported(one, pod, Some(derived.template)));
            merge(&mut findings, reported);
            let of_pods = its_pods.explained.into_iter();
            own.explained.extend(of_pods.map(|review| ExplainedReview { its_pods: true, ..review }));
        }
        findings.sort_by(|a, b| {
            (a.effect, a.line, a.column, &a.policy).cmp(&(b.effect, b.line, b.column, &b.policy))
        });
        let document = DocumentResult {
            file: manifest.file.clone(),
            line: manifest.line(),
            object: name.clone(),
            status: status(&findings),
            reason: None,
            mutated: own.is_changed(),
            rendered: manifest.rendered.clone(),
        };
        let reviewed = Reviewed {
            file: manifest.file.clone(),
            line: manifest.line(),
            name,
            allowed: own_findings.iter().all(|finding| !self.refuses(finding)),
            patch: own.decision.patch,
            object: own.request.object().cloned().unwrap_or_default(),
        };
        Judged { document, findings, reviewed, explained: own.explained }
    }

    /// Whether a finding keeps the object out.
    fn refuses(&self, finding: &Finding) -> bool {
        finding.action == Action::Deny && !self.leaves_out(finding)
    }

    /// Whether it says only that a fact is missing, which was asked to be left out.
    pub(super) fn leaves_out(&self, finding: &Finding) -> bool {
        match finding.lacks_fact {
            Some("images") => self.skips_images || self.skips_missing_facts,
            Some(_) => self.skips_missing_facts,
            None => false,
        }
    }

    /// What is known before anything is asked.
    fn facts_known(&self) -> Facts {
        let subjects = self.subjects.clone();
        let subjects = if self.user.is_none() { subjects.with_user(NOBODY) } else { subjects };
        Facts::at(self.now).guarded_by(Arc::new(subjects))
    }

    async fn phase(
        &self,
        request: &Request,
        world: &dyn ContextSource,
        phase: Phase,
        all: &mut Vec<ExplainedReview>,
    ) -> Decision {
        let facts = self.facts_known();
        if !self.explains {
            return complete_in(self.mesh, self.bundle, world, facts, request, phase).await;
        }
        let decision = explained_in(self.mesh, self.bundle, world, facts, request, phase).await;
        let (request, patch) = (request.clone(), decision.patch.clone());
        let trace = decision.trace.clone().unwrap_or_default();
        all.push(ExplainedReview { its_pods: false, phase, request, trace, patch });
        decision
    }
}

/// The result of a future that waits for nothing outside: facts of a dry run are at hand. None where no runtime can be
/// started, or where it panics.
pub(super) fn done<T>(future: impl Future<Output = T>) -> Option<T> {
    let run = std::panic::AssertUnwindSafe(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
        Some(runtime.block_on(future))
    });
    std::panic::catch_unwind(run).ok().flatten()
}
