//! `f(x, y)` of an `f` with one argument unifies its result with `y`. Written as `y = f(x)`, which holds for builtins
//! of ours too, whose arity the interpreter does not know.

use super::context::Context;
use super::tree::{Kind, Node, Statement, Term};

/// Changes a call with one argument too many.
pub(super) fn statement(statement: &mut Statement, context: &Context) {
    match &mut statement.kind {
        Kind::Not(negated) => call(negated, context),
        kind => call(kind, context),
    }
}

fn call(kind: &mut Kind, context: &Context) {
    let Kind::Term(Term { line, node: Node::Call(function, arguments) }) = kind else { return };
    let Some((_, arity)) = context.function(function) else { return };
    // `walk` is a relation.
    if arguments.len() != arity.saturating_add(1) || function.path().is_some_and(|path| path == ["walk"]) {
        return;
    }
    let Some(output) = arguments.pop() else { return };
    let call = Term { line: *line, node: Node::Call(function.clone(), std::mem::take(arguments)) };
    *kind = Kind::Unify(output, call);
}
