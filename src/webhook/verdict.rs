//! From a body's bytes to an answer's bytes: decode, review, respond. Runs on a worker, as one job.

use std::collections::BTreeSet;

use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use super::Service;
use super::refusal::Refusal;
use crate::admission::{self, Request};
use crate::context::{Facts, Now};
use crate::review::{self, Decision, Phase};

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

/// Answers the AdmissionReview in `bytes`. `runtime` drives the gathering of facts, until the deadline.
pub(super) fn verdict(
    service: &Service,
    runtime: &Handle,
    phase: Phase,
    times: Times,
    bytes: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let request = admission::decode(bytes)?;
    let review =
        review::complete(&service.bundle, service.source.as_ref(), Facts::at(times.now), &request, phase);
    // Made inside: a timer wants a runtime around it.
    let decision = runtime.block_on(async { timeout_at(times.deadline, review).await });
    let decision = decision.map_err(|_| Refusal::Deadline)?;
    let answer = admission::respond(request.uid(), &decision.answer());
    log(&request, &decision, times.received);
    serde_json::to_vec(&answer).map_err(Refusal::Answer)
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
