//! The rounds around the pure function: review, gather what it needs, review again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decision, Mesh, Phase, Progress, explain, explain_in, review, review_in};
use crate::admission::Request;
use crate::context::{ContextSource, Fact, FactKey, Facts, gather};
use crate::engine::Bundle;

/// How often facts are gathered for one request. The keys depend on the object as mutated, so a second round is
/// needed at times; a third is the last.
const ROUNDS: usize = 3;

/// What one request has learnt so far. Who has no time to wait within a review (the webhook's workers) goes through
/// the rounds with it; everybody else calls [`complete`].
#[derive(Debug)]
pub struct Rounds {
    facts: Facts,
    gathered: usize,
    review: fn(&Bundle, &Facts, &Request, Phase) -> Progress,
}

impl Rounds {
    /// Before the first round.
    pub fn new(facts: Facts) -> Self {
        Self { facts, gathered: 0, review }
    }

    /// One round. After the last one it is [`Progress::Done`]: what is still not known is an error of the policies
    /// that need it.
    pub fn review(&mut self, bundle: &Bundle, request: &Request, phase: Phase) -> Progress {
        match (self.review)(bundle, &self.facts, request, phase) {
            Progress::Need(_) if self.gathered >= ROUNDS => {
                self.facts.close();
                (self.review)(bundle, &self.facts, request, phase)
            }
            progress => progress,
        }
    }

    /// Takes the answers to the keys of a round.
    pub fn learn(&mut self, keys: BTreeSet<FactKey>, answers: BTreeMap<FactKey, Fact>) {
        self.facts.extend(keys, answers);
        self.gathered = self.gathered.saturating_add(1);
    }
}

/// Reviews a request to the end.
pub async fn complete(
    bundle: &Bundle,
    source: &dyn ContextSource,
    facts: Facts,
    request: &Request,
    phase: Phase,
) -> Decision {
    to_the_end(Rounds::new(facts), bundle, source, request, phase).await
}

/// The same decision, with its trace.
pub async fn explained(
    bundle: &Bundle,
    source: &dyn ContextSource,
    facts: Facts,
    request: &Request,
    phase: Phase,
) -> Decision {
    let rounds = Rounds { review: explain, ..Rounds::new(facts) };
    to_the_end(rounds, bundle, source, request, phase).await
}

/// Reviews a request to the end beside a mesh.
pub async fn complete_in(
    mesh: &dyn Mesh,
    bundle: &Bundle,
    source: &dyn ContextSource,
    facts: Facts,
    request: &Request,
    phase: Phase,
) -> Decision {
    beside(source, facts, |facts| review_in(mesh, bundle, facts, request, phase)).await
}

/// The same decision, with its trace.
pub async fn explained_in(
    mesh: &dyn Mesh,
    bundle: &Bundle,
    source: &dyn ContextSource,
    facts: Facts,
    request: &Request,
    phase: Phase,
) -> Decision {
    beside(source, facts, |facts| explain_in(mesh, bundle, facts, request, phase)).await
}

/// The rounds of [`Rounds`], of a review that knows its mesh.
async fn beside(
    source: &dyn ContextSource,
    mut facts: Facts,
    review: impl Fn(&Facts) -> Progress,
) -> Decision {
    let mut gathered = 0;
    loop {
        match review(&facts) {
            Progress::Done(decision) => return *decision,
            Progress::Need(_) if gathered >= ROUNDS => facts.close(),
            Progress::Need(keys) => {
                let answers = gather(source, &keys).await;
                facts.extend(keys, answers);
                gathered = gathered.saturating_add(1);
            }
        }
    }
}

async fn to_the_end(
    mut rounds: Rounds,
    bundle: &Bundle,
    source: &dyn ContextSource,
    request: &Request,
    phase: Phase,
) -> Decision {
    loop {
        match rounds.review(bundle, request, phase) {
            Progress::Done(decision) => return *decision,
            Progress::Need(keys) => {
                let answers = gather(source, &keys).await;
                rounds.learn(keys, answers);
            }
        }
    }
}
