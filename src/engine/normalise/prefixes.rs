//! A rule like `p.q[x].r := …` makes `p.q` an object also where it has no solution; in the interpreter it is
//! undefined then. It makes the object for a function below `p.q`, so each such rule gets one beside it.

use std::collections::BTreeSet;

use super::context::Context;
use super::tree::{Module, Node, Rule, Statement, Term};

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
            added.push(function(&prefix, rule.line, context));
        }
    }
    module.rules.append(&mut added);
}

fn generalise(rule: &mut Rule, context: &mut Context) {
    let Node::Reference(base, steps) = &mut rule.reference.node else { return };
    let names: Vec<String> =
        base.path().into_iter().flatten().chain(steps.iter().map_while(Term::as_text)).collect();
    let Some(general) = context.general(&names) else { return };
    let mut bound = Vec::new();
    let of_names = names.len().saturating_sub(1);
    for step in steps.iter_mut().take(of_names).skip(general.saturating_sub(1)) {
        let name = context.fresh();
        let text = Term::text(&step.as_text().unwrap_or_default(), step.line);
        *step = Term::variable(name.clone(), step.line);
        bound.push(Statement::assign(&name, text));
    }
    if bound.is_empty() {
        return;
    }
    for body in [&mut rule.body].into_iter().chain(rule.otherwise.iter_mut().map(|branch| &mut branch.body)) {
        body.get_or_insert_default().extend(bound.iter().cloned());
    }
}

/// The part of a head without variables, where something follows its first variable.
fn prefix(rule: &Rule) -> Option<(Term, Vec<String>)> {
    let Node::Reference(base, steps) = &rule.reference.node else { return None };
    let names = steps.iter().take_while(|step| step.as_text().is_some()).count();
    // `p[x] := y` without more is a partial object, which the interpreter knows.
    let more = steps.len() > names.saturating_add(1) || rule.key.is_some();
    if names == steps.len() || !more || rule.arguments.is_some() {
        return None;
    }
    let steps = steps.iter().take(names).cloned().collect::<Vec<_>>();
    let node = if steps.is_empty() { base.node.clone() } else { Node::Reference(base.clone(), steps) };
    let prefix = Term { line: rule.line, node };
    let path = prefix.path()?;
    Some((prefix, path))
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
