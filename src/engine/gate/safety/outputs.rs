//! What one thing of a body binds, given what is bound already.

use std::collections::BTreeMap;

use super::Variables;
use super::atoms::{Atom, AtomForm, variables};
use crate::engine::gate::terms::{Form, Term, VarId};

/// What it binds.
pub(super) fn of(atom: &Atom, bound: &Variables) -> Variables {
    if !atom.with.is_subset(bound) {
        return Variables::new();
    }
    match &atom.form {
        AtomForm::Bound | AtomForm::Not(_) | AtomForm::Every(_) => Variables::new(),
        AtomForm::Term(term) => by_steps(term, bound),
        AtomForm::Unify { left, right, assigned } => unified(left, right, *assigned, bound),
        AtomForm::Call { arguments, inputs, .. } => {
            let mut gives = Variables::new();
            arguments.iter().for_each(|argument| gives.extend(by_steps(argument, bound)));
            let (taken, results) = arguments.split_at_checked(*inputs).unwrap_or((arguments, &[]));
            let mut needed = Variables::new();
            taken.iter().for_each(|argument| pattern_variables(argument, &mut needed));
            if !results.is_empty() {
                if !needed.iter().all(|id| bound.contains(id) || gives.contains(id)) {
                    return Variables::new();
                }
                results.iter().for_each(|result| pattern_variables(result, &mut gives));
            }
            gives
        }
    }
}

/// References go over all keys: their steps are bound where what they start from is.
fn by_steps(term: &Term, bound: &Variables) -> Variables {
    let mut gives = Variables::new();
    collect_steps(term, bound, &mut gives);
    gives
}

fn collect_steps(term: &Term, bound: &Variables, gives: &mut Variables) {
    let steps = match &term.form {
        Form::Data(steps) | Form::Input(steps) => steps,
        Form::Into(head, steps) if is_bound(head, bound) => steps,
        Form::Into(..) => return,
        _ => {
            term.parts().into_iter().for_each(|part| collect_steps(part, bound, gives));
            return;
        }
    };
    for step in steps {
        step_variables(step, gives);
        collect_steps(step, bound, gives);
    }
}

fn is_bound(term: &Term, bound: &Variables) -> bool {
    let mut needed = Variables::new();
    variables(term, &mut needed);
    needed.is_subset(bound)
}

/// All variables, but not those that references start from.
fn step_variables(term: &Term, into: &mut Variables) {
    match &term.form {
        Form::Variable(id) => {
            into.insert(*id);
        }
        Form::Into(_, steps) => steps.iter().for_each(|step| step_variables(step, into)),
        _ => term.parts().into_iter().for_each(|part| step_variables(part, into)),
    }
}

/// The variables that a pattern binds: not those in sets, in keys, or that references start from.
fn pattern_variables(term: &Term, into: &mut Variables) {
    match &term.form {
        Form::Variable(id) => {
            into.insert(*id);
        }
        Form::Set(_) => {}
        Form::Object(members) => members.iter().for_each(|(_, value)| pattern_variables(value, into)),
        Form::Into(_, steps) => steps.iter().for_each(|step| pattern_variables(step, into)),
        _ => term.parts().into_iter().for_each(|part| pattern_variables(part, into)),
    }
}

fn unified(left: &Term, right: &Term, assigned: bool, bound: &Variables) -> Variables {
    let mut known = bound.clone();
    known.extend(by_steps(left, bound));
    known.extend(by_steps(right, bound));
    if assigned {
        // `:=` binds its left side from its right side only.
        let mut targets = Variables::new();
        variables(left, &mut targets);
        known.retain(|id| !targets.contains(id));
    }
    let mut unifier = Unifier { known: &known, unified: Variables::new(), waits: BTreeMap::new() };
    unifier.unify(left, right);
    let unified = unifier.unified;
    known.extend(unified);
    known.retain(|id| !bound.contains(id));
    known
}

struct Unifier<'a> {
    known: &'a Variables,
    unified: Variables,
    /// Variables that are bound once all these are.
    waits: BTreeMap<VarId, Variables>,
}

