//! Arithmetic and set operators as the builtins of OPA's that they stand for: ours compute with decimals as OPA does,
//! and what is neither a number nor a set is a builtin error, undefined where those are not strict.

use super::context::Context;
use super::tree::{Kind, Node, Shape, Statement, Term};

/// Changes the operators of a statement.
pub(super) fn statement(statement: &mut Statement, context: &Context) {
    kind(&mut statement.kind, context);
    for (_, value) in &mut statement.with {
        term(value, context);
    }
}

fn kind(kind: &mut Kind, context: &Context) {
    match kind {
        Kind::Term(one) => term(one, context),
        Kind::Assign(left, right) | Kind::Unify(left, right) => {
            term(left, context);
            term(right, context);
        }
        Kind::SomeIn(key, value, collection) => {
            key.iter_mut().chain([value, collection]).for_each(|one| term(one, context));
        }
        Kind::Every(_, _, domain, _) => term(domain, context),
        Kind::Not(negated) => self::kind(negated, context),
        Kind::Some(_) => {}
    }
}

/// Changes the operators of a term; bodies of comprehensions are changed statement by statement.
pub(super) fn term(term: &mut Term, context: &Context) {
    term.children_mut().into_iter().for_each(|child| self::term(child, context));
    let Node::Infix(operator, left, right) = &term.node else { return };
    let of_sets = is_set_or_object(left) || is_set_or_object(right);
    let Some(name) =
        builtin(operator, of_sets).filter(|name| context.is_local(name) && !context.declares(name))
    else {
        return;
    };
    let function = Term::variable(name, term.line);
    term.node = Node::Call(Box::new(function), vec![(**left).clone(), (**right).clone()]);
}

/// Sets and objects have another order among each other in the interpreter.
fn is_set_or_object(term: &Term) -> bool {
    match term.node {
        Node::Set(_) | Node::Object(_) => true,
        Node::Comprehension(shape, ..) => shape != Shape::Array,
        _ => false,
    }
}

fn builtin(operator: &str, of_sets: bool) -> Option<&'static str> {
    Some(match operator {
        "+" => "plus",
        "-" => "minus",
        "*" => "mul",
        "/" => "div",
        "%" => "rem",
        "|" => "or",
        "&" => "and",
        "<" if of_sets => "lt",
        "<=" if of_sets => "lte",
        ">" if of_sets => "gt",
        ">=" if of_sets => "gte",
        _ => return None,
    })
}
