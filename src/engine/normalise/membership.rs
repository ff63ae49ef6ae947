//! `x in xs` is undefined in OPA where an operand is; the interpreter takes it for false. As a statement of its own
//! that is the same, unless it has a key; anywhere else its operands are bound before.

use super::context::Context;
use super::tree::{Body, Kind, Node, Statement, Term};

/// Changes the memberships in a statement.
pub(super) fn statement(statement: &mut Statement, before: &mut Body, context: &mut Context) {
    let like = statement.clone();
    let mut bind = |term: &mut Term, context: &mut Context| {
        if !context.is_settled(term) {
            let name = context.fresh();
            let bound = std::mem::replace(term, Term::variable(name.clone(), term.line));
            before.push(like.binding(&name, bound));
        }
    };
    match &mut statement.kind {
        Kind::Term(term) => match &mut term.node {
            // Whatever is in its operands is not the statement itself. With a key, an undefined value passes for any.
            Node::In(None, ..) => {
                term.children_mut().into_iter().for_each(|child| within(child, &mut bind, context));
            }
            _ => within(term, &mut bind, context),
        },
        Kind::Assign(left, right) | Kind::Unify(left, right) => {
            within(left, &mut bind, context);
            within(right, &mut bind, context);
        }
        Kind::SomeIn(_, _, collection) | Kind::Every(_, _, collection, _) => {
            within(collection, &mut bind, context);
        }
        Kind::Not(negated) => {
            let terms = match &mut **negated {
                Kind::Term(term) => vec![term],
                Kind::Assign(left, right) | Kind::Unify(left, right) => vec![left, right],
                _ => Vec::new(),
            };
            terms.into_iter().for_each(|term| within(term, &mut bind, context));
        }
        Kind::Some(_) => {}
    }
}

/// Innermost first, so that what is bound last contains what was bound before.
fn within(term: &mut Term, bind: &mut impl FnMut(&mut Term, &mut Context), context: &mut Context) {
    if matches!(term.node, Node::Comprehension(..)) {
        return;
    }
    term.children_mut().into_iter().for_each(|child| within(child, bind, context));
    if matches!(term.node, Node::In(..)) {
        term.children_mut().into_iter().for_each(|operand| bind(operand, context));
    }
}
