//! What `not` negates. OPA binds the operands of calls and operators before the negation, so an undefined operand
//! makes the whole body undefined; the interpreter makes the negation true. A reference, also on a side of `==`, is
//! negated itself. A negation binds nothing, where the interpreter takes a step of a reference and a side of `=` for bound
//! by it, and comes to it too early: `not p[x]` is written `not p[[x][0]]`, and `not x = 1` is `not x == 1`.

use super::context::Context;
use super::tree::{Body, Kind, Node, Statement, Term};

/// Changes a negation.
pub(super) fn statement(statement: &mut Statement, before: &mut Body, context: &mut Context) {
    let like = statement.clone();
    let Kind::Not(negated) = &mut statement.kind else { return };
    let mut binder = Binder { like: &like, before, context };
    match &mut **negated {
        Kind::Term(term) => binder.whole(term),
        Kind::Unify(left, right) => {
            binder.side(left);
            binder.side(right);
        }
        _ => {}
    }
    if let Kind::Unify(left, right) = &**negated {
        let node = Node::Infix("==", Box::new(left.clone()), Box::new(right.clone()));
        **negated = Kind::Term(Term { line: like.line, node });
    }
    if let Kind::Term(term) = &mut **negated {
        binds_nothing(term);
    }
}

/// Writes the steps that are variables so that they are only used.
fn binds_nothing(term: &mut Term) {
    if matches!(term.node, Node::Comprehension(..)) {
        return;
    }
    if let Node::Reference(_, steps) = &mut term.node {
        steps.iter_mut().filter(|step| matches!(step.node, Node::Variable(_))).for_each(|step| {
            *step = step.clone().in_array();
        });
    }
    term.children_mut().into_iter().for_each(binds_nothing);
}

struct Binder<'a> {
    like: &'a Statement,
    before: &'a mut Body,
    context: &'a mut Context,
}

impl Binder<'_> {
    /// A term that is negated itself.
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
            Node::Infix("==", left, right) => {
                self.side(left);
                self.side(right);
            }
            Node::Infix(..) | Node::In(..) | Node::Array(_) | Node::Set(_) | Node::Object(_) => {
                term.children_mut().into_iter().for_each(|child| self.operand(child));
            }
        }
    }

    /// A side of an equality: OPA compares a reference within the negation.
    fn side(&mut self, term: &mut Term) {
        match term.node {
            Node::Reference(..) => self.whole(term),
            Node::Variable(_) | Node::Comprehension(..) => {}
            _ => self.operand(term),
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
