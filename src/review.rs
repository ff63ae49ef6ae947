//! THE PIPELINE: what a bundle means for a request. Pure: the same bundle, facts and request give the same
//! [`Decision`], and a fact that is missing is asked for ([`Progress::Need`]), never looked up.
//!
//! Called by `webhook` and `dry_run`, in both phases of admission. A step that lacks a fact does not stop the
//! others, so that one round asks for all that is known to be missing.

mod answer;
mod complete;
mod decision;
mod excepted;
mod fold;
mod guard;
mod images;
mod inject;
mod judge;
mod knowledge;
mod matched;
mod mesh;
mod mutate;
mod namespaces;
mod pin;
pub mod probe;
mod suspension;
mod trace;
mod unjudged;

use std::collections::BTreeSet;

use crate::admission::Request;
use crate::context::{FactKey, Facts};
use crate::engine::Bundle;

pub use crate::mesh::{Mesh, NoMesh, Proposal, RenderedContainer, Rendering};
pub use complete::{Rounds, complete, complete_in, explained, explained_in};
pub use decision::{Action, Decision, Finding, LeftOut, Phase};
use knowledge::Knowledge;
pub use namespaces::changes_guarded;
pub use trace::{Asked, BindingTrace, ExceptionTrace, Outside, Side, Softened, Trace};
pub use unjudged::Unjudged;

/// How far a review came.
#[derive(Debug)]
pub enum Progress {
    /// The decision.
    Done(Box<Decision>),
    /// The facts without which there is none. Never empty.
    Need(BTreeSet<FactKey>),
}

/// Decides what `bundle` means for `request` in one phase of admission.
pub fn review(bundle: &Bundle, facts: &Facts, request: &Request, phase: Phase) -> Progress {
    run(&NoMesh, bundle, facts, request, phase, false)
}

/// The same beside a mesh.
pub fn review_in(
    mesh: &dyn Mesh,
    bundle: &Bundle,
    facts: &Facts,
    request: &Request,
    phase: Phase,
) -> Progress {
    run(mesh, bundle, facts, request, phase, false)
}

/// The same beside a mesh, with its trace.
fn explain_in(mesh: &dyn Mesh, bundle: &Bundle, facts: &Facts, request: &Request, phase: Phase) -> Progress {
    run(mesh, bundle, facts, request, phase, true)
}

/// The same decision, with its trace. Takes longer: each rule is asked once more, alone.
pub fn explain(bundle: &Bundle, facts: &Facts, request: &Request, phase: Phase) -> Progress {
    run(&NoMesh, bundle, facts, request, phase, true)
}

fn run(
    mesh: &dyn Mesh,
    bundle: &Bundle,
    facts: &Facts,
    request: &Request,
    phase: Phase,
    traces: bool,
) -> Progress {
    let mut knowledge = Knowledge::new(facts, bundle, mesh, phase, traces);
    let mut decision = match phase {
        Phase::Mutate => mutate::mutate(bundle, request, &mut knowledge),
        Phase::Validate => judge::judge(bundle, request, &mut knowledge),
    };
    let (missing, trace) = knowledge.into_parts();
    if !missing.is_empty() {
        return Progress::Need(missing);
    }
    decision.trace = trace.map(|trace| trace.asking(bundle, request, phase, facts.now()));
    Progress::Done(Box::new(decision))
}
