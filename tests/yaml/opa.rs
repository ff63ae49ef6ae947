//! The real OPA as a reader and a writer of YAML: generated texts through `yaml.unmarshal` and `yaml.is_valid`, generated
//! values through `yaml.marshal`.
//!
//! `MESHGATE_YAML=SEED:COUNT` runs so many of each, from SEED on.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use meshgate::engine::{Program, ProgramSettings};
use meshgate::policy::Module;
use meshgate::yaml::opa::{self, Unread};
use serde_json::{Value, json};

use crate::generate::Generator;

const MODULE: &str = "package main\n\n\
    read := {\"valid\": yaml.is_valid(input), \"value\": [x | x := yaml.unmarshal(input)]}\n\
    written := [x | x := yaml.marshal(input)]\n";

/// What is of no kind that policies meet and is left out rather than read in another way may be this much.
const LEFT_OUT: usize = 30;

#[test]
fn opa_agrees_on_generated_texts_and_values() {
    let Some(opa) = opa() else { return };
    let (seed, count) = range();
    let mut generator = Generator::new(seed);
    let texts = (0..count).map(|index| ("data.main.read", Value::from(generator.text_of_opa(index))));
    let texts: Vec<(&str, Value)> = texts.collect();
    let values = (0..count).map(|_| ("data.main.written", generator.value_of_opa(0)));
    let asked: Vec<(&str, Value)> = texts.into_iter().chain(values).collect();
    let theirs = answers(&opa, &asked);
    let module = Module { path: "main.rego".to_owned(), text: MODULE.to_owned() };
    let program = Program::load(&[module], &ProgramSettings::default()).unwrap();
    let (mut left_out, mut different) = (0, Vec::new());
    for ((query, input), theirs) in asked.iter().zip(&theirs) {
        let ours = program.evaluate(query, Some(input));
        match (ours, theirs) {
            (Ok(Some(ours)), Some(theirs)) if is_same(&ours, theirs) => {}
            (Err(_), Some(_)) => left_out += 1,
            (ours, theirs) => different.push(format!("{input}\n  ours   {ours:?}\n  theirs {theirs:?}")),
        }
    }
    println!("{} asked, {} different, {left_out} left out", asked.len(), different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(left_out * LEFT_OUT < asked.len(), "{left_out} left out");
}

fn opa() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let path = variable("MESHGATE_OPA_BATCH")
        .or_else(|| variable("MESHGATE_REFERENCE_TOOLS").map(|directory| directory.join("opa-batch")));
    if path.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no opa-batch; set MESHGATE_OPA_BATCH");
        println!("left out: no opa-batch; set MESHGATE_OPA_BATCH or MESHGATE_REFERENCE_TOOLS");
    }
    path
}

fn range() -> (u64, usize) {
    let text = std::env::var("MESHGATE_YAML").unwrap_or_else(|_| "1:1500".to_owned());
    let (seed, count) = text.split_once(':').expect("MESHGATE_YAML is SEED:COUNT");
    (seed.parse().unwrap(), count.parse().unwrap())
}

/// What OPA says to each; None where it has no value.
fn answers(opa: &PathBuf, asked: &[(&str, Value)]) -> Vec<Option<Value>> {
    let question = |(query, input): &(&str, Value)| {
        json!({ "modules": { "main.rego": MODULE }, "input": input, "query": query }).to_string()
    };
    let text = asked.iter().map(question).collect::<Vec<_>>().join("\n");
    let mut child = Command::new(opa).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap().get("result").cloned())
        .collect();
    assert_eq!(answers.len(), asked.len());
    answers
}

/// Equality of JSON, numbers by value.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_same(a, b)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn what_grows_by_aliases_is_an_error() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", [below.as_str(); 10].join(", ")));
    }
    // Few nodes, of much text.
    let text = "x".repeat(1 << 20);
    let long = format!("- &a {text}\n{}", "- *a\n".repeat(20));
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let expected = [(bomb, "excessive aliasing"), (long, "too large"), (deep, "levels of nesting")];
    for (text, part) in expected {
        let Err(Unread::Wrong(message) | Unread::Beyond(message)) = opa::read(&text) else {
            panic!("{part}: was read")
        };
        assert!(message.contains(part), "{message}");
    }
}

/// The values are those of OPA 1.x, whose scanner ends a block where the text ends, also without a line feed.
#[test]
fn a_block_that_the_text_s_end_cuts_off_has_no_line_feed() {
    let cases = [
        ("a: |\n  x", Some("x")),
        ("a: |+\n  x", Some("x")),
        ("a: >-\n  x\n  y", Some("x y")),
        ("a: |\n  x\n", Some("x\n")),
        ("a: |\n  x\n  ", Some("x\n")),
        ("a: |+\n  x\n  ", Some("x\n")),
        ("a: |+\n  x\n\n  ", Some("x\n\n")),
        ("a: |\n  x\n# c", Some("x\n")),
        ("a: |\n  x\n--- |\n y", Some("x\n")),
        ("a: |\n  x\r", Some("x\n")),
        ("a: |", Some("")),
        // OPA: "x\n ".
        ("a: |\n  x\n   ", None),
    ];
    for (text, expected) in cases {
        let read = opa::read(text);
        let expected = expected.map(|expected| json!({ "a": expected }));
        assert!(expected.is_some() || matches!(read, Err(Unread::Beyond(_))), "{text:?}: {read:?}");
        assert_eq!(read.ok(), expected, "{text:?}");
    }
    for text in ["\"a\\", "%YAML 1.2\n---\na"] {
        assert!(matches!(opa::read(text), Err(Unread::Wrong(_))), "{text:?}");
    }
}
