//! A body as a list of the least things that can be ordered: nested calls become statements of their own, whose
//! results are variables without a name.

use std::rc::Rc;

use super::Variables;
use crate::engine::builtins::{self, Arity};
use crate::engine::gate::reading::into;
use crate::engine::gate::rules::Rules;
use crate::engine::gate::terms::{
    Body, Call, Comprehension, Every, Form, Function, Place, Statement, StatementForm, Term, VarId, Visitor,
    visit_body, visit_term,
};

/// One thing of a body.
pub(super) struct Atom {
    pub(super) form: AtomForm,
    /// All its variables, but not those of its closures.
    pub(super) needs: Variables,
    /// The variables of the values of `with`.
    pub(super) with: Variables,
    /// The variables of its closures.
    pub(super) closed_over: Variables,
    pub(super) closures: Vec<Closure>,
}

pub(super) enum AtomForm {
    /// Binds nothing: under `not`.
    Closed,
    Term(Term),
    Unify {
        left: Term,
        right: Term,
        assigned: bool,
    },
    /// The arguments after `inputs` take the result.
    Call {
        arguments: Vec<Term>,
        inputs: usize,
    },
}

pub(super) enum Closure {
    Comprehension(Rc<Comprehension>),
    Every(Rc<Every>),
}

/// Makes the list.
pub(super) struct Atoms<'a> {
    rules: &'a Rules<'a>,
    next: &'a mut VarId,
    list: Vec<Atom>,
    /// The variables of the `with` of the statement that is read.
    with: Variables,
}

impl<'a> Atoms<'a> {
    pub(super) fn new(rules: &'a Rules<'a>, next: &'a mut VarId) -> Self {
        Self { rules, next, list: Vec::new(), with: Variables::new() }
    }

    pub(super) fn into_list(self) -> Vec<Atom> {
        self.list
    }

    pub(super) fn add_body(&mut self, body: &Body) {
        body.iter().for_each(|statement| self.statement(statement));
    }

    /// A value in a head: must be bound, and its references bind.
    pub(super) fn add_value(&mut self, value: &Term) {
        let right = self.flat(value);
        let left = self.result(value.place);
        self.push(AtomForm::Unify { left, right, assigned: true }, Vec::new());
    }

    fn statement(&mut self, statement: &Statement) {
        let mut with = Variables::new();
        for one in &statement.with {
            let value = self.flat(&one.value);
            if matches!(value.form, Form::Variable(_)) {
                variables(&value, &mut with);
                continue;
            }
            // Bound before the statement: its references bind.
            let left = self.result(value.place);
            variables(&left, &mut with);
            self.push(AtomForm::Unify { left, right: value, assigned: true }, Vec::new());
        }
        self.with = with;
        self.form(&statement.form);
        self.with = Variables::new();
    }

    fn form(&mut self, form: &StatementForm) {
        match form {
            StatementForm::Some => {}
            StatementForm::Term(Term { form: Form::Call(call), .. }) => {
                let arguments: Vec<Term> =
                    call.arguments.iter().map(|argument| self.flat(argument)).collect();
                let inputs = self.inputs(call);
                self.push(AtomForm::Call { arguments, inputs }, Vec::new());
            }
            StatementForm::Term(term) => {
                let term = self.flat(term);
                self.push(AtomForm::Term(term), Vec::new());
            }
            StatementForm::Unify { left, right, assigned } => {
                let (left, right) = (self.flat(left), self.flat(right));
                self.push(AtomForm::Unify { left, right, assigned: *assigned }, Vec::new());
            }
            StatementForm::SomeIn { key, value, collection } => {
                let collection = self.flat(collection);
                let key = match key {
                    Some(key) => self.flat(key),
                    None => self.result(value.place),
                };
                let left = self.flat(value);
                let right = Term { place: collection.place, form: into(collection, key) };
                self.push(AtomForm::Unify { left, right, assigned: false }, Vec::new());
            }
            StatementForm::Not(inner) => {
                let mut needs = Variables::new();
                let mut closures = Vec::new();
                for term in inner.terms() {
                    variables(term, &mut needs);
                    collect_closures(term, &mut closures);
                }
                self.push_with_needs(AtomForm::Closed, needs, closures);
            }
            StatementForm::Every(every) => {
                let domain = self.flat(&every.domain);
                self.push(AtomForm::Term(domain), vec![Closure::Every(Rc::clone(every))]);
            }
        }
    }

