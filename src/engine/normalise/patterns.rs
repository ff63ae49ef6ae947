//! An object pattern matches objects with just its keys; the interpreter lets there be more. What is matched is bound
//! before, and its members are counted.

use super::context::Context;
use super::tree::{Body, Kind, Node, Shape, Statement, Term};

/// Changes the object patterns of a statement.
pub(super) fn statement(
    statement: &mut Statement,
    before: &mut Body,
    after: &mut Body,
    context: &mut Context,
) {
    let like = statement.clone();
    let (pattern, matched) = match &mut statement.kind {
        Kind::Unify(left, right) if is_pattern(right) && !has_variables(left) => (right, left),
        Kind::Assign(left, right) | Kind::Unify(left, right) if is_pattern(left) && !has_variables(right) => {
            (left, right)
        }
        _ => return,
    };
    if !matches!(matched.node, Node::Variable(_)) {
        let name = context.fresh();
        let bound = std::mem::replace(matched, Term::variable(name.clone(), like.line));
        before.push(like.binding(&name, bound));
        statement.with.clear();
    }
    counts(pattern, matched, after, context);
}

/// An object with variables, or an array of such.
fn is_pattern(term: &Term) -> bool {
    match &term.node {
        Node::Object(_) => has_variables(term),
        Node::Array(items) => items.iter().any(is_pattern),
        _ => false,
    }
}

/// Whether a literal has variables.
fn has_variables(term: &Term) -> bool {
    let variable = |child: &&Term| matches!(child.node, Node::Variable(_)) || has_variables(child);
    matches!(term.node, Node::Object(_) | Node::Array(_)) && term.children().iter().any(variable)
}

fn counts(pattern: &Term, matched: &Term, after: &mut Body, context: &mut Context) {
    let line = pattern.line;
    match &pattern.node {
        Node::Object(members) => {
            after.push(count(matched, keys(members, line), context));
            for (key, value) in members {
                counts(value, &step(matched, key.clone()), after, context);
            }
        }
        Node::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let index = Term { line, node: Node::Constant(index.to_string()) };
                counts(item, &step(matched, index), after, context);
            }
        }
        _ => {}
    }
}

fn step(base: &Term, step: Term) -> Term {
    let node = match &base.node {
        Node::Reference(base, steps) => Node::Reference(base.clone(), [steps.as_slice(), &[step]].concat()),
        _ => Node::Reference(Box::new(base.clone()), vec![step]),
    };
    Term { line: base.line, node }
}

/// How many keys there are; those that are no constants can be the same.
fn keys(members: &[(Term, Term)], line: u32) -> Term {
    let term = |node| Term { line, node };
    if members.iter().all(|(key, _)| key.as_json().is_some()) {
        return term(Node::Constant(members.len().to_string()));
    }
    let keys = term(Node::Set(members.iter().map(|(key, _)| key.clone()).collect()));
    term(Node::Call(Box::new(Term::variable("count", line)), vec![keys]))
}

/// `count([true | x := MATCHED[_]]) == LENGTH`, which is no error for what is no object.
fn count(matched: &Term, length: Term, context: &mut Context) -> Statement {
    let line = matched.line;
    let term = |node| Term { line, node };
    let member = step(matched, Term::variable("_", line));
    let body = vec![Statement::assign(&context.fresh(), member)];
    let all = term(Node::Comprehension(Shape::Array, vec![term(Node::Constant("true".to_owned()))], body));
    let count = term(Node::Call(Box::new(Term::variable("count", line)), vec![all]));
    let equal = term(Node::Infix("==", Box::new(count), Box::new(length)));
    Statement { line, kind: Kind::Term(equal), with: Vec::new() }
}
