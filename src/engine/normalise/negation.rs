//! What `not` negates. OPA binds the operands of calls and operators before the negation, so an undefined operand
//! makes the whole body undefined; the interpreter makes the negation true. And OPA negates the existence of a
//! solution; the interpreter finds one that does not hold.

use super::context::Context;
use super::tree::{Body, Kind, Node, Shape, Statement, Term};

/// Changes a negation.
pub(super) fn statement(statement: &mut Statement, before: &mut Body, context: &mut Context) {
    let like = statement.clone();
    let Kind::Not(negated) = &mut statement.kind else { return };
    let mut binder = Binder { like: &like, before, context };
    match &mut **negated {
        Kind::Term(term) => binder.whole(term),
        Kind::Unify(left, right) => {
            binder.whole(left);
            binder.whole(right);
        }
        _ => return,
    }
    if iterates(negated) {
        *statement = none(statement);
    }
}

struct Binder<'a> {
    like: &'a Statement,
    before: &'a mut Body,
    context: &'a mut Context,
}

impl Binder<'_> {
    /// A term that is negated itself, or a side of a unification: a reference stays, what it is indexed with does not.
    fn whole(&mut self, term: &mut Term) {
        match &mut term.node {
            Node::Constant(_) | Node::Name(_) | Node::Variable(_) | Node::Comprehension(..) => {}
            Node::Reference(base, steps) => {
                if !matches!(base.node, Node::Variable(_)) {
                    self.operand(base);
                }
                steps.iter_mut().for_each(|step| self.operand(step));
            }
            Node::Call(_, arguments) => arguments.iter_mut().for_each(|argument| self.operand(argument)),
            Node::Infix(..) | Node::In(..) | Node::Array(_) | Node::Set(_) | Node::Object(_) => {
                term.children_mut().into_iter().for_each(|child| self.operand(child));
            }
        }
    }

    fn operand(&mut self, term: &mut Term) {
        if matches!(term.node, Node::Array(_) | Node::Set(_) | Node::Object(_)) {
            term.children_mut().into_iter().for_each(|child| self.operand(child));
        } else if !self.context.is_settled(term) {
            let name = self.context.fresh();
            let bound = std::mem::replace(term, Term::variable(name.clone(), term.line));
            self.before.push(self.like.binding(&name, bound));
        }
    }
}

fn iterates(kind: &Kind) -> bool {
    match kind {
        Kind::Term(term) => has_wildcard(term),
        Kind::Unify(left, right) => has_wildcard(left) || has_wildcard(right),
        _ => false,
    }
}

fn has_wildcard(term: &Term) -> bool {
    match &term.node {
        Node::Variable(name) => name == "_",
        Node::Comprehension(..) => false,
        _ => term.children().into_iter().any(has_wildcard),
    }
}

/// `[true | STATEMENT] == []` of `not STATEMENT`.
fn none(statement: &Statement) -> Statement {
    let line = statement.line;
    let Kind::Not(negated) = &statement.kind else { return statement.clone() };
    let held = Statement { line, kind: (**negated).clone(), with: statement.with.clone() };
    let yes = Term { line, node: Node::Constant("true".to_owned()) };
    let all = Term { line, node: Node::Comprehension(Shape::Array, vec![yes], vec![held]) };
    let empty = Term { line, node: Node::Array(Vec::new()) };
    let node = Node::Infix("==", Box::new(all), Box::new(empty));
    Statement { line, kind: Kind::Term(Term { line, node }), with: Vec::new() }
}
