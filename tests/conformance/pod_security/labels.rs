//! What the labels of a Namespace come to: policies, and what is wrong with labels.

use std::process::Command;

use meshgate::engine::{Program, ProgramSettings};
use meshgate::policy::Module;
use serde_json::{Value, json};

use super::{modules, spread};
use crate::{Tally, corpus};

const QUESTION: &str = "package question

import data.lib.pod_security.labels

_mode(text) := {\"level\": level, \"version\": version} if [level, version] := split(text, \":\")

_defaults := {mode: _mode(text) | some mode, text in input.defaults}

policy := {mode: labels.title(asked) | some mode, asked in labels.policy(input.labels, _defaults)}

errors := [labels.text(fault) | some fault in labels.faults(input.labels)]
";

/// The lines of a compressed file of the data.
fn lines(name: &str) -> Option<Vec<Value>> {
    let output = Command::new("gzip").arg("-dc").arg(corpus("pss")?.join(name)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[test]
fn label_policies() {
    let Some(rows) = lines("unit/oracle_policy_to_evaluate.jsonl.gz") else { return };
    let question = Module { path: "question.rego".to_owned(), text: QUESTION.to_owned() };
    let modules: Vec<Module> = modules().into_iter().chain([question]).collect();
    let settings = ProgramSettings { strict_builtin_errors: true, ..ProgramSettings::default() };
    let program = Program::load(&modules, &settings).unwrap_or_else(|faults| panic!("{faults}"));
    let answers = spread(&rows, |row| {
        ["policy", "errors"]
            .map(|rule| program.evaluate(&format!("data.question.{rule}"), Some(row)).unwrap().unwrap())
    });
    let mut tally = Tally::new("pod security, label policies");
    for (row, ours) in rows.iter().zip(answers) {
        let errors = if row["errors"].is_null() { json!([]) } else { row["errors"].clone() };
        tally.compare(&row["labels"], ours, [row["policy"].clone(), errors]);
    }
    tally.finish(7_200);
}
