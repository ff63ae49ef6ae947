//! MG111: every variable is bound by something. The order of statements does not matter, as in OPA: a statement
//! counts once all that it needs is bound by others, and then binds what it can.

mod atoms;
mod outputs;

use std::collections::BTreeSet;

use atoms::Closure;
pub(super) use atoms::{Atom, AtomForm, Atoms, Modifier, Modifiers, variables};

use super::faults::Found;
use super::reading::{Module, Reading};
use super::rules::Rules;
use super::terms::{Origin, Rule, VarId};

pub(super) type Variables = BTreeSet<VarId>;

/// Judges the bodies of all rules.
pub(super) fn judge(reading: &Reading<'_>, rules: &Rules<'_>, found: &mut Found) {
    for rule in &reading.rules {
        let Some(module) = reading.modules.get(rule.module) else { continue };
        let mut arguments = Variables::new();
        rule.arguments.iter().for_each(|term| variables(term, &mut arguments));
        let (next, open) = (rule.variables.len(), Open::default());
        let mut search = Search { rules, next, open };
        for branch in &rule.branches {
            let mut atoms = Atoms::new(rules, &mut search.next);
            atoms.add_body(&branch.body);
            branch.value.iter().for_each(|value| drop(atoms.add_value(value)));
            for step in &rule.path {
                if let super::terms::Step::Dynamic(term) = step {
                    drop(atoms.add_value(term));
                }
            }
            let atoms = atoms.into_list();
            search.body(atoms, &arguments);
        }
        report(module, rule, &search.open.unbound, found);
        for variable in search.open.closed.iter().filter_map(|id| rule.variables.get(*id)) {
            let name = &variable.name;
            let message = format!(
                "`{name}` is both a step of a reference and in a comprehension of the same expression, which OPA takes for unbound; assign the reference to a variable first"
            );
            found.add(module, "MG111", variable.place, message);
        }
    }
}

fn report(module: &Module<'_>, rule: &Rule, unbound: &Variables, found: &mut Found) {
    for id in unbound {
        // A number beyond stands for a call's result, whose arguments are reported.
        let Some(variable) = rule.variables.get(*id) else { continue };
        let name = &variable.name;
        let message = match variable.origin {
            Origin::Wildcard => {
                "`_` is bound by nothing here; under `not`, or as an argument, name what is meant, or move the search into a rule of its own".to_owned()
            }
            Origin::Free if matches!(name.as_str(), "if" | "in" | "every" | "contains") => {
                format!("`{name}` is no keyword here; add `import rego.v1`")
            }
            _ => format!(
                "the variable `{name}` is bound by nothing; assign it with `:=`, iterate with `some {name} in …`, or correct the name"
            ),
        };
        found.add(module, "MG111", variable.place, message);
    }
}

struct Search<'a> {
    rules: &'a Rules<'a>,
    /// The number of the next variable that stands for a call's result.
    next: VarId,
    open: Open,
}

/// What is left open of bodies.
#[derive(Default)]
struct Open {
    /// The variables that keep statements from being ordered.
    unbound: Variables,
    /// Those that an expression both iterates and closes over.
    closed: Variables,
}

impl Search<'_> {
    /// Orders a body; what can't be ordered is unbound.
    fn body(&mut self, atoms: Vec<Atom>, outside: &Variables) {
        let Ordered { list, open, .. } = ordered(atoms, outside);
        self.open.unbound.extend(open.unbound);
        self.open.closed.extend(open.closed);
        let mut visible = outside.clone();
        for atom in &list {
            for closure in &atom.closures {
                self.closure(closure, &visible);
            }
            visible.extend(atom.needs.iter().copied());
        }
    }

    fn closure(&mut self, closure: &Closure, visible: &Variables) {
        let mut atoms = Atoms::new(self.rules, &mut self.next);
        let mut outside = visible.clone();
        match closure {
            Closure::Comprehension(comprehension) => {
                atoms.add_body(&comprehension.body);
                comprehension.terms.iter().for_each(|term| drop(atoms.add_value(term)));
            }
            Closure::Every(every) => {
                atoms.add_body(&every.body);
                outside.extend(every.variables.iter().copied());
            }
        }
        let atoms = atoms.into_list();
        self.body(atoms, &outside);
    }
}

struct Ordered {
    list: Vec<Atom>,
    /// Whether that is all of the body.
    is_whole: bool,
    open: Open,
}

/// The statements of a body in the order in which they can be evaluated; none where something is unbound.
pub(super) fn order(atoms: Vec<Atom>, outside: &Variables) -> Option<Vec<Atom>> {
    let ordered = ordered(atoms, outside);
    ordered.is_whole.then_some(ordered.list)
}

fn ordered(atoms: Vec<Atom>, outside: &Variables) -> Ordered {
    let mut mentioned = Variables::new();
    atoms.iter().for_each(|atom| mentioned.extend(atom.needs.iter().copied()));
    let mut bound: Variables = mentioned.intersection(outside).copied().collect();
    let mut waiting = atoms;
    let (mut list, mut open): (Vec<Atom>, _) = (Vec::new(), Open::default());
    loop {
        let before = waiting.len();
        for atom in std::mem::take(&mut waiting) {
            let gives = outputs::of(&atom, &bound);
            let shared = |id: &&VarId| mentioned.contains(id) && !outside.contains(id);
            let shared: Variables = atom.closed_over.iter().filter(shared).copied().collect();
            let shared_bound = shared.iter().all(|id| bound.contains(id));
            // OPA never comes to what closes over just what its own references iterate, bound before or not
            // (v1/ast/compile.go, reorderBodyForSafety, "closure-self").
            let is_own = !shared.is_empty() && shared == gives;
            if shared_bound && !is_own && atom.needs.iter().all(|id| bound.contains(id) || gives.contains(id))
            {
                bound.extend(gives);
                list.push(atom);
            } else {
                waiting.push(atom);
            }
        }
        if waiting.len() == before || waiting.is_empty() {
            break;
        }
    }
    for atom in &waiting {
        let shared = atom.closed_over.iter().filter(|id| mentioned.contains(id) && !outside.contains(id));
        let waits_for = |id: &&VarId| !bound.contains(id);
        let mut needed = atom.needs.iter().chain(shared.clone()).filter(waits_for).peekable();
        if needed.peek().is_none() {
            open.closed.extend(shared);
        }
        open.unbound.extend(needed);
    }
    Ordered { list, is_whole: waiting.is_empty(), open }
}
