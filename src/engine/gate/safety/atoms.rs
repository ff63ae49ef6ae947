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
pub(in crate::engine::gate) struct Atom {
    pub(in crate::engine::gate) form: AtomForm,
    /// What its statement replaces.
    pub(in crate::engine::gate) modifiers: Modifiers,
    /// All its variables, but not those of its closures.
    pub(in crate::engine::gate) needs: Variables,
    /// The variables of the values of `with`.
    pub(super) with: Variables,
    /// The variables of its closures.
    pub(super) closed_over: Variables,
    pub(super) closures: Vec<Closure>,
}

/// The `with` of a statement.
pub(in crate::engine::gate) type Modifiers = Rc<[Modifier]>;

/// `with target as value`
pub(in crate::engine::gate) struct Modifier {
    pub(in crate::engine::gate) target: Term,
    /// The target's text.
    pub(in crate::engine::gate) text: String,
    /// A constant, or of variables, or a function.
    pub(in crate::engine::gate) value: Term,
    /// The builtin that the value is.
    pub(in crate::engine::gate) function: Option<String>,
}

pub(in crate::engine::gate) enum AtomForm {
    /// A value of a head, of which nothing is looked up: it must be bound.
    Bound,
    /// What stands under `not`: it binds nothing.
    Not(Vec<Atom>),
    Every(Rc<Every>),
    Term(Term),
    Unify {
        left: Term,
        right: Term,
        assigned: bool,
    },
    /// The arguments after `inputs` take the result.
    Call {
        function: Function,
        /// Where the function's name stands.
        name: Place,
        arguments: Vec<Term>,
        inputs: usize,
    },
}

pub(super) enum Closure {
    Comprehension(Rc<Comprehension>),
    Every(Rc<Every>),
}

/// Makes the list.
pub(in crate::engine::gate) struct Atoms<'a> {
    rules: &'a Rules<'a>,
    next: &'a mut VarId,
    list: Vec<Atom>,
    /// The `with` of the statement that is read.
    modifiers: Modifiers,
    /// The variables of their values.
    with: Variables,
}

impl<'a> Atoms<'a> {
    pub(in crate::engine::gate) fn new(rules: &'a Rules<'a>, next: &'a mut VarId) -> Self {
        Self { rules, next, list: Vec::new(), modifiers: Rc::new([]), with: Variables::new() }
    }

    pub(in crate::engine::gate) fn into_list(self) -> Vec<Atom> {
        self.list
    }

    pub(in crate::engine::gate) fn add_body(&mut self, body: &Body) {
        body.iter().for_each(|statement| self.statement(statement));
    }

    /// A value in a head: must be bound, and its references bind. Gives what stands for it.
    pub(in crate::engine::gate) fn add_value(&mut self, value: &Term) -> Term {
        let value = self.flat(value);
        if is_looked_up(&value) {
            return self.named(value, true);
        }
        let mut needs = Variables::new();
        variables(&value, &mut needs);
        self.push_with_needs(AtomForm::Bound, needs, Vec::new());
        value
    }

    fn statement(&mut self, statement: &Statement) {
        let mut with = Variables::new();
        let mut modifiers = Vec::new();
        for one in &statement.with {
            let mut value = self.flat(&one.value);
            if is_looked_up(&value) && !self.is_function(&value) {
                // Bound before the statement: its references bind.
                value = self.named(value, true);
            }
            variables(&value, &mut with);
            modifiers.push(Modifier {
                target: one.target.clone(),
                text: one.text.clone(),
                value,
                function: one.function.clone(),
            });
        }
        self.modifiers = modifiers.into();
        self.with = with;
        self.form(&statement.form);
        self.modifiers = Rc::new([]);
        self.with = Variables::new();
    }

    fn is_function(&self, value: &Term) -> bool {
        let Form::Data(steps) = &value.form else { return false };
        let path: Option<Vec<String>> = steps.iter().map(|step| step.text().map(str::to_owned)).collect();
        path.is_some_and(|path| self.rules.arity(&path).is_some())
    }

    fn form(&mut self, form: &StatementForm) {
        match form {
            StatementForm::Some => {}
            StatementForm::Term(Term { form: Form::Call(call), .. }) => {
                let arguments: Vec<Term> =
                    call.arguments.iter().map(|argument| self.flat(argument)).collect();
                let (function, name, inputs) = (call.function.clone(), call.name, self.inputs(call));
                self.push(AtomForm::Call { function, name, arguments, inputs }, Vec::new());
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
                let collection = self.start(collection);
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
                let before = self.list.len();
                self.form(inner);
                let within = self.list.split_off(before);
                self.push_with_needs(AtomForm::Not(within), needs, closures);
            }
            StatementForm::Every(every) => {
                let domain = self.flat(&every.domain);
                let domain = self.named(domain, false);
                let mut needs = Variables::new();
                variables(&domain, &mut needs);
                let closures = vec![Closure::Every(Rc::clone(every))];
                self.push_with_needs(AtomForm::Every(Rc::clone(every)), needs, closures);
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
                let (function, name) = (call.function.clone(), call.name);
                self.push(AtomForm::Call { function, name, arguments, inputs }, Vec::new());
                return result;
            }
            Form::Data(steps) => Form::Data(self.flat_all(steps)),
            Form::Input(steps) => Form::Input(self.flat_all(steps)),
            Form::Into(head, steps) => {
                let head = self.flat(head);
                Form::Into(Box::new(self.start(head)), self.flat_all(steps))
            }
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

    /// What a reference starts from: a variable in place of a collection that is written out.
    fn start(&mut self, head: Term) -> Term {
        match head.form {
            Form::Array(_) | Form::Set(_) | Form::Object(_) | Form::Comprehension(_) => {
                self.named(head, false)
            }
            _ => head,
        }
    }

    /// A variable that is the value.
    fn named(&mut self, value: Term, assigned: bool) -> Term {
        let name = self.result(value.place);
        self.push(AtomForm::Unify { left: name.clone(), right: value, assigned }, Vec::new());
        name
    }

    fn result(&mut self, place: Place) -> Term {
        let id = *self.next;
        *self.next = id.saturating_add(1);
        Term { place, form: Form::Variable(id) }
    }

    fn push(&mut self, form: AtomForm, closures: Vec<Closure>) {
        let terms: Vec<&Term> = match &form {
            AtomForm::Bound | AtomForm::Not(_) | AtomForm::Every(_) => Vec::new(),
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
        let (modifiers, with) = (Rc::clone(&self.modifiers), self.with.clone());
        self.list.push(Atom { form, modifiers, needs, with, closed_over: all.0, closures });
    }
}

/// All variables of a term, but not those of comprehensions.
pub(in crate::engine::gate) fn variables(term: &Term, into: &mut Variables) {
    if let Form::Variable(id) = term.form {
        into.insert(id);
    }
    term.parts().into_iter().for_each(|part| variables(part, into));
}

/// Whether something in a term is looked up: references and comprehensions are, calls are variables by now.
fn is_looked_up(term: &Term) -> bool {
    match term.form {
        Form::Data(_) | Form::Input(_) | Form::Into(..) | Form::Comprehension(_) => true,
        _ => term.parts().into_iter().any(is_looked_up),
    }
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
