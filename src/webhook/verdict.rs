//! From a body's bytes to an answer's bytes, a round at a time: decode, review, respond. Each step is one job of a
//! worker and waits for nothing; facts are gathered between two steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::body::Held;
use super::refusal::Refusal;
use crate::activation::Activation;
use crate::admission::{self, Request};
use crate::context::{Fact, FactKey, Facts, Now};
use crate::engine::Bundle;
use crate::review::{Decision, Phase, Progress, Rounds};

/// What is longer than this in a log line was not written by an API server.
const LOGGED_CHARACTERS: usize = 64;

/// When a request came, and when its answer is of no use any more.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) received: Instant,
    pub(super) deadline: Instant,
    /// The time that policies see.
    pub(super) now: Now,
}

/// A request that is not answered yet.
pub(super) struct Inquiry {
    request: Request,
    phase: Phase,
    received: Instant,
    rounds: Rounds,
    /// The bundle of all rounds.
    bundle: Arc<Bundle>,
    /// The room that its body took: what was made of it takes more.
    _room: OwnedSemaphorePermit,
}

/// What a step came to.
pub(super) enum Step {
    /// The answer's bytes.
    Answer(Vec<u8>),
    /// The facts that the next step needs.
    Need(Box<Inquiry>, BTreeSet<FactKey>),
}

impl Inquiry {
    /// Reads the AdmissionReview.
    pub(super) fn decode(
        body: Held,
        phase: Phase,
        times: Times,
        facts: Facts,
        bundle: Arc<Bundle>,
    ) -> Result<Self, Refusal> {
        let Held { bytes, room } = body;
        let (request, rounds) = (admission::decode(&bytes)?, Rounds::new(facts));
        Ok(Self { request, phase, received: times.received, rounds, bundle, _room: room })
    }

    /// Takes what was gathered.
    pub(super) fn learn(mut self, keys: BTreeSet<FactKey>, answers: BTreeMap<FactKey, Fact>) -> Self {
        self.rounds.learn(keys, answers);
        self
    }

    /// One round of the review and, where it is the last, the answer.
    pub(super) fn step(mut self, activation: &Arc<Activation>) -> Result<Step, Refusal> {
        match self.rounds.review(&self.bundle, &self.request, self.phase) {
            Progress::Need(keys) => Ok(Step::Need(Box::new(self), keys)),
            Progress::Done(decision) => {
                activation.record(&self.bundle, &decision);
                let answer = admission::respond(self.request.uid(), &decision.answer());
                log(&self.request, &decision, self.received);
                serde_json::to_vec(&answer).map(Step::Answer).map_err(Refusal::Answer)
            }
        }
    }
}

/// One line a review: who was asked about what and what was said, nothing of the object (R42).
fn log(request: &Request, decision: &Decision, received: Instant) {
    let policies: BTreeSet<&str> = decision.findings.iter().map(|finding| finding.policy.as_str()).collect();
    tracing::info!(
        uid = cut(request.uid()),
        phase = ?decision.phase,
        kind = cut(&request.kind().kind),
        operation = request.operation().as_str(),
        allowed = decision.allowed(),
        seconds = received.elapsed().as_secs_f64(),
        policies = Vec::from_iter(policies).join(", "),
        "reviewed"
    );
}

fn cut(text: &str) -> String {
    text.chars().take(LOGGED_CHARACTERS).collect()
}
