//! `walk` has many results, one for each value within its argument. The interpreter iterates only where it is a
//! statement with a second argument, so every other use is written as one.

use super::context::{Context, variables};
use super::tree::{Body, Kind, Node, Statement, Term};

/// Changes the uses of `walk` in a statement.
pub(super) fn statement(statement: &mut Statement, before: &mut Body, context: &mut Context) {
    let like = statement.clone();
    if let Some((pattern, declares)) = pattern_of(&mut statement.kind, context) {
        let mut names = std::collections::BTreeSet::new();
        variables(&pattern, &mut names);
        if declares && !names.is_empty() {
            let kind = Kind::Some(names.into_iter().collect());
            before.push(Statement { line: statement.line, kind, with: Vec::new() });
        }
        if let Kind::Term(Term { node: Node::Call(_, arguments), .. }) = &mut statement.kind {
            arguments.push(pattern);
        }
    }
    let terms = match &mut statement.kind {
        // The statement itself may be a walk; what is below it may not.
        Kind::Term(term) => term.children_mut(),
        Kind::Not(negated) => match &mut **negated {
            Kind::Term(term) => vec![term],
            Kind::Assign(left, right) | Kind::Unify(left, right) => vec![left, right],
            _ => Vec::new(),
        },
        Kind::Assign(left, right) | Kind::Unify(left, right) => vec![left, right],
        Kind::SomeIn(_, _, collection) | Kind::Every(_, _, collection, _) => vec![collection],
        Kind::Some(_) => Vec::new(),
    };
    for term in terms {
        within(term, &like, before, context);
    }
}

/// `PATTERN := walk(…)` becomes `walk(…)`; gives the pattern, and whether it declares its variables.
fn pattern_of(kind: &mut Kind, context: &Context) -> Option<(Term, bool)> {
    let (pattern, walk, declares) = match kind {
        Kind::Assign(left, right) if is_walk(right, context) => (left, right, true),
        Kind::Unify(left, right) if is_walk(right, context) => (left, right, false),
        Kind::Unify(left, right) if is_walk(left, context) => (right, left, false),
        _ => return None,
    };
    let (pattern, walk) = (pattern.clone(), walk.clone());
    *kind = Kind::Term(walk);
    Some((pattern, declares))
}

fn within(term: &mut Term, like: &Statement, before: &mut Body, context: &mut Context) {
    if matches!(term.node, Node::Comprehension(..)) {
        return;
    }
    for child in term.children_mut() {
        within(child, like, before, context);
    }
    if is_walk(term, context) {
        let name = context.fresh();
        let mut walk = std::mem::replace(term, Term::variable(name.clone(), term.line));
        if let Node::Call(_, arguments) = &mut walk.node {
            arguments.push(Term::variable(name, walk.line));
        }
        before.push(Statement { line: walk.line, kind: Kind::Term(walk), with: like.with.clone() });
    }
}

/// Whether a term is `walk(…)` with its one argument.
pub(super) fn is_walk(term: &Term, context: &Context) -> bool {
    let Node::Call(function, arguments) = &term.node else { return false };
    arguments.len() == 1 && context.function(function).is_some_and(|(path, _)| path == ["walk"])
}
