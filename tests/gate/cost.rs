//! What a module costs the gate grows with its length, whatever its types are: what doubles a type with every line, or a
//! look with every level, must not double the time.

use std::time::{Duration, Instant};

use meshgate::engine::{Program, ProgramSettings};
use meshgate::policy::Module;

/// Far more than any of these takes, on a machine that is busy; what doubles would take years.
const LIMIT: Duration = Duration::from_secs(120);

fn loads(name: &str, text: &str) {
    let start = Instant::now();
    let module = Module { path: format!("{name}.rego"), text: format!("package a\n\n{text}\n") };
    if let Err(faults) = Program::load(&[module], &ProgramSettings::default()) {
        panic!("{name}: {faults}");
    }
    let took = start.elapsed();
    println!("{name}: {} bytes, {took:?}", text.len());
    assert!(took < LIMIT, "{name}: {took:?}");
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn types_that_double_are_given_up() {
    let arrays = lines(60, |n| format!("a{} := [a{n}, a{n}] if true", n + 1));
    loads("arrays", &format!("a0 := input.x\n{arrays}\np if a60 == a59"));
    let objects = lines(60, |n| format!("o{} := {{\"l\": o{n}, \"r\": o{n}}}", n + 1));
    loads("objects", &format!("o0 := 1\n{objects}\np if {{ x := o60; x.l.r == o58 }}"));
    let locals = lines(60, |n| format!("\tx{} := [x{n}, {{\"a\": x{n}}}]", n + 1));
    loads("locals", &format!("p if {{\n\tx0 := input.x\n{locals}\n\tx60 == x60\n}}"));
}

#[test]
fn nested_closures_are_looked_at_once() {
    let depth = 9;
    let (open, close) = ("[x | x := ".repeat(depth), "]".repeat(depth));
    loads("comprehensions", &format!("p := {open}input.x{close}"));
    let (open, close) = ("[x | some x in [y | y := ".repeat(4), "]]".repeat(4));
    loads("iterations", &format!("p := {open}input.x[_]{close}"));
}

#[test]
fn wide_types_are_given_up() {
    let elements = (0..3_000).map(|n| format!("{{\"k{n}\": {n}}}")).collect::<Vec<_>>().join(",\n");
    loads("a set of objects", &format!("p := {{\n{elements}}}\nq if {{ some x in p; x == {{\"k7\": 7}} }}"));
    let rules = lines(700, |n| format!("p := {{\"k{n}\": {n}}} if input.x == {n}"));
    loads("a rule of many", &format!("{rules}\nq if p == p"));
    let members = (0..5_000).map(|n| format!("\"k{n}\": [{n}, \"x\"]")).collect::<Vec<_>>().join(",\n");
    loads("a table", &format!("t := {{\n{members}}}\np if {{ some k; t[k][1] == input.x; t.k7[0] == 1 }}"));
}

#[test]
fn long_chains_and_many_replacements_are_no_matter() {
    let chain = lines(700, |n| format!("r{} := r{n} + 1", n + 1));
    loads("a chain", &format!("r0 := 1\n{chain}"));
    let rules = lines(300, |n| format!("r{} if r{n}", n + 1));
    let tests =
        lines(300, |n| format!("test_{n} if r{n} with input as {{\"a\": {n}}} with data.a.r0 as true"));
    loads("replacements", &format!("r0 if input.a\n{rules}\n{tests}"));
}
