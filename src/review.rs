//! THE PIPELINE: what a bundle means for a request. Pure: the same bundle, facts and request give the same
//! [`Decision`], and a fact that is missing is asked for ([`Progress::Need`]), never looked up.
//!
//! Called by `webhook` and `dry_run`, in both phases of admission. A step that lacks a fact does not stop the
//! others, so that one round asks for all that is known to be missing.

mod answer;
mod complete;
mod decision;
mod judge;
mod knowledge;
mod matched;
mod mutate;
mod unjudged;

use std::collections::BTreeSet;

use crate::admission::Request;
use crate::context::{FactKey, Facts};
use crate::engine::Bundle;

pub use complete::{Rounds, complete};
pub use decision::{Action, Decision, Finding, Phase};
use knowledge::Knowledge;

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
    let mut knowledge = Knowledge::new(facts);
    let decision = match phase {
        Phase::Mutate => mutate::fold(bundle, request, &mut knowledge),
        Phase::Validate => judge::judge(bundle, request, &mut knowledge),
    };
    let missing = knowledge.into_missing();
    if missing.is_empty() { Progress::Done(Box::new(decision)) } else { Progress::Need(missing) }
}
