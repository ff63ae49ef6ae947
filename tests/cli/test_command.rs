//! `meshgate test`: what it runs, what it says of it, and its exit codes.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Run, folder, meshgate, run};

const POLICY: &str = r##"# METADATA
# title: t
# description: d
# custom:
#   match:
#     rules:
#       - {apiGroups: [""], apiVersions: [v1], resources: [pods]}
package policies.workloads.named

deny contains msg if {
	input.request.object.metadata.name == "bad"
	msg := "<bad> & \"worse\""
}

deny contains msg if {
	input.request.object.metadata.labels.never == "reached"
	msg := "never"
}
"##;

const TESTS: &str = r#"package policies.workloads.named_test

import data.policies.workloads.named

_named(name) := {"request": {"object": {"metadata": {"name": name}}}}

test_good if {
	named.deny with input as _named("good") == set()
}

test_bad if {
	found := named.deny with input as _named("bad")
	found == {"<bad> & \"worse\""}
}

todo_test_later if named.later
"#;

const FAILING: &str = r#"package policies.workloads.named_failing_test

import data.policies.workloads.named

_named(name) := {"request": {"object": {"metadata": {"name": name}}}}

test_a_set if {
	found := named.deny with input as _named("bad")
	found == {
		"bad",
		"missing",
	}
}

test_with_modifiers_on_both if {
	true
	"x" == _denied with input as _named("bad")
}

_denied := msg if some msg in named.deny

test_an_element if {
	every name, number in {"bad": 1, "good": 1} {
		found := named.deny with input as _named(name)
		count(found) == number
	}
}

test_an_object if {
	{"a": 1, "b": {"c": []}} == object.union({"a": 1}, {"b": null})
}

test_undefined if {
	named.nothing == 1
}

test_false if not named

test_many if {
	some x in [1, 2, 3]
	x > 3
}

test_order if [2, 1] == [1, 2]

test_bound_later if {
	some x
	x == 2
	x = 1
}

test_cases[name] if some name in ["a"]

test_error if to_number("x") == 1

test_conflict if _two == 1

_two := x if some x in [1, 2]
"#;

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME}\nspec: {containers: [{name: a, image: a}]}\n";

/// A tree with that one policy, and what else is given.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let mut all = vec![("p/workloads/named/named.rego", POLICY)];
    all.extend(files);
    folder(&all)
}

/// A tree in which something of everything fails.
pub(crate) fn failing() -> TempDir {
    let (good, bad) = (POD.replace("NAME", "good"), POD.replace("NAME", "bad"));
    tree(&[
        ("p/workloads/named/named_test.rego", TESTS),
        ("p/workloads/named/named_failing_test.rego", FAILING),
        ("p/workloads/named/examples/allowed-good.yaml", &good),
        ("p/workloads/named/examples/denied-bad.yaml", &bad),
        ("p/workloads/named/examples/denied-but-good.yaml", &good),
        ("p/workloads/named/examples/allowed-bad.yaml", &bad),
        ("p/workloads/named/examples/mutated-good.yaml", &good),
        ("p/workloads/named/examples/warned-bad.yaml", &bad),
        ("p/workloads/named/examples/refused-bad.yaml", &bad),
        ("p/workloads/named/examples/allowed-nothing.yaml", "kind: Pod\n"),
        ("p/workloads/other/examples/allowed-good.yaml", &good),
    ])
}

fn test(tree: &TempDir, arguments: &[&str]) -> Run {
    test_in(tree.path(), arguments)
}

fn test_in(directory: &Path, arguments: &[&str]) -> Run {
    let all: Vec<&str> = ["test"].iter().chain(arguments).copied().collect();
    run(directory, &all, "")
}

#[test]
fn what_is_embedded_passes() {
    let embedded = meshgate(&["test"]);
    assert_eq!((embedded.code, embedded.err.as_str()), (0, ""), "{}", embedded.out);
    assert!(embedded.out.contains(" 0 failed, 0 in error, 0 skipped\n"), "{}", embedded.out);
    assert_eq!(meshgate(&["test", "embedded/starter"]).out, embedded.out);
    let strict = meshgate(&["test", "embedded/strict"]);
    assert_eq!((strict.code, strict.err.as_str()), (0, ""), "{}", strict.out);
    let listed = meshgate(&["test", "-v"]).out;
    assert!(
        listed.contains(": passed: data.policies.images.no_latest_test.test_the_tag_latest\n")
            && listed.contains("denied-latest.yaml:1: passed: example of images/no_latest\n"),
        "{listed}"
    );
}

#[test]
fn what_fails_is_shown_with_its_place_and_its_difference() {
    let tree = failing();
    let failed = test(&tree, &["p"]);
    assert_eq!((failed.code, failed.err.as_str()), (1, ""));
    insta::assert_snapshot!("test_failing", failed.out);
    for _ in 0..3 {
        assert_eq!(test(&tree, &["-p", "p/"]).out, failed.out, "the order of what is done does not show");
    }
}

