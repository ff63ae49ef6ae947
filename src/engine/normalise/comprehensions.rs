//! A comprehension's term that iterates (`[x[_] | …]`) is bound at the end of its body: the interpreter takes what
//! it can't iterate for an error there, and binds no index. So is one with `in`, which is to be undefined where its
//! operands are.

use super::context::{Context, declared};
use super::documents;
use super::heads::drop_not_true;
use super::relations::is_walk;
use super::tree::{Body, Kind, Node, Statement, Term};

/// Changes the terms of a comprehension.
pub(super) fn heads(heads: &mut [Term], body: &mut Body, context: &mut Context) {
    let mut kept = Some(std::mem::take(body));
    drop_not_true(heads.iter(), &mut kept, context);
    *body = kept.unwrap_or_default();
    context.enter(declared(body));
    for head in heads.iter_mut() {
        if unsettled(head, context) {
            let name = context.fresh();
            let bound = std::mem::replace(head, Term::variable(name.clone(), head.line));
            body.push(Statement::assign(&name, bound));
        }
    }
    context.leave();
    if body.is_empty() {
        let line = heads.first().map(|head| head.line).unwrap_or_default();
        let always = Term { line, node: Node::Constant("true".to_owned()) };
        body.push(Statement { line, kind: Kind::Term(always), with: Vec::new() });
    }
}

fn unsettled(term: &Term, context: &Context) -> bool {
    let here = match &term.node {
        Node::Comprehension(..) => return false,
        Node::Reference(..) if documents::has(term, context) => true,
        Node::In(..) => true,
        Node::Call(..) if is_walk(term, context) => true,
        Node::Reference(_, steps) => steps.iter().any(|step| match &step.node {
            Node::Constant(_) | Node::Name(_) => false,
            Node::Variable(name) => !context.declares(name),
            _ => true,
        }),
        _ => false,
    };
    here || term.children().into_iter().any(|child| unsettled(child, context))
}
