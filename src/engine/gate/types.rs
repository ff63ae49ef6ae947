//! MG117, MG118, MG119: nothing is asked of a value that a value of its type can't answer. As in OPA, whose compiler
//! refuses what it can prove to be of a wrong type: sides that are never equal, arguments that a function does not take,
//! parts that a value does not have. It would be undefined on every request, and a denial that needs it never come.
//!
//! Rules are judged after those that they read, their statements in the order in which they would be evaluated; a
//! variable is what its first use makes of it. `input` and what is no rule can be anything.

mod calls;
mod closures;
mod environment;
mod graph;
mod heads;
mod mistakes;
mod references;
mod statements;
mod tree;
mod unify;
mod values;

use std::collections::BTreeSet;

use calls::Replaced;
use closures::Closures;
use environment::Environment;
use graph::Graph;
use mistakes::Mistake;

use super::faults::Found;
use super::reading::Reading;
use super::rules::Rules;
use super::safety::Variables;
use super::terms::VarId;
use crate::engine::types::{Key, Steps};

/// Comparisons of types that a byte of the modules may cost. Real policies take less than one.
const STEPS: usize = 100;
/// What small ones may take in any case.
const LEAST: usize = 1_000_000;

/// Judges all rules; `reads` says which rules each reads, and is without circles. A module in which something else is
/// wrong is left out, and its rules are anything to the others.
pub(super) fn judge(reading: &Reading<'_>, rules: &Rules<'_>, reads: &[BTreeSet<usize>], found: &mut Found) {
    let wrong = found.files();
    let bytes: usize = reading.modules.iter().map(|module| module.parsed.module.text.len()).sum();
    let graph = Graph::new(reads);
    let mut checker = Checker {
        rules,
        graph: &graph,
        steps: Steps::new(bytes.saturating_mul(STEPS).max(LEAST)),
        environment: Environment::default(),
        closures: Closures::default(),
        replaced: Replaced::new(),
        faulty: BTreeSet::new(),
        visible: Variables::new(),
        next: 0,
        mistakes: Vec::new(),
    };
    for number in graph.order(reading) {
        let Some(rule) = reading.rules.get(number) else { continue };
        let Some(module) = reading.modules.get(rule.module) else { continue };
        if wrong.contains(&module.parsed.module.path) {
            checker.unjudged(rule);
            continue;
        }
        checker.rule_of(rule);
        let mut places = BTreeSet::new();
        for mistake in std::mem::take(&mut checker.mistakes) {
            if places.insert(mistake.place()) {
                mistake.report(module, found);
            }
        }
    }
}

/// What is known while rules are judged.
struct Checker<'a> {
    rules: &'a Rules<'a>,
    graph: &'a Graph<'a>,
    steps: Steps,
    environment: Environment,
    closures: Closures,
    replaced: Replaced,
    /// The paths of rules in which something is wrong.
    faulty: BTreeSet<Vec<Key>>,
    /// The variables of the bodies around the statement that is judged, and of the statements before it.
    visible: Variables,
    /// The number of the next variable that stands for a part of an expression.
    next: VarId,
    mistakes: Vec<Mistake>,
}
