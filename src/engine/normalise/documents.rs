//! `data[x].y`: the interpreter evaluates what is called exactly so, and not what of it comes from other rules or
//! from rules with variables in their heads. `data[x]` alone is evaluated whole, so it is bound before.

use super::context::Context;
use super::tree::{Body, Kind, Node, Shape, Statement, Term};

/// Changes the references of a statement; whether a negation became a comprehension, whose body is new.
pub(super) fn statement(statement: &mut Statement, before: &mut Body, context: &mut Context) -> bool {
    if let Kind::Not(negated) = &statement.kind {
        let has = terms(&mut negated.clone()).into_iter().any(|term| has(term, context));
        if has {
            *statement = none(statement);
        }
        return has;
    }
    let like = statement.clone();
    for term in terms(&mut statement.kind) {
        within(term, &like, before, context);
    }
    false
}

fn terms(kind: &mut Kind) -> Vec<&mut Term> {
    match kind {
        Kind::Term(term) => vec![term],
        Kind::Assign(left, right) | Kind::Unify(left, right) => vec![left, right],
        Kind::SomeIn(_, _, term) | Kind::Every(_, _, term, _) => vec![term],
        Kind::Some(_) | Kind::Not(_) => Vec::new(),
    }
}

fn within(term: &mut Term, like: &Statement, before: &mut Body, context: &mut Context) {
    if matches!(term.node, Node::Comprehension(..)) {
        return;
    }
    for child in term.children_mut() {
        within(child, like, before, context);
    }
    let Some(length) = computed(term, context) else { return };
    let Node::Reference(base, steps) = &mut term.node else { return };
    let rest = steps.split_off(length);
    let document = Term { line: term.line, node: Node::Reference(base.clone(), std::mem::take(steps)) };
    let name = context.fresh();
    term.node = Node::Reference(Box::new(Term::variable(name.clone(), term.line)), rest);
    before.push(like.binding(&name, document));
}

/// Whether there is such a reference in a term, bodies of comprehensions left aside.
pub(super) fn has(term: &Term, context: &Context) -> bool {
    !matches!(term.node, Node::Comprehension(..))
        && (computed(term, context).is_some() || term.children().into_iter().any(|child| has(child, context)))
}

/// How many steps a reference into `data` has up to its first computed one, where more follow.
fn computed(term: &Term, context: &Context) -> Option<usize> {
    let Node::Reference(base, steps) = &term.node else { return None };
    if !matches!(&base.node, Node::Variable(name) if name == "data" && !context.declares(name)) {
        return None;
    }
    let length = steps.iter().position(|step| step.as_text().is_none())?.saturating_add(1);
    (length < steps.len()).then_some(length)
}

/// `[true | STATEMENT] == []` of `not STATEMENT`.
pub(super) fn none(statement: &Statement) -> Statement {
    let line = statement.line;
    let Kind::Not(negated) = &statement.kind else { return statement.clone() };
    let held = Statement { line, kind: (**negated).clone(), with: statement.with.clone() };
    let yes = Term { line, node: Node::Constant("true".to_owned()) };
    let all = Term { line, node: Node::Comprehension(Shape::Array, vec![yes], vec![held]) };
    let empty = Term { line, node: Node::Array(Vec::new()) };
    let node = Node::Infix("==", Box::new(all), Box::new(empty));
    Statement { line, kind: Kind::Term(Term { line, node }), with: Vec::new() }
}
