//! The same files under OPA itself, which is what authors have at hand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use meshgate::engine::Test;
use serde_json::Value;

use crate::{policies, project, reference_tool, rego};

/// The program; none where there is none, which is said, and which CI does not accept.
fn opa() -> Option<PathBuf> {
    let found = reference_tool("MESHGATE_OPA", "opa");
    if found.is_none() {
        println!(
            "left out: no opa; set MESHGATE_OPA or MESHGATE_REFERENCE_TOOLS (tests/reference/build.sh builds it)"
        );
        assert!(std::env::var_os("CI").is_none(), "CI needs opa");
    }
    found
}

fn run(opa: &Path, arguments: &[&str]) -> (Output, String) {
    let output = Command::new(opa).args(arguments).current_dir(project()).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", opa.display()));
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].map(String::from_utf8_lossy).concat();
    (output, text)
}

#[test]
fn opa_has_nothing_to_say() {
    let Some(opa) = opa() else { return };
    let (output, text) = run(&opa, &["check", "--strict", "policies/"]);
    assert!(output.status.success() && text.is_empty(), "{text}");
}

#[test]
fn every_test_passes_in_opa_as_well() {
    let Some(opa) = opa() else { return };
    // The YAML files are bindings and examples, which opa would take for data.
    let (output, text) = run(&opa, &["test", "policies/", "--ignore", "*.yaml", "--format", "json"]);
    let results: Vec<Value> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
    let has_passed =
        |result: &&Value| ["fail", "error", "skip"].iter().all(|member| result.get(member).is_none());
    let (passed, failed): (Vec<&Value>, Vec<&Value>) = results.iter().partition(has_passed);
    println!("opa: {} tests run, {} passed", results.len(), passed.len());
    let place =
        |result: &&Value| format!("{}: {}", result["location"]["file"], result["name"]).replace('"', "");
    assert!(failed.is_empty(), "{}", failed.iter().map(place).collect::<Vec<_>>().join("\n"));
    assert!(output.status.success(), "{text}");

    let name = |result: &Value| {
        format!("{}.{}", result["package"].as_str().unwrap(), result["name"].as_str().unwrap())
    };
    let theirs: BTreeSet<String> = passed.into_iter().map(name).collect();
    let ours = rego::tests(&policies());
    assert_eq!(results.len(), ours.iter().count(), "the number of tests");
    assert_eq!(ours.iter().map(Test::path).collect::<BTreeSet<String>>(), theirs);
}
