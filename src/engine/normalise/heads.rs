//! A term in a rule's head that can be undefined, or that iterates, is bound at the end of the body: the interpreter
//! drops all that a rule has found where one solution has an undefined head.

use std::collections::BTreeSet;

use super::context::{Context, declared, variables};
use super::failures::of_statement;
use super::tree::{Body, Kind, Module, Node, Rule, Statement, Term};

/// Drops the bodies of a module that are as none, before other passes add to them.
pub(super) fn bodies(module: &mut Module, context: &mut Context) {
    for rule in &mut module.rules {
        let mut arguments = BTreeSet::new();
        rule.arguments.iter().flatten().for_each(|argument| variables(argument, &mut arguments));
        context.enter(arguments);
        not_true(rule, context);
        context.leave();
    }
}

/// Changes a rule's head and the values of its else-branches.
pub(super) fn rule(rule: &mut Rule, context: &mut Context) {
    arguments(rule, context);
    variable_key(rule, context);
    let Rule { reference, key, value, body, otherwise, .. } = rule;
    let steps = match &mut reference.node {
        Node::Reference(_, steps) => steps.as_mut_slice(),
        _ => &mut [],
    };
    literals(steps, body, context);
    settle(steps.iter_mut().chain(key).chain(value), body, context);
    for branch in otherwise {
        settle(branch.value.iter_mut(), &mut branch.body, context);
    }
}

/// `contains "a"`: the interpreter looks for no second solution, in which OPA may meet an error.
fn variable_key(rule: &mut Rule, context: &mut Context) {
    if let (Some(key), Some(body)) = (&mut rule.key, &mut rule.body)
        && matches!(key.node, Node::Constant(_))
        && body.iter().any(|statement| of_statement(statement, context))
    {
        let name = context.fresh();
        let bound = std::mem::replace(key, Term::variable(name.clone(), key.line));
        body.push(Statement::assign(&name, bound));
    }
}

/// `{ not true }` as the whole body, or `{ true with … }`, is as none to OPA where the head has something to evaluate.
fn not_true(rule: &mut Rule, context: &Context) {
    let Rule { reference, arguments, key, value, body, otherwise, .. } = rule;
    let steps = match &reference.node {
        Node::Reference(_, steps) => steps.as_slice(),
        _ => &[],
    };
    if steps.iter().any(|step| is_evaluated(step, context)) && says_true(body).is_some() {
        *body = None;
    }
    let heads = arguments.iter().flatten().chain(&*key).chain(&*value);
    drop_not_true(heads, body, context);
    for branch in otherwise {
        drop_not_true(branch.value.iter(), &mut branch.body, context);
    }
}

/// The same for one body.
pub(super) fn drop_not_true<'a>(
    mut heads: impl Iterator<Item = &'a Term>,
    body: &mut Option<Body>,
    context: &Context,
) {
    let Some(statement) = says_true(body) else { return };
    // OPA takes the steps of a head's reference out first, then calls of heads, then those of values of `with`, then what else
    // heads evaluate: the body is no longer `true` alone for those that come after a statement was put there.
    let has_others = statement.with.iter().any(|(_, value)| has_call(value));
    let is_reached = |head: &Term| has_call(head) || !has_others && is_evaluated(head, context);
    if heads.any(is_reached) {
        *body = None;
    }
}

/// The one statement of a body, where it is `true` or `not true`, also with a `with`.
fn says_true(body: &Option<Body>) -> Option<&Statement> {
    let [statement] = body.as_deref()? else { return None };
    is_true(&statement.kind).then_some(statement)
}

fn has_call(term: &Term) -> bool {
    match term.node {
        Node::Call(..) | Node::Infix(..) | Node::In(..) => true,
        Node::Comprehension(..) => false,
        // It is taken out like a call.
        Node::Reference(ref base, _) if base.root().is_none() => true,
        _ => term.children().into_iter().any(has_call),
    }
}

fn is_true(kind: &Kind) -> bool {
    match kind {
        Kind::Term(Term { node: Node::Constant(json), .. }) => json == "true",
        Kind::Not(negated) => is_true(negated),
        _ => false,
    }
}

