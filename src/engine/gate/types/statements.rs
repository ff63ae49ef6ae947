//! Bodies: each statement in the order in which it would be evaluated, its parts before it.

use std::rc::Rc;

use super::Checker;
use super::mistakes::Mistake;
use crate::engine::gate::safety::{Atom, AtomForm, Atoms, Modifiers, Variables, order};
use crate::engine::gate::terms::{Comprehension, Every, Form, Function, Place, Term};
use crate::engine::types::{Known, Type};

/// A statement of which all references that are arguments are variables.
pub(super) struct Expression {
    form: ExpressionForm,
    with: Modifiers,
}

enum ExpressionForm {
    Equal(Term, Term),
    Call { function: Function, name: Place, arguments: Vec<Term> },
    Term(Term),
    Every(Vec<Expression>),
}

impl Checker<'_> {
    /// Judges a body whose statements are in order; `outside` are the variables around it.
    pub(super) fn body(&mut self, ordered: &[Atom], outside: Variables) {
        let around = std::mem::replace(&mut self.visible, outside);
        for atom in ordered {
            let mut expressions = Vec::new();
            self.expressions(atom, &mut expressions);
            expressions.iter().for_each(|expression| self.expression(expression));
            self.visible.extend(atom.needs.iter().copied());
        }
        self.visible = around;
    }

    fn expression(&mut self, expression: &Expression) {
        let layers = self.enter_with(&expression.with);
        let before = self.mistakes.len();
        self.closures_of(expression);
        self.references_of(expression);
        let is_hurt = self.mistakes.len() > before;
        let mistake = self.modifiers(&expression.with).or_else(|| match &expression.form {
            ExpressionForm::Equal(left, right) => self.equality(left, right),
            ExpressionForm::Call { function, name, arguments } => self.call(function, *name, arguments),
            ExpressionForm::Term(_) | ExpressionForm::Every(_) => None,
        });
        self.mistakes.extend(mistake.filter(|mistake| !(is_hurt && mistake.may_follow())));
        self.environment.leave(layers);
    }

    fn equality(&mut self, left: &Term, right: &Term) -> Option<Mistake> {
        let (first, second) = (self.type_of(left), self.type_of(right));
        if self.equal(left, right) {
            return None;
        }
        let place = Place {
            start: left.place.start.min(right.place.start),
            end: left.place.end.max(right.place.end),
        };
        Some(Mistake::Different { place, left: first, right: second })
    }

    fn closures_of(&mut self, expression: &Expression) {
        match &expression.form {
            ExpressionForm::Equal(left, right) => {
                self.closures_in(left);
                self.closures_in(right);
            }
            ExpressionForm::Call { arguments, .. } => {
                arguments.iter().for_each(|term| self.closures_in(term))
            }
            ExpressionForm::Term(term) => self.closures_in(term),
            ExpressionForm::Every(body) => body.iter().for_each(|expression| self.closures_of(expression)),
        }
    }

    fn references_of(&mut self, expression: &Expression) {
        match &expression.form {
            ExpressionForm::Equal(left, right) => {
                self.references(left);
                self.references(right);
            }
            ExpressionForm::Call { arguments, .. } => arguments.iter().for_each(|term| self.references(term)),
            ExpressionForm::Term(term) => self.references(term),
            ExpressionForm::Every(body) => body.iter().for_each(|expression| self.references_of(expression)),
        }
    }

    fn closures_in(&mut self, term: &Term) {
        if let Form::Comprehension(comprehension) = &term.form
            && !self.closures.has(comprehension)
        {
            let known = self.comprehension(comprehension);
            self.closures.put(comprehension, known);
        }
        term.parts().into_iter().for_each(|part| self.closures_in(part));
    }

    /// Judges a comprehension, and gives its type unless something is wrong in it.
    fn comprehension(&mut self, comprehension: &Rc<Comprehension>) -> Known {
        let mut atoms = Atoms::new(self.rules, &mut self.next);
        atoms.add_body(&comprehension.body);
        let terms: Vec<Term> = comprehension.terms.iter().map(|term| atoms.add_value(term)).collect();
        let list = atoms.into_list();
        let ordered = order(list, &self.visible)?;
        let before = self.mistakes.len();
        self.environment.enter_body();
        self.body(&ordered, self.visible.clone());
        let types: Vec<Known> = terms.iter().map(|term| self.type_of(term)).collect();
        self.environment.leave(1);
        if self.mistakes.len() > before {
            return None;
        }
        Some(match (types.as_slice(), comprehension.is_array) {
            ([key, value], _) => {
                Type::object(std::collections::BTreeMap::new(), Some((key.clone(), value.clone())))
            }
            ([of], true) => Type::array(Vec::new(), of.clone()),
            (of, _) => Type::set(of.first().cloned().flatten()),
        })
    }

    /// The expressions that a statement is.
    fn expressions(&mut self, atom: &Atom, into: &mut Vec<Expression>) {
        let with = &atom.modifiers;
        let form = match &atom.form {
            AtomForm::Bound => return,
            AtomForm::Not(inner) => {
                return inner.iter().for_each(|atom| self.expressions(atom, into));
            }
            AtomForm::Unify { left, right, .. } => {
                let left = self.side(left, with, into);
                ExpressionForm::Equal(left, self.side(right, with, into))
            }
            AtomForm::Call { function, arguments, .. } if is_equality(function, arguments) => {
                let mut sides =
                    arguments.iter().map(|term| self.side(term, with, into)).collect::<Vec<_>>().into_iter();
                let (Some(left), Some(right)) = (sides.next(), sides.next()) else { return };
                ExpressionForm::Equal(left, right)
            }
            AtomForm::Call { function, name, arguments, .. } => {
                let arguments = arguments.iter().map(|term| self.part(term, with, into)).collect();
                ExpressionForm::Call { function: function.clone(), name: *name, arguments }
            }
            AtomForm::Term(term) => ExpressionForm::Term(self.side(term, with, into)),
            AtomForm::Every(every) => ExpressionForm::Every(self.every(every)),
        };
        into.push(Expression { form, with: Rc::clone(with) });
    }

    /// The body of `every`, of which OPA judges the references and the comprehensions.
    fn every(&mut self, every: &Every) -> Vec<Expression> {
        let mut atoms = Atoms::new(self.rules, &mut self.next);
        atoms.add_body(&every.body);
        let list = atoms.into_list();
        let mut visible = self.visible.clone();
        visible.extend(every.variables.iter().copied());
        let Some(ordered) = order(list, &visible) else { return Vec::new() };
        let mut expressions = Vec::new();
        ordered.iter().for_each(|atom| self.expressions(atom, &mut expressions));
        self.visible.extend(every.variables.iter().copied());
        ordered.iter().for_each(|atom| self.visible.extend(atom.needs.iter().copied()));
        expressions
    }

    /// A term of which references and comprehensions may be the whole.
    fn side(&mut self, term: &Term, with: &Modifiers, into: &mut Vec<Expression>) -> Term {
        match &term.form {
            Form::Data(_) | Form::Input(_) | Form::Into(..) => self.steps_of(term, with, into),
            Form::Comprehension(_) => term.clone(),
            _ => self.part(term, with, into),
        }
    }

    /// A term in which variables stand for references and comprehensions, which become expressions of their own.
    fn part(&mut self, term: &Term, with: &Modifiers, into: &mut Vec<Expression>) -> Term {
        let place = term.place;
        let whole = match &term.form {
            Form::Data(_) | Form::Input(_) | Form::Into(..) => self.steps_of(term, with, into),
            Form::Comprehension(_) => term.clone(),
            Form::Array(items) => {
                let items = items.iter().map(|item| self.part(item, with, into)).collect();
                return Term { place, form: Form::Array(items) };
            }
            Form::Set(items) => {
                let items = items.iter().map(|item| self.part(item, with, into)).collect();
                return Term { place, form: Form::Set(items) };
            }
            Form::Object(members) => {
                let member = |(key, value): &(Term, Term)| {
                    let key = self.part(key, with, into);
                    (key, self.part(value, with, into))
                };
                return Term { place, form: Form::Object(members.iter().map(member).collect()) };
            }
            _ => return term.clone(),
        };
        let variable = Term { place, form: Form::Variable(self.next) };
        self.next = self.next.saturating_add(1);
        into.push(Expression { form: ExpressionForm::Equal(variable.clone(), whole), with: Rc::clone(with) });
        variable
    }

    /// A reference of which the steps are constants and variables.
    fn steps_of(&mut self, term: &Term, with: &Modifiers, into: &mut Vec<Expression>) -> Term {
        let mut all = |steps: &[Term]| steps.iter().map(|step| self.part(step, with, into)).collect();
        let form = match &term.form {
            Form::Data(steps) => Form::Data(all(steps)),
            Form::Input(steps) => Form::Input(all(steps)),
            Form::Into(head, steps) => Form::Into(head.clone(), all(steps)),
            other => other.clone(),
        };
        Term { place: term.place, form }
    }
}

fn is_equality(function: &Function, arguments: &[Term]) -> bool {
    let name = match function {
        Function::Operator(name) => name,
        Function::Named(name) => name.as_str(),
        _ => return false,
    };
    name == "equal" && arguments.len() == 2
}
