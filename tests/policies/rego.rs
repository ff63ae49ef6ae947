//! The policies' tests under the interpreter that decides: every rule `test_…` of every `*_test.rego` is true.

use std::collections::BTreeSet;

use meshgate::engine::{Tests, Verdict};
use meshgate::policy::{Faults, Module, Tree};

use crate::{policies, texts};

/// Libraries, policies and their tests; an error of a builtin is one, as when they decide.
pub(crate) fn tests(tree: &Tree) -> Tests {
    load(tree).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The same of what may not load.
pub(crate) fn load(tree: &Tree) -> Result<Tests, Faults> {
    let module = |(path, text): (&str, &str)| Module { path: path.to_owned(), text: text.to_owned() };
    Tests::load(texts(tree, ".rego").map(module).collect())
}

#[test]
fn every_test_is_true() {
    let tests = tests(&policies());
    let all = tests.iter().count();
    let ran = tests.iter().map(|test| (test, tests.run(test, false).verdict));
    let failed: Vec<_> = ran.filter(|(_, verdict)| *verdict != Verdict::Passed).collect();
    println!("regorus: {all} tests run, {} passed", all.saturating_sub(failed.len()));
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn no_test_is_lost() {
    let tree = policies();
    let found: BTreeSet<(String, String)> =
        tests(&tree).iter().map(|test| (test.file.clone(), test.name.clone())).collect();
    let lines =
        texts(&tree, "_test.rego").flat_map(|(path, text)| text.lines().map(move |line| (path, line)));
    let lines: Vec<_> = lines.filter(|(_, line)| line.starts_with("test_")).collect();
    let name = |line: &str| line.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap().to_owned();
    let written: BTreeSet<(String, String)> =
        lines.iter().map(|(path, line)| ((*path).to_owned(), name(line))).collect();
    assert_eq!(found, written, "rules `test_…`, and lines that begin so");
    // Two rules of one name are one rule, which is true where either is.
    assert_eq!(written.len(), lines.len(), "a name that is there twice");
    assert!(!written.is_empty());
}