    /// How many of a call's arguments it takes.
    fn inputs(&self, call: &Call) -> usize {
        let given = call.arguments.len();
        let taken = match &call.function {
            Function::Named(name) => builtins::find(name).and_then(|builtin| match builtin.arity {
                Arity::Exactly(arity) => Some(usize::from(arity)),
                Arity::Any => None,
            }),
            Function::Rule(path) => self.rules.arity(path),
            Function::Operator(_) | Function::Variable(_) => None,
        };
        taken.unwrap_or(given)
    }

    /// The term with variables in place of calls, which go into the list.
    fn flat(&mut self, term: &Term) -> Term {
        let place = term.place;
        let form = match &term.form {
            Form::Call(call) => {
                let mut arguments: Vec<Term> =
                    call.arguments.iter().map(|argument| self.flat(argument)).collect();
                let inputs = arguments.len();
                let result = self.result(place);
                arguments.push(result.clone());
                self.push(AtomForm::Call { arguments, inputs }, Vec::new());
                return result;
            }
            Form::Data(steps) => Form::Data(self.flat_all(steps)),
            Form::Input(steps) => Form::Input(self.flat_all(steps)),
            Form::Into(head, steps) => Form::Into(Box::new(self.flat(head)), self.flat_all(steps)),
            Form::Array(items) => Form::Array(self.flat_all(items)),
            Form::Set(items) => Form::Set(self.flat_all(items)),
            Form::Object(members) => {
                Form::Object(members.iter().map(|(key, value)| (self.flat(key), self.flat(value))).collect())
            }
            other => other.clone(),
        };
        Term { place, form }
    }

    fn flat_all(&mut self, terms: &[Term]) -> Vec<Term> {
        terms.iter().map(|term| self.flat(term)).collect()
    }

    fn result(&mut self, place: Place) -> Term {
        let id = *self.next;
        *self.next = id.saturating_add(1);
        Term { place, form: Form::Variable(id) }
    }

    fn push(&mut self, form: AtomForm, closures: Vec<Closure>) {
        let terms: Vec<&Term> = match &form {
            AtomForm::Closed => Vec::new(),
            AtomForm::Term(term) => vec![term],
            AtomForm::Unify { left, right, .. } => vec![left, right],
            AtomForm::Call { arguments, .. } => arguments.iter().collect(),
        };
        let mut needs = Variables::new();
        let mut closures = closures;
        for term in terms {
            variables(term, &mut needs);
            collect_closures(term, &mut closures);
        }
        self.push_with_needs(form, needs, closures);
    }

    fn push_with_needs(&mut self, form: AtomForm, mut needs: Variables, closures: Vec<Closure>) {
        needs.extend(self.with.iter().copied());
        let mut all = All(Variables::new());
        for closure in &closures {
            match closure {
                Closure::Comprehension(comprehension) => {
                    visit_body(&comprehension.body, &mut all);
                    comprehension.terms.iter().for_each(|term| visit_term(term, &mut all));
                }
                Closure::Every(every) => visit_body(&every.body, &mut all),
            }
        }
        self.list.push(Atom { form, needs, with: self.with.clone(), closed_over: all.0, closures });
    }
}

/// All variables of a term, but not those of comprehensions.
pub(super) fn variables(term: &Term, into: &mut Variables) {
    if let Form::Variable(id) = term.form {
        into.insert(id);
    }
    term.parts().into_iter().for_each(|part| variables(part, into));
}

fn collect_closures(term: &Term, into: &mut Vec<Closure>) {
    if let Form::Comprehension(comprehension) = &term.form {
        into.push(Closure::Comprehension(Rc::clone(comprehension)));
    }
    term.parts().into_iter().for_each(|part| collect_closures(part, into));
}

struct All(Variables);

impl Visitor for All {
    fn term(&mut self, term: &Term) {
        if let Form::Variable(id) = term.form {
            self.0.insert(id);
        }
    }
}
