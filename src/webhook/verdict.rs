//! From a body's bytes to an answer's bytes, a round at a time: decode, review, respond. Each step is one job of a
//! worker and waits for nothing; facts are gathered between two steps.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::body::Held;
use super::refusal::Refusal;
use super::{Service, labels};
use crate::admission::{self, Answer, Request};
use crate::context::{Fact, FactKey, Facts, Now};
use crate::engine::Bundle;
use crate::events::Reason;
use crate::mesh::Mesh;
use crate::metrics::{Metrics, RequestLabels};
use crate::record::Record;
use crate::review::{Action, Decision, Phase, Progress, Rounds};

/// What is longer than this in a log line was not written by an API server.
const LOGGED_CHARACTERS: usize = 64;

/// What is asked, by whom, when, and when an answer is of no use any more.
#[derive(Clone, Copy)]
pub(super) struct Origin {
    pub(super) phase: Phase,
    pub(super) received: Instant,
    pub(super) deadline: Instant,
    /// The time that policies see.
    pub(super) now: Now,
    pub(super) peer: Option<SocketAddr>,
}

/// A request that is not answered yet.
pub(super) struct Inquiry {
    request: Request,
    origin: Origin,
    rounds: Rounds,
    /// The bundle of all rounds, and the mesh.
    bundle: Arc<Bundle>,
    mesh: Arc<dyn Mesh>,
    /// The room that its body took: what was made of it takes more.
    _room: OwnedSemaphorePermit,
}

/// An answer.
pub(super) struct Answered {
    pub(super) bytes: Vec<u8>,
    pub(super) labels: RequestLabels,
}

/// What a step came to.
pub(super) enum Step {
    /// The answer.
    Answer(Answered),
    /// The facts that the next step needs.
    Need(Box<Inquiry>, BTreeSet<FactKey>),
}

impl Inquiry {
    /// Reads the AdmissionReview.
    pub(super) fn decode(
        body: Held,
        origin: Origin,
        bundle: Arc<Bundle>,
        service: &Service,
    ) -> Result<Self, Refusal> {
        let since = Instant::now();
        let Held { bytes, room } = body;
        let facts = Facts::at(origin.now)
            .guarded_by(Arc::clone(&service.configuration.subjects))
            .proving_with(Arc::clone(&service.proof_keys.borrow()));
        let (request, rounds) = (admission::decode(&bytes)?, Rounds::new(facts));
        service.metrics.step(labels::phase(origin.phase), "decode", since.elapsed());
        let mesh = service.meshes.mesh(bundle.meshes.as_ref());
        Ok(Self { request, origin, rounds, bundle, mesh, _room: room })
    }

    /// Takes what was gathered.
    pub(super) fn learn(mut self, keys: BTreeSet<FactKey>, answers: BTreeMap<FactKey, Fact>) -> Self {
        self.rounds.learn(keys, answers);
        self
    }

    /// One round of the review and, where it is the last, the answer.
    pub(super) fn step(mut self, service: &Service) -> Result<Step, Refusal> {
        let (since, phase) = (Instant::now(), self.origin.phase);
        let progress = self.rounds.review(self.mesh.as_ref(), &self.bundle, &self.request, phase);
        service.metrics.step(labels::phase(phase), "review", since.elapsed());
        match progress {
            Progress::Need(keys) => Ok(Step::Need(Box::new(self), keys)),
            Progress::Done(decision) => self.respond(&decision, service).map(Step::Answer),
        }
    }

    fn respond(&self, decision: &Decision, service: &Service) -> Result<Answered, Refusal> {
        let since = Instant::now();
        let (request, phase) = (&self.request, self.origin.phase);
        let answer = decision.answer();
        let respond = admission::respond(request.uid(), &answer);
        let bytes = serde_json::to_vec(&respond).map_err(Refusal::Answer)?;
        // A dry run leaves no trace in how policies are arranged (R44).
        if !request.dry_run() {
            service.activation.record(&self.bundle, decision);
            self.tell(decision, service);
        }
        count(&service.metrics, decision);
        self.log(decision);
        self.write_down(decision, &answer, service);
        service.metrics.step(labels::phase(phase), "respond", since.elapsed());
        Ok(Answered {
            bytes,
            labels: labels::answered(request, (phase, &service.configuration.subjects), &answer),
        })
    }

    /// Who runs the cluster learns that a suspension let something through.
    fn tell(&self, decision: &Decision, service: &Service) {
        if decision.findings.iter().any(|finding| finding.suspended) {
            let namespace =
                cut(self.request.namespace().unwrap_or_else(|| self.request.name().unwrap_or_default()));
            let note =
                format!("what policies deny in the namespace {namespace} is let through: it is suspended");
            service.events.tell(Reason::SuspensionUsed, &note);
        }
    }

    /// A line of the decision log, where there is one.
    fn write_down(&self, decision: &Decision, answer: &Answer, service: &Service) {
        let Some(decisions) = &service.decisions else { return };
        decisions.record(&Record {
            request: &self.request,
            decision,
            answer,
            requested_by: self.origin.peer,
            took: self.origin.received.elapsed(),
            at: OffsetDateTime::now_utc(),
        });
    }

    /// One line a review: who was asked about what and what was said, nothing of the object (R42).
    fn log(&self, decision: &Decision) {
        let policies: BTreeSet<&str> =
            decision.findings.iter().map(|finding| finding.policy.as_str()).collect();
        tracing::info!(
            uid = cut(self.request.uid()),
            phase = ?decision.phase,
            kind = cut(&self.request.kind().kind),
            operation = self.request.operation().as_str(),
            allowed = decision.allowed(),
            seconds = self.origin.received.elapsed().as_secs_f64(),
            policies = Vec::from_iter(policies).join(", "),
            "reviewed"
        );
    }
}

/// What each policy found. Their names are the bundle's.
fn count(metrics: &Metrics, decision: &Decision) {
    for finding in &decision.findings {
        let (policy, action) = (finding.policy.as_str(), finding.action);
        if finding.is_error {
            metrics.policy_error(policy, finding.cause);
        } else {
            metrics.policy_result(policy, &finding.binding, result(action));
        }
    }
}

fn result(action: Action) -> &'static str {
    match action {
        Action::Deny => "deny",
        Action::Warn => "warn",
        Action::Audit => "audit",
        Action::Excused => "excused",
    }
}

fn cut(text: &str) -> String {
    text.chars().take(LOGGED_CHARACTERS).collect()
}
