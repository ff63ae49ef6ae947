//! The builtins against the real OPA: what `tests/fixtures/builtins` says of it is so. The unit tests of the engine
//! hold our builtins to the same files, so that they need no OPA.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

const SIGNATURES: &str = include_str!("../fixtures/builtins/signatures.tsv");
const CALLS: &str = include_str!("../fixtures/builtins/calls.jsonl");

/// Where OPA is; none if nobody says so, which CI does not accept.
fn opa() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let found = of("MESHGATE_OPA").or_else(|| of("MESHGATE_REFERENCE_TOOLS").map(|tools| tools.join("opa")));
    if found.is_none() {
        println!("left out: no opa; set MESHGATE_OPA or MESHGATE_REFERENCE_TOOLS");
        assert!(std::env::var_os("CI").is_none(), "CI needs opa");
    }
    found
}

fn answer(opa: &Path, arguments: &[&str]) -> Value {
    let output = Command::new(opa).args(arguments).output().unwrap();
    assert!(output.status.success(), "opa: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn signatures_are_those_of_opa() {
    let Some(opa) = opa() else { return };
    let capabilities = answer(&opa, &["capabilities", "--current"]);
    let builtins = capabilities["builtins"].as_array().unwrap().iter();
    let mut theirs: Vec<String> = builtins
        .map(|builtin| format!("{}\t{}", builtin["name"].as_str().unwrap(), signature(&builtin["decl"])))
        .collect();
    theirs.sort();
    println!("{} builtins", theirs.len());
    assert_eq!(SIGNATURES.lines().collect::<Vec<_>>(), theirs);
}

/// A signature in the notation of our table.
fn signature(declared: &Value) -> String {
    let mut arguments: Vec<String> =
        declared["args"].as_array().into_iter().flatten().map(notation).collect();
    arguments.extend(declared.get("variadic").map(|any| format!("{}…", notation(any))));
    let result = declared.get("result").map(notation).unwrap_or_default();
    format!("{} -> {result}", arguments.join(", ")).trim().to_owned()
}

fn notation(of: &Value) -> String {
    let all =
        |name: &str| -> Vec<String> { of[name].as_array().into_iter().flatten().map(notation).collect() };
    match of["type"].as_str().unwrap() {
        "any" if of["of"].as_array().is_none_or(Vec::is_empty) => "any".to_owned(),
        "any" => all("of").join("|"),
        "array" => match of.get("dynamic") {
            Some(rest) => format!("[{}]", notation(rest)),
            None => format!("({})", all("static").join(", ")),
        },
        "set" => format!("{{{}}}", notation(&of["of"])),
        "object" => {
            let known = of["static"].as_array().into_iter().flatten();
            let rest = of
                .get("dynamic")
                .map(|rest| format!("{}: {}", notation(&rest["key"]), notation(&rest["value"])));
            let members = known.map(|member| format!("{}: {}", member["key"], notation(&member["value"])));
            format!("{{{}}}", members.chain(rest).collect::<Vec<_>>().join(", "))
        }
        simple => simple.to_owned(),
    }
}

#[test]
fn calls_have_the_results_of_opa() {
    let Some(opa) = opa() else { return };
    let calls: Vec<Value> = CALLS.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let deprecated = |call: &&Value| {
        let name = call["call"].as_str().unwrap();
        name.starts_with("cast_")
            || ["all", "any", "net.cidr_overlap", "re_match", "set_diff"].contains(&name)
    };
    let (old, new): (Vec<&Value>, Vec<&Value>) = calls.iter().partition(deprecated);
    let different = [
        compare(&opa, &new, "package calls\n", &[]),
        // The deprecated ones are in the first version of Rego alone.
        compare(&opa, &old, "package calls\n\nimport future.keywords\n", &["--v0-compatible"]),
    ]
    .concat();
    println!("{} calls, {} different", calls.len(), different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// The calls of which OPA says something else.
fn compare(opa: &Path, calls: &[&Value], head: &str, flags: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let (module, input) = (directory.path().join("calls.rego"), directory.path().join("input.json"));
    let mut values = Vec::new();
    // Arguments come out of the input, or of a function that may give anything: their types must not be known.
    let mut text = format!("{head}\nanything(x) := object.get({{}}, \"\", x)\n\n");
    for (number, call) in calls.iter().enumerate() {
        let arguments = call["arguments"].as_array().unwrap().iter();
        let arguments: Vec<String> = arguments.map(|argument| term(argument, &mut values)).collect();
        let expression = format!("{}({})", call["call"].as_str().unwrap(), arguments.join(", "));
        text.push_str(&format!("out[\"{number}\"] := x if {{ x := {expression} }}\n"));
    }
    std::fs::write(&module, text).unwrap();
    std::fs::write(&input, json!({ "values": values }).to_string()).unwrap();
    let files = ["-i", input.to_str().unwrap(), "-d", module.to_str().unwrap()];
    let theirs = answer(opa, &[&["eval", "--format=json"], flags, &files, &["data.calls.out"]].concat());
    let theirs = &theirs["result"][0]["expressions"][0]["value"];
    let differs = |(number, call): (usize, &&Value)| {
        let theirs = theirs.get(number.to_string());
        (call.get("result") != theirs).then(|| format!("{call}: theirs {theirs:?}"))
    };
    calls.iter().enumerate().filter_map(differs).collect()
}

/// An argument as Rego; sets are written as `{"$set": […]}` in the file.
fn term(argument: &Value, values: &mut Vec<Value>) -> String {
    match argument.get("$set").and_then(Value::as_array) {
        Some(items) if items.is_empty() => "anything(set())".to_owned(),
        Some(items) => {
            let items: Vec<String> = items.iter().map(|item| term(item, values)).collect();
            format!("anything({{{}}})", items.join(", "))
        }
        None => {
            values.push(argument.clone());
            format!("input.values[{}]", values.len().saturating_sub(1))
        }
    }
}
