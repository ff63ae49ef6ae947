//! Names by what they stand for. An import by its path: the interpreter evaluates all of an imported package where one
//! of its rules is read through the import's name. And rules under keywords: `if.x := 1` in the package `a` is the
//! rule `x` of the package `a.if`, and is moved there, with what it names of its own package by whole paths.

use std::collections::BTreeMap;

use super::context::Context;
use super::globals;
use super::tree::{Module, Node, Rule, Term};
use crate::engine::syntax::keyword;

/// Turns keywords that go by another name back, and gives the modules of the rules that are moved.
pub(super) fn modules(module: &mut Module, context: &mut Context) -> Vec<Module> {
    let Module { package, imports, .. } = module.clone();
    let own = context.of_package();
    let imported = |name: &str| imports.iter().any(|import| import.name == name);
    let whole = |name: &str, line: u32| {
        let path = package.iter().map(String::as_str).chain([keyword(name).unwrap_or(name)]);
        let steps = path.map(|part| Term::text(part, line)).collect();
        Term { line, node: Node::Reference(Box::new(Term::variable("data", line)), steps) }
    };
    let of_import = |name: &str, line: u32| {
        let (root, steps) = imports.iter().find(|import| import.name == name)?.path.split_first()?;
        let root = Term::variable(root.clone(), line);
        let steps: Vec<Term> = steps.iter().map(|part| Term::text(part, line)).collect();
        let node = if steps.is_empty() { root.node } else { Node::Reference(Box::new(root), steps) };
        Some(Term { line, node })
    };
    // A `with` may name a function by another path than a call; the interpreter compares them as they are written.
    let replaced = context.of_functions();
    let of_keyword = |name: &str, line: u32| {
        let of_package = (keyword(name).is_some() || replaced(name)) && !imported(name);
        of_package.then(|| whole(name, line)).or_else(|| of_import(name, line))
    };
    let of_package =
        |name: &str, line: u32| own(name).then(|| whole(name, line)).or_else(|| of_import(name, line));
    let mut moved: BTreeMap<String, Vec<Rule>> = BTreeMap::new();
    for mut rule in std::mem::take(&mut module.rules) {
        let root = rule.reference.root().and_then(keyword).map(str::to_owned);
        if let (Some(keyword), Some(reference)) = (root, below(&rule.reference)) {
            globals::replace(&mut rule, context, &of_package);
            moved.entry(keyword).or_default().push(Rule { reference, ..rule });
        } else {
            globals::replace(&mut rule, context, &of_keyword);
            module.rules.push(rule);
        }
    }
    let module = |(keyword, rules)| Module {
        package: [package.as_slice(), &[keyword]].concat(),
        imports: imports.clone(),
        rules,
    };
    moved.into_iter().map(module).collect()
}

/// `x.y` of `if.x.y`.
fn below(reference: &Term) -> Option<Term> {
    let Node::Reference(_, steps) = &reference.node else { return None };
    let (first, rest) = steps.split_first()?;
    let Node::Name(name) = &first.node else { return None };
    let base = Term::variable(name.clone(), first.line);
    let node = if rest.is_empty() { base.node } else { Node::Reference(Box::new(base), rest.to_vec()) };
    Some(Term { line: reference.line, node })
}
