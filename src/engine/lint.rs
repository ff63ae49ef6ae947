//! `meshgate lint`: all that is wrong with a policies' tree, and what its authors would rather know.

use std::collections::BTreeSet;

use super::gate;
use super::program::{self, Contract, ProgramSettings, Promise};
use crate::context::Now;
use crate::policy::{Draft, Fault, Module, Tree};

/// What was found, each sorted by file and line.
#[derive(Debug, Default)]
pub struct Linted {
    /// What keeps the tree from being loaded.
    pub faults: Vec<Fault>,
    /// What is likely to be a mistake.
    pub lints: Vec<Fault>,
}

/// Judges a tree: its files, its Rego with the tests, and the lints for our own policies. `catalogue` as for
/// [`Draft::read`]; its files are not judged. `now`: how long exceptions last is seen from there.
pub fn lint(tree: &Tree, catalogue: &Tree, now: Now) -> Linted {
    let draft = Draft::read(tree, catalogue).at(now);
    let mut linted = Linted { faults: draft.faults.clone(), lints: Vec::new() };
    let promises = draft.policies.values().map(Promise::of).collect();
    let settings = ProgramSettings { contract: Contract::Policies(promises), ..ProgramSettings::default() };
    let parsed = program::judged(&modules(tree, catalogue), &settings, &mut linted.faults);
    gate::lint(&parsed, &draft, tree, &mut linted.lints);
    linted.lints.retain(|lint| tree.contains(&lint.file) || lint.line == 0);
    for list in [&mut linted.faults, &mut linted.lints] {
        list.sort();
        list.dedup();
    }
    linted
}

/// All Rego of the tree, tests too, and what of the catalogue it can use.
fn modules(tree: &Tree, catalogue: &Tree) -> Vec<Module> {
    let mut seen = BTreeSet::new();
    let beside = catalogue.iter().filter(|(path, _)| !path.ends_with("_test.rego"));
    let files = tree.iter().chain(beside).filter(|(path, _)| path.ends_with(".rego"));
    files
        .filter(|(path, _)| seen.insert((*path).to_owned()))
        .filter_map(|(path, bytes)| {
            let text = std::str::from_utf8(bytes).ok()?.to_owned();
            Some(Module { path: path.to_owned(), text })
        })
        .collect()
}
