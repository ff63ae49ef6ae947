//! What can end in an error when it is evaluated: calls, because of the types of what they are given, and rules, because
//! of what they call or because two of them say something else. Where nothing can, OPA's order of evaluation can't be
//! seen, and is not kept.

use super::context::Context;
use super::tree::{Kind, Node, Shape, Statement, Term};

/// Builtins that take anything.
const TOTAL: [&str; 12] = [
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "lt",
    "gt",
    "lte",
    "gte",
    "type_name",
];

/// Whether evaluating a statement can end in an error.
pub(super) fn of_statement(statement: &Statement, context: &Context) -> bool {
    of_kind(&statement.kind, context) || statement.with.iter().any(|(_, value)| of_term(value, context))
}

fn of_kind(kind: &Kind, context: &Context) -> bool {
    match kind {
        Kind::Some(_) => false,
        Kind::Term(term) => of_term(term, context),
        Kind::Assign(left, right) | Kind::Unify(left, right) => {
            of_term(left, context) || of_term(right, context)
        }
        Kind::SomeIn(key, value, collection) => {
            key.iter().chain([value, collection]).any(|term| of_term(term, context))
        }
        Kind::Not(negated) => of_kind(negated, context),
        Kind::Every(_, _, domain, body) => {
            of_term(domain, context) || body.iter().any(|statement| of_statement(statement, context))
        }
    }
}

/// Whether evaluating a term can end in an error.
pub(super) fn of_term(term: &Term, context: &Context) -> bool {
    let here = match &term.node {
        Node::Call(function, _) => {
            context.function(function).is_none_or(|(path, _)| !TOTAL.contains(&path.join(".").as_str()))
        }
        Node::Variable(_) | Node::Reference(..) => context.is_rule(term),
        // Two values for one key.
        Node::Comprehension(Shape::Object, ..) => true,
        Node::Comprehension(_, _, body) => body.iter().any(|statement| of_statement(statement, context)),
        Node::Infix("+" | "-" | "*" | "/" | "%" | "|" | "&", ..) => true,
        _ => false,
    };
    here || term.children().into_iter().any(|child| of_term(child, context))
}

/// Whether a term can be undefined, have several values, or end in an error.
pub(super) fn is_open(term: &Term, context: &Context) -> bool {
    match &term.node {
        Node::Comprehension(..) => of_term(term, context),
        _ => !context.is_settled(term),
    }
}

/// Whether a term has several values, or can have: it is referred into with a variable. The interpreter iterates all
/// such before it evaluates the rest of a statement.
pub(super) fn iterates(term: &Term) -> bool {
    let variable = |step: &Term| !matches!(step.node, Node::Constant(_) | Node::Name(_));
    let here = matches!(&term.node, Node::Reference(_, steps) if steps.iter().any(variable));
    let within = !matches!(term.node, Node::Comprehension(..));
    here || within && term.children().into_iter().any(iterates)
}
