//! `every` meets the members of a set in OPA's order, and stops at the first for which its body does not hold. In the
//! interpreter sets come before objects, which is to be seen where a body can end in an error.

use super::context::Context;
use super::failures::of_statement;
use super::tree::{Body, Node, Shape, Term};

/// Sorts a set that is written out, where its order is to be seen.
pub(super) fn domain(key: Option<&str>, domain: &mut Term, body: &Body, context: &mut Context) {
    let is_set = matches!(domain.node, Node::Set(_) | Node::Comprehension(Shape::Set, ..));
    if !is_set || key.is_some_and(|key| key != "_") {
        return;
    }
    context.enter(super::context::declared(body));
    let fails = body.iter().any(|statement| of_statement(statement, context));
    context.leave();
    let line = domain.line;
    let sort = Term::variable("sort", line);
    if fails && context.function(&sort).is_some_and(|(path, _)| path == ["sort"]) {
        let set = std::mem::replace(domain, Term::variable("_", line));
        domain.node = Node::Call(Box::new(sort), vec![set]);
    }
}
