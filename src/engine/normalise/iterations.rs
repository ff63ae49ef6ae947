//! `some x in xs` of what is no collection has no solution; the interpreter takes it for an error, and lets the
//! statement's `with` hold for all that follow. Written as `x := xs[_]`, it does neither.

use std::collections::BTreeSet;

use super::context::{Context, variables};
use super::tree::{Body, Kind, Node, Statement, Term};

/// Changes a `some … in`.
pub(super) fn statement(statement: &mut Statement, before: &mut Body, context: &mut Context) {
    let Kind::SomeIn(key, value, collection) = &statement.kind else { return };
    let (mut key, value, mut collection) = (key.clone(), value.clone(), collection.clone());
    let line = statement.line;
    let is_local = matches!(&collection.node, Node::Variable(name) if context.is_local(name));
    if !is_local || !statement.with.is_empty() {
        let name = context.fresh();
        let bound = std::mem::replace(&mut collection, Term::variable(name.clone(), line));
        before.push(statement.binding(&name, bound));
    }
    let step = key.take().unwrap_or_else(|| Term::variable("_", line));
    let mut names = BTreeSet::new();
    variables(&step, &mut names);
    if !names.is_empty() {
        let kind = Kind::Some(names.into_iter().collect());
        before.push(Statement { line, kind, with: Vec::new() });
    }
    let element = Term { line, node: Node::Reference(Box::new(collection), vec![step]) };
    let mut names = BTreeSet::new();
    variables(&value, &mut names);
    let kind = match &value.node {
        Node::Variable(name) if name == "_" => Kind::Assign(Term::variable(context.fresh(), line), element),
        _ if !names.is_empty() => Kind::Assign(value, element),
        _ => Kind::Term(Term { line, node: Node::Infix("==", Box::new(element), Box::new(value)) }),
    };
    *statement = Statement { line, kind, with: Vec::new() };
}
