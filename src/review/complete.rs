//! The loop around the pure function: review, gather what it needs, review again.

use super::{Phase, Progress, review};
use crate::admission::Request;
use crate::context::{ContextSource, Facts, gather};
use crate::engine::Bundle;
use crate::review::Decision;

/// How often facts are gathered for one request. The keys depend on the object as mutated, so a second round is
/// needed at times; a third is the last.
const ROUNDS: usize = 3;

/// Reviews a request to the end. What can't be learnt is an error of the policies that need it.
pub async fn complete(
    bundle: &Bundle,
    source: &dyn ContextSource,
    mut facts: Facts,
    request: &Request,
    phase: Phase,
) -> Decision {
    let mut rounds = 0_usize;
    loop {
        match review(bundle, &facts, request, phase) {
            Progress::Done(decision) => return *decision,
            Progress::Need(_) if rounds >= ROUNDS => facts.close(),
            Progress::Need(keys) => {
                let answers = gather(source, &keys).await;
                facts.extend(keys, answers);
                rounds = rounds.saturating_add(1);
            }
        }
    }
}
