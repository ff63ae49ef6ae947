//! Every body of a module, from the innermost outwards, statement by statement through the passes.

use std::collections::BTreeSet;

use super::context::{Context, declared, variables};
use super::tree::{Body, Kind, Module, Node, Rule, Statement, Term};
use super::{
    absent, comprehensions, documents, every, guards, heads, iterations, membership, negation, operators,
    order, outputs, patterns, relations, replacements, schedule, unifications,
};

/// Changes all of a module.
pub(super) fn module(module: &mut Module, context: &mut Context) {
    for rule in &mut module.rules {
        self::rule(rule, context);
    }
    module.rules.append(&mut context.added);
}

fn rule(rule: &mut Rule, context: &mut Context) {
    let mut arguments = BTreeSet::new();
    rule.arguments.iter().flatten().for_each(|argument| variables(argument, &mut arguments));
    context.enter(arguments);
    if rule.default {
        rule.value.iter_mut().for_each(|value| term(value, context));
    } else {
        heads::rule(rule, context);
        guard(rule, context);
        let Rule { reference, key, value, body, otherwise, .. } = rule;
        branch([Some(reference), key.as_mut(), value.as_mut()].into_iter().flatten(), body, context);
        for otherwise in otherwise {
            branch(otherwise.value.iter_mut(), &mut otherwise.body, context);
        }
    }
    context.leave();
}

fn guard(rule: &mut Rule, context: &mut Context) {
    let others = rule.otherwise.iter_mut().map(|branch| &mut branch.body);
    for body in [&mut rule.body].into_iter().chain(others).flatten() {
        context.enter(declared(body));
        guards::body(body, context);
        context.leave();
    }
}

/// A body with the terms of its head, which see what it declares.
fn branch<'a>(heads: impl Iterator<Item = &'a mut Term>, body: &mut Option<Body>, context: &mut Context) {
    context.enter(body.as_ref().map(declared).unwrap_or_default());
    heads.for_each(|head| term(head, context));
    context.leave();
    if let Some(body) = body {
        self::body(body, context);
    }
}

fn body(body: &mut Body, context: &mut Context) {
    context.enter(declared(body));
    for mut statement in std::mem::take(body).into_iter().flat_map(unifications::parts) {
        nested(&mut statement, context);
        self::statement(statement, body, context);
    }
    declarations(body);
    every::waits(body, context);
    schedule::body(body, context);
    context.leave();
}

/// A statement through the passes; what is bound before it, too.
fn statement(mut statement: Statement, body: &mut Body, context: &mut Context) {
    operators::statement(&mut statement, context);
    absent::statement(&mut statement, context);
    let mut before = Vec::new();
    order::statement(&mut statement, &mut before, context);
    replacements::statement(&mut statement, &mut before, context);
    membership::statement(&mut statement, &mut before, context);
    relations::statement(&mut statement, &mut before, context);
    negation::statement(&mut statement, &mut before, context);
    if documents::statement(&mut statement, &mut before, context) {
        nested(&mut statement, context);
    }
    outputs::statement(&mut statement, context);
    iterations::statement(&mut statement, &mut before, context);
    let mut after = Vec::new();
    patterns::statement(&mut statement, &mut before, &mut after, context);
    before.into_iter().for_each(|before| self::statement(before, body, context));
    body.push(statement);
    body.append(&mut after);
}

/// `some x` goes to the front of its body, where nothing iterates yet: the interpreter takes a second round over it
/// for a second declaration.
fn declarations(body: &mut Body) {
    let mut names = BTreeSet::new();
    let line = body.first().map(|statement| statement.line).unwrap_or_default();
    body.retain(|statement| {
        let Kind::Some(some) = &statement.kind else { return true };
        names.extend(some.iter().cloned());
        false
    });
    if !names.is_empty() {
        let kind = Kind::Some(names.into_iter().collect());
        body.insert(0, Statement { line, kind, with: Vec::new() });
    }
}

/// The bodies within a statement.
fn nested(statement: &mut Statement, context: &mut Context) {
    kind(&mut statement.kind, context);
    for (target, value) in &mut statement.with {
        term(target, context);
        term(value, context);
    }
}

fn kind(kind: &mut Kind, context: &mut Context) {
    match kind {
        Kind::Some(_) => {}
        Kind::SomeIn(key, value, collection) => {
            key.iter_mut().for_each(|key| term(key, context));
            term(value, context);
            term(collection, context);
        }
        Kind::Term(one) => term(one, context),
        Kind::Assign(left, right) | Kind::Unify(left, right) => {
            term(left, context);
            term(right, context);
        }
        Kind::Not(negated) => self::kind(negated, context),
        Kind::Every(key, value, domain, body) => {
            term(domain, context);
            every::domain(key.as_deref(), domain, body, context);
            // The interpreter does not know that they are bound, where something is unified with them.
            for name in key.iter_mut().chain([value]).filter(|name| *name != "_") {
                let line = domain.line;
                let given = context.fresh();
                let name = std::mem::replace(name, given.clone());
                body.insert(0, Statement::assign(&name, Term::variable(given, line)));
            }
            context.enter(BTreeSet::new());
            self::body(body, context);
            context.leave();
        }
    }
}

fn term(term: &mut Term, context: &mut Context) {
    if let Node::Comprehension(_, heads, body) = &mut term.node {
        comprehensions::heads(heads, body, context);
        context.enter(declared(body));
        heads.iter_mut().for_each(|head| {
            operators::term(head, context);
            self::term(head, context);
        });
        context.leave();
        self::body(body, context);
        return;
    }
    term.children_mut().into_iter().for_each(|child| self::term(child, context));
}
