//! `p.c` where rules give `p.a` and `p.b` alone: OPA knows that there is none without evaluating them, and so meets none of
//! their errors. Written as `[][0]`, which is undefined.

use super::context::Context;
use super::tree::{Kind, Node, Statement, Term};

/// Changes the references of a statement; those of bodies within it are of other statements.
pub(super) fn statement(statement: &mut Statement, context: &Context) {
    kind(&mut statement.kind, context);
    for (_, value) in &mut statement.with {
        within(value, context);
    }
}

fn kind(kind: &mut Kind, context: &Context) {
    match kind {
        Kind::Some(_) => {}
        Kind::Term(one) => within(one, context),
        Kind::Assign(_, one) | Kind::SomeIn(_, _, one) | Kind::Every(_, _, one, _) => within(one, context),
        Kind::Unify(left, right) => {
            within(left, context);
            within(right, context);
        }
        Kind::Not(negated) => self::kind(negated, context),
    }
}

fn within(term: &mut Term, context: &Context) {
    if matches!(term.node, Node::Comprehension(..)) {
        return;
    }
    if context.is_absent(term) {
        let line = term.line;
        let none = Term { line, node: Node::Array(Vec::new()) };
        let zero = Term { line, node: Node::Constant("0".to_owned()) };
        term.node = Node::Reference(Box::new(none), vec![zero]);
        return;
    }
    term.children_mut().into_iter().for_each(|child| within(child, context));
}