#[test]
fn what_is_chosen_is_run() {
    let tree = failing();
    for (regex, code, expected) in [
        ("test_good$", 0, "1 test, 0 examples: 1 passed"),
        ("named_test", 0, "3 tests, 0 examples: 2 passed, 0 failed, 0 in error, 1 skipped"),
        ("^data.policies.*test_a_set", 1, "1 test, 0 examples: 0 passed, 1 failed"),
        ("examples/allowed-good", 1, "0 tests, 2 examples: 1 passed, 1 failed"),
        ("nothing of this name", 0, "no tests and no examples: nothing was run"),
    ] {
        let ran = test(&tree, &["p", "--run", regex]);
        assert_eq!(ran.code, code, "{regex}: {}", ran.out);
        assert!(ran.out.contains(expected), "{regex}: {}", ran.out);
    }
    let wrong = test(&tree, &["p", "--run", "("]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
}

#[test]
fn lines_that_no_test_reaches_are_named() {
    let tree = tree(&[("p/workloads/named/named_test.rego", TESTS), ("p/lib/idle/idle.rego", IDLE)]);
    let ran = test(&tree, &["p", "--coverage"]);
    insta::assert_snapshot!("test_coverage", ran.out);
    let report: Value = serde_json::from_str(&test(&tree, &["p", "--coverage", "-o", "json"]).out).unwrap();
    let expected = json!([
        { "file": "p/lib/idle/idle.rego", "covered": [], "notCovered": [3, 5, 7], "percentage": 0.0 },
        { "file": "p/workloads/named/named.rego", "covered": [10, 11, 12, 16], "notCovered": [15, 17], "percentage": 66.6 },
    ]);
    assert_eq!(report["coverage"], expected);
}

const IDLE: &str = "package lib.idle\n\ndefault a := 1\n\nb(x) := x + 1\n\nc contains 1\n";

#[test]
fn the_report_for_programs_has_every_case_once() {
    let tree = failing();
    let ran = test(&tree, &["p", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &report["kind"]), (1, &json!("TestReport")));
    let summary = &report["summary"];
    let count = |status: &str| summary[status].as_u64().unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert_eq!(count("tests") + count("examples"), u64::try_from(cases.len()).unwrap());
    let sum = count("passed") + count("failed") + count("errors") + count("skipped");
    assert_eq!(sum, u64::try_from(cases.len()).unwrap(), "{summary}");
    let expected = json!({
        "kind": "test", "group": "policies.workloads.named_failing_test", "name": "test_a_set",
        "file": "p/workloads/named/named_failing_test.rego", "line": 7, "status": "failed",
        "failure": {
            "line": 9, "expression": "found == {\n\t\"bad\",\n\t\"missing\",\n}", "notes": [],
            "missing": ["\"bad\"", "\"missing\""], "extra": ["\"<bad> & \\\"worse\\\"\""],
        },
    });
    assert_eq!(cases[0], expected);
}

#[test]
fn the_report_for_build_servers() {
    let ran = test(&failing(), &["p", "--format", "junit"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!("test_junit", ran.out);
}

#[test]
fn a_tree_without_tests_says_so() {
    let ran = test(&tree(&[]), &["p"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "no tests and no examples: nothing was run\n"));
    let ran = test(&tree(&[]), &["p", "--format", "junit"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "no tests and no examples: nothing was run\n"));
}

#[test]
fn what_does_not_load_is_not_tested() {
    for (file, text, needle) in [
        (
            "p/workloads/named/named_test.rego",
            "package a\n\ntest_a if {\n",
            "p/workloads/named/named_test.rego:4",
        ),
        ("p/workloads/named/other.rego", "package a\n", "p/workloads/named/other.rego: a Rego file lies at"),
        (
            "p/workloads/named/named_test.rego",
            "package a\n\ntest_a if x == 1\n",
            "p/workloads/named/named_test.rego:3",
        ),
        ("p/b.yaml", "kind: x\n", "p/b.yaml:1"),
    ] {
        let ran = test(&tree(&[(file, text)]), &["p"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{file}");
        assert!(ran.err.contains(needle), "{file}: {}", ran.err);
    }
    assert_eq!(test(&tree(&[]), &["absent"]).code, 2);
    assert_eq!(test(&tree(&[]), &["p", "-p", "p"]).code, 2, "two trees");
}

#[test]
fn examples_need_the_parameters_that_their_policy_needs() {
    let policy = POLICY.replace(
        "#   match:",
        "#   parameters: {type: object, required: [label], properties: {label: {type: string}}}\n#   match:",
    );
    let pod = POD.replace("NAME", "good");
    let files = [
        ("p/workloads/named/named.rego", policy.as_str()),
        ("p/workloads/named/examples/allowed-a.yaml", &pod),
    ];
    let ran = test(&folder(&files), &["p"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("workloads/named is not bound, and can't be without parameters: "),
        "{}",
        ran.out
    );
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: workloads/named, enforcement: audit, parameters: {label: a}}\n";
    let ran = test(&folder(&[files[0], files[1], ("p/b.yaml", binding)]), &["p"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}
