//! A whole number in another spelling than its digits (`1.0`, `1e3`) becomes a call of a function that gives it with its
//! spelling, wherever it can get into a text: the interpreter keeps none. Where it is only compared its digits do.

use super::context::Context;
use super::tree::{Body, Kind, Module, Node, Rule, Shape, Statement, Term};
use crate::engine::syntax::Parsed;

/// The name of the function: one that no module has.
pub(super) fn name(modules: &[Parsed]) -> String {
    let mut name = "__spelled".to_owned();
    while modules.iter().any(|module| module.module.text.contains(&name)) {
        name.push('d');
    }
    name
}

/// Changes the numbers of a module. Gives those that can't be changed where they stand.
pub(super) fn module(module: &mut Module, name: &str, context: &mut Context) -> Vec<String> {
    let mut numbers = Numbers { name, lost: Vec::new(), before: Vec::new(), context };
    module.rules.iter_mut().for_each(|rule| numbers.rule(rule));
    numbers.lost
}

struct Numbers<'a> {
    name: &'a str,
    lost: Vec<String>,
    /// What is to be bound before the statement.
    before: Body,
    context: &'a mut Context,
}

/// What a number can be seen as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A value.
    Value,
    /// Nothing but equal to others, or less.
    Compared,
    /// A value within a pattern: it may be bound there, or compared.
    Pattern,
    /// A value of what has to be a constant for the interpreter.
    Fixed,
}

impl Numbers<'_> {
    fn rule(&mut self, rule: &mut Rule) {
        let Rule { default, reference, arguments, key, value, body, otherwise, .. } = rule;
        self.term(reference, Place::Fixed);
        let is_constant =
            *default && arguments.is_none() && !value.as_mut().is_some_and(|value| self.listed(value));
        let place = if is_constant { Place::Fixed } else { Place::Value };
        key.iter_mut().chain(value).for_each(|term| self.term(term, place));
        body.iter_mut().for_each(|body| self.body(body));
        for branch in otherwise {
            branch.value.iter_mut().for_each(|term| self.term(term, Place::Value));
            branch.body.iter_mut().for_each(|body| self.body(body));
        }
    }

    /// A default that is an array, a set or an object, as a comprehension: the interpreter takes no call in any other.
    fn listed(&mut self, value: &mut Term) -> bool {
        let line = value.line;
        let name = self.context.fresh();
        let step = if matches!(value.node, Node::Object(_)) { self.context.fresh() } else { "_".to_owned() };
        let (key, item) = (Term::variable(step, line), Term::variable(name.clone(), line));
        let (shape, heads) = match &value.node {
            _ if !has_spelled(value) => return false,
            Node::Array(_) => (Shape::Array, vec![item]),
            Node::Set(_) => (Shape::Set, vec![item]),
            Node::Object(_) => (Shape::Object, vec![key.clone(), item]),
            _ => return false,
        };
        let member = Node::Reference(Box::new(value.clone()), vec![key]);
        let body = vec![Statement::assign(&name, Term { line, node: member })];
        value.node = Node::Comprehension(shape, heads, body);
        true
    }

    fn body(&mut self, body: &mut Body) {
        for mut statement in std::mem::take(body) {
            let outer = std::mem::take(&mut self.before);
            self.kind(&mut statement.kind);
            statement.with.iter_mut().for_each(|(_, value)| self.term(value, Place::Value));
            body.append(&mut std::mem::replace(&mut self.before, outer));
            body.push(statement);
        }
    }

    fn kind(&mut self, kind: &mut Kind) {
        match kind {
            Kind::Some(_) => {}
            Kind::SomeIn(key, value, collection) => {
                key.iter_mut().for_each(|key| self.term(key, Place::Compared));
                self.term(value, Place::Compared);
                self.term(collection, Place::Value);
            }
            Kind::Term(term) => self.term(term, Place::Compared),
            Kind::Assign(left, right) => {
                self.term(left, Place::Compared);
                self.term(right, Place::Value);
            }
            Kind::Unify(left, right) => {
                for side in [left, right] {
                    let place = if binds(side) { Place::Pattern } else { Place::Value };
                    self.term(side, place);
                }
            }
            Kind::Not(negated) => self.kind(negated),
            Kind::Every(_, _, domain, body) => {
                self.term(domain, Place::Value);
                self.body(body);
            }
        }
    }

    fn term(&mut self, term: &mut Term, place: Place) {
        if let Node::Constant(text) = &term.node
            && let Some(digits) = digits(text)
        {
            match place {
                Place::Compared => term.node = Node::Constant(digits),
                Place::Fixed => {
                    self.lost.push(text.clone());
                    term.node = Node::Constant(digits);
                }
                Place::Value => *term = self.call(text, term.line),
                Place::Pattern => {
                    let name = self.context.fresh();
                    let statement = Statement::assign(&name, self.call(text, term.line));
                    self.before.push(statement);
                    *term = Term::variable(name, term.line);
                }
            }
            return;
        }
        match &mut term.node {
            Node::Constant(_) | Node::Name(_) | Node::Variable(_) => {}
            Node::Array(_) | Node::Set(_) | Node::Object(_) => {
                term.children_mut().into_iter().for_each(|child| self.term(child, place));
            }
            Node::Comprehension(_, heads, body) => {
                heads.iter_mut().for_each(|head| self.term(head, Place::Value));
                self.body(body);
            }
            Node::Call(function, arguments) => {
                let is_blind = self.is_blind(function);
                for argument in arguments {
                    let is_number = matches!(argument.node, Node::Constant(_));
                    self.term(argument, if is_blind && is_number { Place::Compared } else { Place::Value });
                }
            }
            Node::Reference(base, steps) => {
                self.term(base, Place::Value);
                let place = if place == Place::Fixed { place } else { Place::Compared };
                steps.iter_mut().for_each(|step| self.term(step, place));
            }
            Node::Infix(..) | Node::In(..) => {
                term.children_mut().into_iter().for_each(|child| self.term(child, Place::Compared));
            }
        }
    }

    fn call(&self, text: &str, line: u32) -> Term {
        let function = Term::variable(self.name, line);
        Term { line, node: Node::Call(Box::new(function), vec![Term::text(text, line)]) }
    }

    /// Whether a function gives the same for numbers that are equal; a set of them it may give back.
    fn is_blind(&self, function: &Term) -> bool {
        const BLIND: [&str; 11] =
            ["plus", "minus", "mul", "div", "rem", "lt", "lte", "gt", "gte", "equal", "neq"];
        matches!(&function.node, Node::Variable(name) if BLIND.contains(&name.as_str()))
            && self.context.function(function).is_some_and(|(path, _)| path.len() == 1)
    }
}

/// Whether something is unified with a part of a term.
fn binds(term: &Term) -> bool {
    matches!(term.node, Node::Array(_) | Node::Object(_))
        && term.children().into_iter().any(|child| matches!(child.node, Node::Variable(_)) || binds(child))
}

fn has_spelled(term: &Term) -> bool {
    matches!(&term.node, Node::Constant(text) if digits(text).is_some())
        || term.children().into_iter().any(has_spelled)
}

/// The digits of a constant that is a whole number, and not written in them.
fn digits(text: &str) -> Option<String> {
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let is_odd = text.contains(['.', 'e', 'E']) || text == "-0";
    if is_number && is_odd { crate::engine::builtins::digits(text) } else { None }
}
