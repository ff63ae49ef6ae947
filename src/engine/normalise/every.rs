//! `every` meets the members of a set in OPA's order, and stops at the first for which its body does not hold. In the
//! interpreter sets come before objects, which is to be seen where a body can end in an error.

use std::collections::BTreeSet;

use super::context::{Context, declared};
use super::failures::of_statement;
use super::tree::{Body, Kind, Node, Shape, Statement, Term};

/// Sorts a set that is written out, where its order is to be seen.
pub(super) fn domain(key: Option<&str>, domain: &mut Term, body: &Body, context: &mut Context) {
    let is_set = matches!(domain.node, Node::Set(_) | Node::Comprehension(Shape::Set, ..));
    if !is_set || key.is_some_and(|key| key != "_") {
        return;
    }
    context.enter(declared(body));
    let fails = body.iter().any(|statement| of_statement(statement, context));
    context.leave();
    let line = domain.line;
    let sort = Term::variable("sort", line);
    if fails && context.function(&sort).is_some_and(|(path, _)| path == ["sort"]) {
        let set = std::mem::replace(domain, Term::variable("_", line));
        domain.node = Node::Call(Box::new(sort), vec![set]);
    }
}

/// The interpreter comes to an `every` before what its body uses of the body around it is known: its collection names that
/// too, as `[COLLECTION, [x, y]][0]`.
pub(super) fn waits(body: &mut Body, context: &Context) {
    for number in 0..body.len() {
        let mut elsewhere = BTreeSet::new();
        let others = body.iter().enumerate().filter(|(other, _)| *other != number);
        others.for_each(|(_, other)| {
            other.terms().into_iter().for_each(|term| mentioned(term, &mut elsewhere))
        });
        let Some(Statement { line, kind: Kind::Every(key, value, domain, inner), .. }) = body.get_mut(number)
        else {
            continue;
        };
        let (mut used, mut own) = (BTreeSet::new(), BTreeSet::from([value.clone()]));
        own.extend(key.clone());
        within(inner, &mut used, &mut own);
        let is_around = |name: &&String| elsewhere.contains(*name) || context.declares(name);
        let used = used.difference(&own).filter(|name| context.is_local(name)).filter(is_around);
        let used: Vec<Term> = used.map(|name| Term::variable(name.clone(), *line)).collect();
        if !used.is_empty() {
            let used = Term { line: *line, node: Node::Array(used) };
            let collection = std::mem::replace(domain, Term::variable("_", *line));
            *domain = collection.beside(Some(used));
        }
    }
}

/// The variables in a term, without those of bodies and without functions.
fn mentioned(term: &Term, names: &mut BTreeSet<String>) {
    match &term.node {
        Node::Variable(name) if name != "_" => {
            names.insert(name.clone());
        }
        Node::Comprehension(..) => {}
        Node::Call(_, arguments) => arguments.iter().for_each(|argument| mentioned(argument, names)),
        _ => term.children().into_iter().for_each(|child| mentioned(child, names)),
    }
}

/// The variables in a body with all bodies in it, and those that they declare.
fn within(body: &Body, used: &mut BTreeSet<String>, own: &mut BTreeSet<String>) {
    own.extend(declared(body));
    for statement in body {
        statement.terms().into_iter().for_each(|term| inside(term, used, own));
        if let Kind::Every(key, value, _, body) = &statement.kind {
            own.extend(key.iter().chain([value]).cloned());
            within(body, used, own);
        }
    }
}

fn inside(term: &Term, used: &mut BTreeSet<String>, own: &mut BTreeSet<String>) {
    match &term.node {
        Node::Variable(_) => mentioned(term, used),
        Node::Comprehension(_, heads, body) => {
            heads.iter().for_each(|head| inside(head, used, own));
            within(body, used, own);
        }
        Node::Call(_, arguments) => arguments.iter().for_each(|argument| inside(argument, used, own)),
        _ => term.children().into_iter().for_each(|child| inside(child, used, own)),
    }
}
