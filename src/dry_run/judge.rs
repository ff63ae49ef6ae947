//! One manifest through both phases, and its Pods likewise. Mutation of all comes before validation of any, so that each
//! object is judged beside the others as they would be stored, in whatever order they are judged.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

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
    request: Request,
    explained: Vec<ExplainedReview>,
}

/// The same while others are mutated. The request is there where policies have changed it: else it is what the manifest
/// says, and a copy of all manifests would only take memory.
pub(super) struct Waiting {
    decision: Decision,
    request: Option<Request>,
    explained: Vec<ExplainedReview>,
}

/// All that came out of one manifest.
pub(super) struct Judged {
    pub(super) document: DocumentResult,
    pub(super) findings: Vec<ReportedFinding>,
    pub(super) reviewed: Option<Reviewed>,
    pub(super) explained: Vec<ExplainedReview>,
}

impl Mutated {
    /// Whether policies change it.
    fn is_changed(&self) -> bool {
        !self.decision.patch.is_empty()
    }

    /// As much as has to be kept until it is judged.
    pub(super) fn waiting(self) -> Waiting {
        let request = if self.is_changed() { Some(self.request) } else { None };
        Waiting { decision: self.decision, request, explained: self.explained }
    }
}

impl Waiting {
    /// The object as it would be stored, and its namespace, where that is not what the manifest says.
    pub(super) fn changed(&self) -> Option<(Option<&str>, &Value)> {
        let request = self.request.as_ref()?;
        Some((request.namespace(), request.object()?))
    }

    /// Goes on, with the request made again where it was not kept.
    ///
    /// # Errors
    /// It can't be made.
    pub(super) fn on<E>(self, make: impl FnOnce() -> Result<Request, E>) -> Result<Mutated, E> {
        let request = self.request.map_or_else(make, Ok)?;
        Ok(Mutated { decision: self.decision, request, explained: self.explained })
    }
}

impl Check<'_> {
    /// The first phase.
    pub(super) async fn mutate(&self, request: Request, world: &dyn ContextSource) -> Mutated {
        let mut explained = Vec::new();
        let mut decision = self.phase(&request, world, Phase::Mutate, &mut explained).await;
        let changed = decision.object.take().filter(|_| !decision.patch.is_empty());
        let request = match changed {
            Some(object) => request.with_object(object),
            None => request,
        };
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
        let reviewed = self.keeps_objects.then(|| Reviewed {
            file: manifest.file.clone(),
            line: manifest.line(),
            name,
            allowed: own_findings.iter().all(|finding| !self.refuses(finding)),
            patch: own.decision.patch.clone(),
            object: own.request.object().cloned().unwrap_or_default(),
        });
        Judged { document, findings, reviewed, explained: own.explained }
    }

    /// Whether a finding keeps the object out.
    fn refuses(&self, finding: &Finding) -> bool {
        finding.action == Action::Deny && !self.left_out.has(finding)
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

/// The result of a future that seldom waits: facts of a dry run are at hand, but those about images. None where no runtime
/// can be started, or where it panics.
pub(super) fn done<T>(future: impl Future<Output = T>) -> Option<T> {
    let run = std::panic::AssertUnwindSafe(|| {
        let mut future = pin!(future);
        // A runtime for each manifest would cost more than many a manifest.
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
        Some(runtime.block_on(future))
    });
    std::panic::catch_unwind(run).ok().flatten()
}
