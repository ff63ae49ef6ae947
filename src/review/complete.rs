//! The rounds around the pure function: review, gather what it needs, review again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decision, Mesh, NoMesh, Phase, Progress, explain_in, review_in};
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
}

impl Rounds {
    /// Before the first round.
    pub fn new(facts: Facts) -> Self {
        Self { facts, gathered: 0 }
    }

    /// One round. After the last one it is [`Progress::Done`]: what is still not known is an error of the policies
    /// that need it.
    pub fn review(&mut self, mesh: &dyn Mesh, bundle: &Bundle, request: &Request, phase: Phase) -> Progress {
        self.round(|facts| review_in(mesh, bundle, facts, request, phase))
    }

    fn round(&mut self, review: impl Fn(&Facts) -> Progress) -> Progress {
        match review(&self.facts) {
            Progress::Need(_) if self.gathered >= ROUNDS => {
                self.facts.close();
                review(&self.facts)
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
    complete_in(&NoMesh, bundle, source, facts, request, phase).await
}

/// The same decision, with its trace.
pub async fn explained(
    bundle: &Bundle,
    source: &dyn ContextSource,
    facts: Facts,
    request: &Request,
    phase: Phase,
) -> Decision {
    explained_in(&NoMesh, bundle, source, facts, request, phase).await
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
    to_the_end(source, facts, |facts| review_in(mesh, bundle, facts, request, phase)).await
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
    to_the_end(source, facts, |facts| explain_in(mesh, bundle, facts, request, phase)).await
}

async fn to_the_end(
    source: &dyn ContextSource,
    facts: Facts,
    review: impl Fn(&Facts) -> Progress,
) -> Decision {
    let mut rounds = Rounds::new(facts);
    loop {
        match rounds.round(&review) {
            Progress::Done(decision) => return *decision,
            Progress::Need(keys) => {
                let answers = gather(source, &keys).await;
                rounds.learn(keys, answers);
            }
        }
    }
}
