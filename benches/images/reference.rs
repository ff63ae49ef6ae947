//! The library that cosign verifies with, beside us: the same bundles, keys and roots, on one core.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::kinds::Kind;

/// How often each is verified.
const TIMES: &str = "500";

/// Prints what the other side takes, or that it refuses what we accept.
pub(crate) fn measure(kinds: &[Kind]) {
    let Some(program) = std::env::var_os("MESHGATE_IMAGES_REFERENCE") else {
        println!("left out: the library of cosign; benches/images/run builds it");
        return;
    };
    // One core, its collector of garbage on it.
    let mut command = Command::new(program);
    command.args(["-times", TIMES]).env("GOMAXPROCS", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let lines: Vec<String> = kinds.iter().map(|kind| format!("{}\n", kind.question)).collect();
    // It answers while it is asked.
    let asking = std::thread::spawn(move || stdin.write_all(lines.concat().as_bytes()));
    let output = child.wait_with_output().expect("it ends");
    asking.join().expect("a thread ends").expect("it reads");
    assert!(output.status.success(), "the library of cosign fails");
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        let name = answer.get("name").and_then(Value::as_str).unwrap_or_default();
        match (answer.get("nanoseconds").and_then(Value::as_f64), answer.get("refused")) {
            (Some(nanoseconds), _) => println!("sigstore-go: {name}: {:.1} µs", nanoseconds / 1_000.0),
            (None, why) => println!("sigstore-go: {name}: refused: {}", why.unwrap_or(&Value::Null)),
        }
    }
}
