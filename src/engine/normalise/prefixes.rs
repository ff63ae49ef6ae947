//! A rule like `p.q[x].r := …` makes `p.q` an object also where it has no solution; in the interpreter it is
//! undefined then. It makes the object for a function below `p.q`, so each such rule gets one beside it.

use std::collections::BTreeSet;

use super::context::Context;
use super::tree::{Kind, Module, Node, Rule, Statement, Term};

/// Adds the functions. And where `p.q[x]` is a rule, `p.q.a` becomes one like it: the interpreter evaluates one of the
/// two where `p.q.a` is read, and never the other.
pub(super) fn module(module: &mut Module, context: &mut Context) {
    for rule in module.rules.iter_mut().filter(|rule| rule.arguments.is_none() && !rule.default) {
        generalise(rule, context);
    }
    let mut prefixes: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut added = Vec::new();
    for rule in &module.rules {
        let Some((prefix, path)) = prefix(rule) else { continue };
        if prefixes.insert(path) {
            let of_names = prefix.path().is_some();
            let made = if of_names { function } else { no_member };
            added.push(made(&prefix, rule.line, context));
        }
    }
    module.rules.append(&mut added);
}

fn generalise(rule: &mut Rule, context: &mut Context) {
    let Node::Reference(base, steps) = &mut rule.reference.node else { return };
    let first = base.path().into_iter().flatten().map(|name| serde_json::Value::from(name).to_string());
    let names: Vec<String> = first.chain(steps.iter().map_while(Term::as_json)).collect();
    let Some(general) = context.general(&names) else { return };
    let mut bound = Vec::new();
    let of_names = names.len().saturating_sub(1);
    for step in steps.iter_mut().take(of_names).skip(general.saturating_sub(1)) {
        let name = context.fresh();
        let line = step.line;
        let constant = Term { line, node: Node::Constant(step.as_json().unwrap_or_default()) };
        *step = Term::variable(name.clone(), line);
        bound.push(Statement::assign(&name, constant));
    }
    if bound.is_empty() {
        return;
    }
    for body in [&mut rule.body].into_iter().chain(rule.otherwise.iter_mut().map(|branch| &mut branch.body)) {
        body.get_or_insert_default().extend(bound.iter().cloned());
    }
}

/// The part of a head without variables that is an object, and it as JSON, where the interpreter makes none of it: where
/// something follows its first variable, or where it is not of names alone.
fn prefix(rule: &Rule) -> Option<(Term, Vec<String>)> {
    let Node::Reference(base, steps) = &rule.reference.node else { return None };
    let of_names = steps.iter().take_while(|step| step.as_text().is_some()).count();
    let constants = steps.iter().take_while(|step| step.as_json().is_some()).count();
    if rule.arguments.is_some() || rule.default {
        return None;
    }
    let is_ground = constants == steps.len();
    let length = match rule.key {
        // The interpreter makes it, but not where something is replaced.
        None if is_ground && of_names == constants && rule.body.is_some() => constants.saturating_sub(1),
        _ if is_ground && of_names == constants => return None,
        // The set that is there.
        Some(_) if is_ground => return None,
        _ if is_ground => constants.saturating_sub(1),
        // `p[x] := y` without more is a partial object, which the interpreter knows.
        None if steps.len() == constants.saturating_add(1) => return None,
        _ => constants,
    };
    let steps = steps.iter().take(length).cloned().collect::<Vec<_>>();
    let path = base.path()?.into_iter().chain(steps.iter().filter_map(Term::as_json)).collect();
    let node = if steps.is_empty() { base.node.clone() } else { Node::Reference(base.clone(), steps) };
    Some((Term { line: rule.line, node }, path))
}

/// `PREFIX[x] := true if { x := ""; false }`: the interpreter makes the object of a rule with such a head.
fn no_member(prefix: &Term, line: u32, context: &mut Context) -> Rule {
    let name = context.fresh();
    let constant = |json: &str| Term { line, node: Node::Constant(json.to_owned()) };
    let never = Statement { line, kind: Kind::Term(constant("false")), with: Vec::new() };
    let node = match &prefix.node {
        Node::Reference(base, steps) => {
            let last = Term::variable(name.clone(), line);
            Node::Reference(base.clone(), [steps.as_slice(), &[last]].concat())
        }
        node => node.clone(),
    };
    Rule {
        line,
        default: false,
        reference: Term { line, node },
        arguments: None,
        key: None,
        value: Some(constant("true")),
        body: Some(vec![Statement::assign(&name, constant("\"\"")), never]),
        otherwise: Vec::new(),
    }
}

fn function(prefix: &Term, line: u32, context: &mut Context) -> Rule {
    let step = Term { line, node: Node::Name(context.fresh()) };
    let node = match &prefix.node {
        Node::Reference(base, steps) => Node::Reference(base.clone(), [steps.as_slice(), &[step]].concat()),
        _ => Node::Reference(Box::new(prefix.clone()), vec![step]),
    };
    Rule {
        line,
        default: false,
        reference: Term { line, node },
        arguments: Some(vec![Term::variable("_", line)]),
        key: None,
        value: Some(Term { line, node: Node::Constant("true".to_owned()) }),
        body: None,
        otherwise: Vec::new(),
    }
}