fn is_evaluated(term: &Term, context: &Context) -> bool {
    let here = match &term.node {
        Node::Call(..) | Node::Reference(..) | Node::Comprehension(..) | Node::Infix(..) | Node::In(..) => {
            true
        }
        Node::Variable(name) => !context.is_local(name),
        _ => false,
    };
    here || term.children().into_iter().any(|child| is_evaluated(child, context))
}

fn settle<'a>(terms: impl Iterator<Item = &'a mut Term>, body: &mut Option<Body>, context: &mut Context) {
    context.enter(body.as_ref().map(declared).unwrap_or_default());
    let mut after = Vec::new();
    for term in terms {
        if !context.is_settled(term) || unifies(term) {
            let name = context.fresh();
            let bound = std::mem::replace(term, Term::variable(name.clone(), term.line));
            after.push(Statement::assign(&name, bound));
        }
    }
    context.leave();
    if !after.is_empty() {
        body.get_or_insert_default().append(&mut after);
    }
}

/// Whether a comprehension unifies: in a head the interpreter does not know which of its variables the body binds.
fn unifies(term: &Term) -> bool {
    let here = match &term.node {
        Node::Comprehension(_, _, body) => {
            body.iter().any(|statement| matches!(statement.kind, Kind::Unify(..)))
        }
        _ => false,
    };
    here || term.children().into_iter().any(unifies)
}

/// The interpreter takes no literal that is made of others as a part of the reference.
fn literals(steps: &mut [Term], body: &mut Option<Body>, context: &mut Context) {
    let is_literal = |step: &Term| {
        matches!(step.node, Node::Comprehension(..) | Node::Array(_) | Node::Set(_) | Node::Object(_))
    };
    for step in steps.iter_mut().filter(|step| is_literal(step)) {
        let name = context.fresh();
        let bound = std::mem::replace(step, Term::variable(name.clone(), step.line));
        body.get_or_insert_default().push(Statement::assign(&name, bound));
    }
}

/// What an argument of a function demands beside its shape is demanded by the body.
fn arguments(rule: &mut Rule, context: &mut Context) {
    let mut before = Vec::new();
    let mut seen = BTreeSet::new();
    for argument in rule.arguments.iter_mut().flatten() {
        again(argument, &seen, &mut before, context);
        variables(argument, &mut seen);
        pattern(argument, &mut before, context);
    }
    if before.is_empty() {
        return;
    }
    for body in [&mut rule.body].into_iter().chain(rule.otherwise.iter_mut().map(|branch| &mut branch.body)) {
        let mut whole = before.clone();
        whole.append(body.get_or_insert_default());
        *body = Some(whole);
    }
}

/// `f(x, x)`: a variable of an argument before is the same value; the interpreter binds it anew.
fn again(argument: &mut Term, seen: &BTreeSet<String>, before: &mut Body, context: &mut Context) {
    let line = argument.line;
    match &argument.node {
        Node::Variable(name) if seen.contains(name) => {
            let fresh = Term::variable(context.fresh(), line);
            let first = std::mem::replace(argument, fresh.clone());
            let node = Node::Infix("==", Box::new(fresh), Box::new(first));
            before.push(Statement { line, kind: Kind::Term(Term { line, node }), with: Vec::new() });
        }
        Node::Array(_) => {
            argument.children_mut().into_iter().for_each(|child| again(child, seen, before, context));
        }
        _ => {}
    }
}

fn pattern(argument: &mut Term, before: &mut Body, context: &mut Context) {
    match &argument.node {
        Node::Constant(_) | Node::Name(_) | Node::Variable(_) => {}
        Node::Object(_) => {
            let name = context.fresh();
            let line = argument.line;
            let pattern = std::mem::replace(argument, Term::variable(name.clone(), line));
            let kind = Kind::Unify(pattern, Term::variable(name, line));
            before.push(Statement { line, kind, with: Vec::new() });
        }
        Node::Array(_) => {
            argument.children_mut().into_iter().for_each(|child| pattern(child, before, context));
        }
        _ => {
            let name = context.fresh();
            let line = argument.line;
            let wanted = std::mem::replace(argument, Term::variable(name.clone(), line));
            let equal = Node::Infix("==", Box::new(Term::variable(name, line)), Box::new(wanted));
            let kind = Kind::Term(Term { line, node: equal });
            before.push(Statement { line, kind, with: Vec::new() });
        }
    }
}
