//! `with TARGET as VALUE`: a value that can be undefined is bound before, as in OPA. The interpreter forgets that it
//! was undefined where another `with` follows, lets one replacement be seen by the value of the next, and does not come
//! to a rule again that a comprehension among the values has read. Calls come first, as nested calls do elsewhere
//! (`order`): one that ends in an error does so where another value is undefined.

use super::context::Context;
use super::tree::{Body, Node, Statement, Term};

/// Changes the values of a statement's modifiers.
pub(super) fn statement(statement: &mut Statement, before: &mut Body, context: &mut Context) {
    let (mut calls, mut others) = (Body::new(), Body::new());
    for (_, value) in &mut statement.with {
        let is_settled = context.is_settled(value) && !has_comprehension(value);
        if is_settled && !matches!(value.node, Node::Variable(_)) {
            continue;
        }
        match context.function(value) {
            Some((path, _)) if path.first().is_some_and(|root| root == "data") => continue,
            // The interpreter does not find builtins here.
            Some((_, arity)) => {
                *value = context.wrapped(value.clone(), arity);
                continue;
            }
            None if is_settled => continue,
            None => {}
        }
        let name = context.fresh();
        let bound = std::mem::replace(value, Term::variable(name.clone(), value.line));
        let is_call = matches!(bound.node, Node::Call(..) | Node::Infix(..) | Node::In(..));
        let first = if is_call { &mut calls } else { &mut others };
        first.push(Statement::assign(&name, bound));
    }
    before.append(&mut calls);
    before.append(&mut others);
}

fn has_comprehension(term: &Term) -> bool {
    matches!(term.node, Node::Comprehension(..)) || term.children().into_iter().any(has_comprehension)
}
