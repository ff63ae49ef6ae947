//! Rules of one name that all say the same constant: OPA evaluates them one after the other until one holds. Where one of
//! them can end in an error that is to be seen, so they are written as one rule with `else`.

use super::context::{Context, declared};
use super::failures::of_statement;
use super::guards::moved;
use super::tree::{Body, Branch, Module, Node, Rule, Term};

/// Joins the rules of a module that follow each other.
pub(super) fn module(module: &mut Module, context: &mut Context) {
    let rules = std::mem::take(&mut module.rules);
    let of_name = |rule: &Rule| {
        let name = key(rule);
        rules.iter().filter(|other| !other.default && key(other) == name).collect::<Vec<_>>()
    };
    let joins: Vec<bool> = rules
        .iter()
        .map(|rule| {
            let all = of_name(rule);
            all.len() > 1
                && agree(&all)
                && context.definitions(&rule.reference) == all.len()
                && all.iter().any(|rule| fails(rule, context))
        })
        .collect();
    for (rule, joins) in rules.into_iter().zip(joins) {
        match module.rules.last_mut() {
            Some(last) if joins && !last.default && same(last, &rule) => join(last, rule),
            _ => module.rules.push(rule),
        }
    }
}

fn join(first: &mut Rule, next: Rule) {
    let Rule { line, value, body, otherwise, .. } = next;
    first.otherwise.push(Branch { line, value, body });
    first.otherwise.extend(otherwise);
}

/// What rules of one name have in common.
fn key(rule: &Rule) -> String {
    format!("{:?}", moved(rule.reference.clone(), 0))
}

fn same(first: &Rule, next: &Rule) -> bool {
    let arguments = |rule: &Rule| {
        let all = rule.arguments.iter().flatten().map(|argument| moved(argument.clone(), 0));
        format!("{:?}", all.collect::<Vec<_>>())
    };
    let holds = |body: &Option<Body>| body.is_none();
    let ends = first.otherwise.last().map_or(holds(&first.body), |branch| holds(&branch.body));
    !ends && key(first) == key(next) && arguments(first) == arguments(next)
}

/// Whether they are complete rules or functions, and say one constant.
fn agree(rules: &[&Rule]) -> bool {
    let value = |value: &Option<Term>| match value.as_ref().map(|value| &value.node) {
        None => Some("true".to_owned()),
        Some(Node::Constant(json)) => Some(json.clone()),
        _ => None,
    };
    let all = rules.iter().flat_map(|rule| {
        let steps = match &rule.reference.node {
            Node::Reference(_, steps) => steps.as_slice(),
            _ => &[],
        };
        let is_complete = rule.key.is_none() && steps.iter().all(|step| step.as_json().is_some());
        let values = std::iter::once(&rule.value).chain(rule.otherwise.iter().map(|branch| &branch.value));
        values.map(move |one| value(one).filter(|_| is_complete))
    });
    let mut all = all.collect::<Vec<_>>();
    all.dedup();
    matches!(all.as_slice(), [Some(_)])
}

fn fails(rule: &Rule, context: &mut Context) -> bool {
    let bodies = std::iter::once(&rule.body).chain(rule.otherwise.iter().map(|branch| &branch.body));
    bodies.flatten().any(|body| {
        context.enter(declared(body));
        let fails = body.iter().any(|statement| of_statement(statement, context));
        context.leave();
        fails
    })
}
