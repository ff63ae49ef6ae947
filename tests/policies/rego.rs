//! The policies' tests under the interpreter that decides: every rule `test_…` of every `*_test.rego` is true.

use std::collections::BTreeSet;

use meshgate::policy::Tree;
use regorus::Engine;
use serde_json::Value;

use crate::{policies, texts};

/// A rule of a `*_test.rego`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Test {
    pub(crate) file: String,
    /// Without `data`.
    pub(crate) package: String,
    pub(crate) name: String,
}

impl Test {
    /// Whether it is true; the fault otherwise.
    pub(crate) fn run(&self, engine: &mut Engine) -> Result<(), String> {
        let Self { file, package, name } = self;
        match engine.eval_rule(format!("data.{package}.{name}")) {
            Ok(regorus::Value::Bool(true)) => Ok(()),
            Ok(value) => Err(format!("policies/{file}: {name} is {value}")),
            Err(error) => Err(format!("policies/{file}: {name}: {error}")),
        }
    }
}

/// Libraries, policies and their tests; an error of a builtin is one, as when they decide.
pub(crate) fn engine(tree: &Tree) -> Engine {
    let mut engine = Engine::new();
    engine.set_strict_builtin_errors(true);
    for (path, text) in texts(tree, ".rego") {
        engine.add_policy(path.to_owned(), text.to_owned()).unwrap();
    }
    engine
}

/// All tests, from the interpreter's syntax tree; one entry for each time a rule is written.
pub(crate) fn tests(engine: &Engine, tree: &Tree) -> Vec<Test> {
    let modules: Vec<Value> = serde_json::from_str(&engine.get_ast_as_json().unwrap()).unwrap();
    let mut tests = Vec::new();
    for (file, text) in texts(tree, "_test.rego") {
        let module = modules.iter().find(|module| module["source"]["file"] == file).unwrap();
        let package = text.lines().find_map(|line| line.strip_prefix("package ")).unwrap();
        for rule in module["ast"]["rules"].as_array().unwrap() {
            let name =
                rule.pointer("/Spec/head/Compr/refr/Var/value").and_then(Value::as_str).unwrap_or_default();
            if name.starts_with("test_") {
                tests.push(Test {
                    file: file.to_owned(),
                    package: package.to_owned(),
                    name: name.to_owned(),
                });
            }
        }
    }
    tests
}

#[test]
fn every_test_is_true() {
    let tree = policies();
    let mut engine = engine(&tree);
    let tests = tests(&engine, &tree);
    let failed: Vec<String> = tests.iter().filter_map(|test| test.run(&mut engine).err()).collect();
    println!("regorus: {} tests run, {} passed", tests.len(), tests.len().saturating_sub(failed.len()));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn no_test_is_lost() {
    let tree = policies();
    let tests = tests(&engine(&tree), &tree);
    let written = texts(&tree, "_test.rego").flat_map(|(_, text)| text.lines());
    let written = written.filter(|line| line.starts_with("test_")).count();
    assert_eq!(tests.len(), written, "rules `test_…`, and lines that begin so");
    assert!(written > 0);
    // Two rules of one name are one rule, which is true where either is.
    let distinct: BTreeSet<&Test> = tests.iter().collect();
    let twice: Vec<_> =
        distinct.iter().filter(|one| tests.iter().filter(|test| test == *one).count() > 1).collect();
    assert!(twice.is_empty(), "a name that is there twice: {twice:?}");
}
