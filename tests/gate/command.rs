//! `meshgate lint` as people call it.

use std::process::{Command, Output};

use meshgate::policy::Tree;
use serde_json::{Value, json};

use crate::trees;

fn run(arguments: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_meshgate")).arg("lint").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

/// The tree as files; the library is embedded.
fn written(tree: &Tree) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (path, bytes) in tree.iter().filter(|(path, _)| !path.starts_with("lib/")) {
        let file = directory.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    directory
}

#[test]
fn the_exit_code_says_what_was_found() {
    for (body, code, last) in [
        ("deny contains \"no\" if input.request.name == \"a\"", 0, "0 faults, 0 lints\n"),
        ("deny contains input.request.name if true", 1, "0 faults, 1 lint\n"),
        ("deny contains x if true", 2, "1 fault, 0 lints\n"),
    ] {
        let directory = written(&trees::of_policy(body));
        let (output, text) = run(&[directory.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.ends_with(last), "{text}");
    }
}

#[test]
fn what_was_found_is_shown_in_its_line() {
    let directory = written(&trees::of_policy("deny contains x if true"));
    let (_, text) = run(&[directory.path().to_str().unwrap()]);
    let expected = "\
error[MG111]: the variable `x` is bound by nothing
  --> a/b/b.rego:19:15
   |
19 | deny contains x if true
   |               ^
   = assign it with `:=`, iterate with `some x in …`, or correct the name

`meshgate lint --explain MG111` says more.
1 fault, 0 lints
";
    assert_eq!(text, expected);
}

#[test]
fn programs_read_json() {
    let directory = written(&trees::of_policy("deny contains x if true"));
    let (_, text) = run(&[directory.path().to_str().unwrap(), "--format", "json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let expected = json!({
        "apiVersion": "meshgate.io/v1alpha1",
        "kind": "LintReport",
        "findings": [{
            "level": "error", "code": "MG111", "file": "a/b/b.rego", "line": 19, "column": 15, "length": 1,
            "message": "the variable `x` is bound by nothing",
            "remedy": "assign it with `:=`, iterate with `some x in …`, or correct the name",
        }],
        "summary": { "faults": 1, "lints": 0 },
    });
    assert_eq!(report, expected);
}

#[test]
fn a_code_is_explained() {
    let (output, text) = run(&["--explain", "mg111"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text.starts_with("# MG111: a variable that nothing binds\n"), "{text}");
    let (output, _) = run(&["--explain", "MG999"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no code `MG999`; there are MG100"));
}

#[test]
fn a_directory_that_is_not_there_is_unusable() {
    let (output, _) = run(&["/nowhere"]);
    assert_eq!(output.status.code(), Some(2));
}
