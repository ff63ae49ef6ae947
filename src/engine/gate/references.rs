//! MG101, MG102: what is read below `data`, or imported, is there.
//!
//! A reference that leads nowhere is undefined in every request; a condition on it never holds, and nobody notices.

use std::collections::BTreeSet;

use serde_json::Value;

use super::faults::Found;
use super::reading::{Module, Reading};
use super::rules::{Resolved, Rules};
use super::terms::{Form, Place, Statement, Term, Visitor, visit_rule};

/// Judges imports and references.
pub(super) fn judge(reading: &Reading<'_>, rules: &Rules<'_>, data: &Value, found: &mut Found) {
    let mut given = Given { data, replaced: BTreeSet::new() };
    reading.rules.iter().for_each(|rule| visit_rule(rule, &mut Targets(&mut given.replaced)));
    for module in &reading.modules {
        for import in &module.imports {
            let path: Vec<&str> = import.path.iter().map(String::as_str).collect();
            if let ["data", path @ ..] = path.as_slice()
                && rules.resolve(path) == Resolved::Nothing
                && !given.has(path)
            {
                let message = format!(
                    "the import `{}` leads to nothing; {}",
                    import.path.join("."),
                    hint(rules, path, "add the package to the tree, or remove the import")
                );
                found.add(module, "MG102", import.place, message);
            }
        }
    }
    for rule in &reading.rules {
        let Some(module) = reading.modules.get(rule.module) else { continue };
        visit_rule(rule, &mut References { rules, given: &given, module, found });
    }
}

/// The documents below `data` that are no rules.
struct Given<'a> {
    data: &'a Value,
    /// What some `with` puts there.
    replaced: BTreeSet<Vec<String>>,
}

impl Given<'_> {
    /// Base documents come from outside: of one that is there, what is in it may change.
    fn has(&self, path: &[&str]) -> bool {
        let by_with = |target: &Vec<String>| target.iter().zip(path).all(|(name, step)| name == step);
        let Some(first) = path.first() else { return true };
        self.data.get(first).is_some() || self.replaced.iter().any(by_with)
    }
}

struct Targets<'a>(&'a mut BTreeSet<Vec<String>>);

impl Visitor for Targets<'_> {
    fn statement(&mut self, statement: &Statement) {
        for with in &statement.with {
            if let Form::Data(steps) = &with.target.form {
                self.0.insert(names(steps).into_iter().map(str::to_owned).collect());
            }
        }
    }
}

struct References<'a> {
    rules: &'a Rules<'a>,
    given: &'a Given<'a>,
    module: &'a Module<'a>,
    found: &'a mut Found,
}

impl Visitor for References<'_> {
    fn statement(&mut self, statement: &Statement) {
        // The value of `with` may be a function's name.
        for with in &statement.with {
            if let Form::Data(steps) = &with.value.form {
                self.resolve(steps, with.value.place);
            }
        }
    }

    fn term(&mut self, term: &Term) {
        let Form::Data(steps) = &term.form else { return };
        self.resolve(steps, term.place);
    }
}

impl References<'_> {
    fn resolve(&mut self, steps: &[Term], place: Place) {
        let path = names(steps);
        // `data` as a whole, or by a computed name, is whatever there is.
        if path.is_empty() || self.given.has(&path) || self.rules.resolve(&path) != Resolved::Nothing {
            return;
        }
        let message = format!(
            "`data.{}` leads to nothing, so it is undefined in every request; {}",
            path.join("."),
            hint(self.rules, &path, "correct the path, or add what it should read to the tree")
        );
        self.found.add(self.module, "MG101", place, message);
    }
}

/// The steps before the first computed one.
pub(super) fn names(steps: &[Term]) -> Vec<&str> {
    steps.iter().map_while(Term::text).collect()
}

/// What could have been meant, or what else to do.
fn hint(rules: &Rules<'_>, path: &[&str], otherwise: &str) -> String {
    let mut above = path;
    while let Some((wrong, shorter)) = above.split_last() {
        let near = rules.names_below(shorter);
        if let Some(name) = near.iter().find(|name| is_near(name, wrong)) {
            return format!("did you mean `data.{}`?", [shorter, &[*name]].concat().join("."));
        }
        if !near.is_empty() {
            break;
        }
        above = shorter;
    }
    otherwise.to_owned()
}

/// Whether one is the other with a slip: at most two letters added, lost or changed.
pub(super) fn is_near(one: &str, other: &str) -> bool {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, left) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut previous = index.saturating_add(1);
        let mut next = vec![previous];
        for (above, right) in row.iter().skip(1).zip(other.chars()) {
            let changed = diagonal.saturating_add(usize::from(left != right));
            previous = changed.min(above.saturating_add(1)).min(previous.saturating_add(1));
            diagonal = *above;
            next.push(previous);
        }
        row = next;
    }
    row.last().is_some_and(|distance| *distance <= 2 && *distance < one.chars().count())
}
