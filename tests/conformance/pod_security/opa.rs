//! The same Rego under OPA: the verdict and the message of every fixture.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::{Violation, fixtures, input, lines, modules, text, tool};
use crate::{Tally, corpus};

const QUESTION: &str = "package question

answers := [answer |
	some input_of in data.inputs
	answer := data.policies.pod_security.standard.deny with input as input_of
]
";

#[test]
fn every_fixture_in_opa() {
    let (Some(rows), Some(opa)) = (lines("oracle/fixtures.jsonl"), tool("opa")) else { return };
    let testdata = corpus("pss").unwrap().join("test/testdata");
    let inputs = rows.iter().map(|row| {
        let pod = fixtures::fixture(&testdata, row);
        input(text(row, "level"), text(row, "version"), &pod).unwrap()
    });
    let data = json!({ "inputs": inputs.collect::<Vec<_>>() });
    let directory = tempfile::tempdir().unwrap();
    for module in modules() {
        let path = directory.path().join("policies").join(module.path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, module.text).unwrap();
    }
    fs::write(directory.path().join("question.rego"), QUESTION).unwrap();
    fs::write(directory.path().join("inputs.json"), data.to_string()).unwrap();
    let arguments = ["eval", "-d", "policies", "-d", "question.rego", "-d", "inputs.json", "--format", "raw"];
    let output = Command::new(opa)
        .args(arguments)
        .args(["--strict-builtin-errors", "data.question.answers"])
        .current_dir(directory.path())
        .output()
        .unwrap();
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(answers.len(), rows.len());
    let mut tally = Tally::new("pod security, fixtures in OPA");
    for (row, answer) in rows.iter().zip(answers) {
        let denial = &answer[0];
        let violations = denial["details"]["violations"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ours: Vec<Violation> = violations.iter().map(Violation::read).collect();
        let theirs = row["violations"].as_array().map(Vec::as_slice).unwrap_or_default();
        let theirs: Vec<Violation> = theirs.iter().map(Violation::read).collect();
        let message = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        tally.compare(text(row, "path"), (ours, message(&denial["msg"])), (theirs, message(&row["message"])));
    }
    tally.finish(4_537);
}
