//! The interpreter takes statements in an order of its own: in that of the body those that are or hold more than a name,
//! and then by the names that they bind. Where one can end in an error, so that the order is to be seen, a statement that
//! only names (`x := y`, `[x, y] := z`, `walk(x, [y, z])`) is written so that it keeps its place.

use std::collections::BTreeSet;

use super::context::{Context, variables};
use super::failures::of_statement;
use super::tree::{Body, Kind, Node, Shape, Statement, Term};

/// Changes the statements of a body that would be taken out of order.
pub(super) fn body(body: &mut Body, context: &mut Context) {
    if !body.iter().any(|statement| of_statement(statement, context)) {
        return;
    }
    let last = body.len().saturating_sub(1);
    let statements = std::mem::take(body);
    let mut bound = BTreeSet::new();
    for (number, mut statement) in statements.into_iter().enumerate() {
        if number < last {
            keep(&mut statement, &bound, body, context);
        }
        match &statement.kind {
            Kind::Assign(left, _) => variables(left, &mut bound),
            Kind::Unify(left, right) => {
                for (one, other) in [(left, right), (right, left)] {
                    let mut needed = BTreeSet::new();
                    variables(other, &mut needed);
                    if needed.is_subset(&bound) {
                        variables(one, &mut bound);
                    }
                }
            }
            _ => {}
        }
        body.push(statement);
    }
}

fn keep(statement: &mut Statement, bound: &BTreeSet<String>, body: &mut Body, context: &mut Context) {
    let line = statement.line;
    match &mut statement.kind {
        Kind::Assign(_, right) if names(right) => *right = right.clone().in_array(),
        Kind::Unify(_, right) if matches!(&right.node, Node::Variable(name) if bound.contains(name)) => {
            *right = right.clone().in_array();
        }
        Kind::Term(Term { node: Node::Call(function, arguments), .. })
            if arguments.len() == 2
                && context.function(function).is_some_and(|(path, _)| path == ["walk"]) =>
        {
            let (Some(pattern), Some(walked)) = (arguments.pop(), arguments.pop()) else { return };
            let item = Term::variable(context.fresh(), line);
            let walk = Node::Call(function.clone(), vec![walked, item.clone()]);
            let walk = Statement { line, kind: Kind::Term(Term { line, node: walk }), with: Vec::new() };
            let all = context.fresh();
            let node = Node::Comprehension(Shape::Array, vec![item], vec![walk]);
            body.push(statement.binding(&all, Term { line, node }));
            let node = Node::Reference(Box::new(Term::variable(all, line)), vec![Term::variable("_", line)]);
            *statement =
                Statement { line, kind: Kind::Unify(pattern, Term { line, node }), with: Vec::new() };
        }
        _ => {}
    }
}

fn names(term: &Term) -> bool {
    let mut found = BTreeSet::new();
    variables(term, &mut found);
    !found.is_empty()
}