/// What matters of a term where it is unified.
enum Side<'a> {
    Variable(VarId),
    Array(&'a [Term]),
    Object(&'a [(Term, Term)]),
    Reference,
    Comprehension,
    Other,
}

fn side(term: &Term) -> Side<'_> {
    match &term.form {
        Form::Variable(id) => Side::Variable(*id),
        Form::Array(items) => Side::Array(items),
        Form::Object(members) => Side::Object(members),
        Form::Data(_) | Form::Input(_) | Form::Into(..) | Form::Call(_) => Side::Reference,
        Form::Comprehension(_) => Side::Comprehension,
        Form::Null | Form::Bool(_) | Form::Number(_) | Form::Text(_) | Form::Set(_) => Side::Other,
    }
}

impl Unifier<'_> {
    fn unify(&mut self, left: &Term, right: &Term) {
        match (side(left), side(right)) {
            (Side::Variable(one), Side::Variable(other)) => {
                if self.is_bound(other) {
                    self.bind(one);
                } else if self.is_bound(one) {
                    self.bind(other);
                } else {
                    self.waits.entry(one).or_default().insert(other);
                    self.waits.entry(other).or_default().insert(one);
                }
            }
            (Side::Variable(id), Side::Array(_) | Side::Object(_)) => self.variable_and_pattern(id, right),
            (Side::Array(_) | Side::Object(_), Side::Variable(id)) => self.variable_and_pattern(id, left),
            (Side::Variable(id), Side::Reference) if starts_bound(right, self.known) => self.bind(id),
            (Side::Reference, Side::Variable(id)) if starts_bound(left, self.known) => self.bind(id),
            (Side::Reference, Side::Variable(_)) | (Side::Variable(_), Side::Reference) => {}
            (Side::Variable(id), _) | (_, Side::Variable(id)) => self.bind(id),
            (Side::Reference, Side::Array(_) | Side::Object(_)) if starts_bound(left, self.known) => {
                self.bind_all(right);
            }
            (Side::Array(_) | Side::Object(_), Side::Reference) if starts_bound(right, self.known) => {
                self.bind_all(left);
            }
            (Side::Comprehension, Side::Array(_) | Side::Object(_)) => self.bind_all(right),
            (Side::Array(_) | Side::Object(_), Side::Comprehension) => self.bind_all(left),
            (Side::Array(ones), Side::Array(others)) if ones.len() == others.len() => {
                ones.iter().zip(others).for_each(|(one, other)| self.unify(one, other));
            }
            (Side::Object(ones), Side::Object(others)) if ones.len() == others.len() => {
                for (key, one) in ones {
                    if let Some((_, other)) = others.iter().find(|(other, _)| is_same(key, other)) {
                        self.unify(one, other);
                    }
                }
            }
            _ => {}
        }
    }

    fn variable_and_pattern(&mut self, id: VarId, pattern: &Term) {
        if self.is_bound(id) {
            return self.bind_all(pattern);
        }
        let mut needed = Variables::new();
        pattern_variables(pattern, &mut needed);
        needed.retain(|id| !self.is_bound(*id));
        if needed.is_empty() {
            self.bind(id);
        } else {
            self.waits.entry(id).or_default().extend(needed);
        }
    }

    fn is_bound(&self, id: VarId) -> bool {
        self.known.contains(&id) || self.unified.contains(&id)
    }

    fn bind_all(&mut self, pattern: &Term) {
        let mut found = Variables::new();
        pattern_variables(pattern, &mut found);
        found.into_iter().for_each(|id| self.bind(id));
    }

    fn bind(&mut self, id: VarId) {
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            if !self.unified.insert(id) {
                continue;
            }
            pending.extend(self.waits.remove(&id).unwrap_or_default());
            for (waiting, needed) in &mut self.waits {
                if needed.remove(&id) && needed.is_empty() {
                    pending.push(*waiting);
                }
            }
        }
    }
}

/// Whether two keys are the same string or variable.
fn is_same(one: &Term, other: &Term) -> bool {
    match (&one.form, &other.form) {
        (Form::Text(one), Form::Text(other)) => one == other,
        (Form::Variable(one), Form::Variable(other)) => one == other,
        _ => false,
    }
}

/// Whether what a reference starts from is bound.
fn starts_bound(term: &Term, known: &Variables) -> bool {
    match &term.form {
        Form::Into(head, _) => is_bound(head, known),
        _ => true,
    }
}
