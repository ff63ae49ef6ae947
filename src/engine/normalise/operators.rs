//! Arithmetic and set operators as the builtins of OPA's that they stand for: ours compute with decimals as OPA does,
//! and what is neither a number nor a set is a builtin error, undefined where those are not strict.

use super::context::Context;
use super::tree::{Kind, Node, Statement, Term};

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
    let is_plain = [left, right].into_iter().any(|side| matches!(side.node, Node::Constant(_)));
    let Some(name) =
        builtin(operator, is_plain).filter(|name| context.is_local(name) && !context.declares(name))
    else {
        return;
    };
    let function = Term::variable(name, term.line);
    term.node = Node::Call(Box::new(function), vec![(**left).clone(), (**right).clone()]);
}

/// The builtin of an operator. `is_plain`: a side is a scalar, which the interpreter has in OPA's order with everything; sets
/// and objects, also within arrays, it has the other way round.
fn builtin(operator: &str, is_plain: bool) -> Option<&'static str> {
    Some(match operator {
        "+" => "plus",
        "-" => "minus",
        "*" => "mul",
        "/" => "div",
        "%" => "rem",
        "|" => "or",
        "&" => "and",
        "<" if !is_plain => "lt",
        "<=" if !is_plain => "lte",
        ">" if !is_plain => "gt",
        ">=" if !is_plain => "gte",
        _ => return None,
    })
}
