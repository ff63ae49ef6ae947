//! A case for each row of the table.

use std::process::Command;
use std::time::Instant;

use crate::raw::Came::{Error, Panic, Refused, Undefined, Value};
use crate::raw::{Came, interpreter, meshgate};

struct Row {
    number: u8,
    text: &'static str,
    /// What the interpreter makes of it.
    raw: Came,
    /// What meshgate makes of it: what OPA does, or a refusal.
    ours: Came,
}

const INPUT: &str = r#"{"l": [{"n": 1}, {"m": 2}, {"n": 3}], "s": "a", "$serde_json::private::Number": "7"}"#;

/// `package a` goes before each. Rows 7, 8 and 12 are below; row 1 is a rule for policies alone (tests/gate).
const ROWS: &[Row] = &[
    Row {
        number: 2,
        text: "f(x) := x\np := 1 if { true } else := f(1, 2, 3)",
        raw: Value("1"),
        ours: Refused("MG104"),
    },
    Row {
        number: 3,
        text: "p contains {\"m\": sprintf(\"%v\", [c.n])} if some c in [{\"n\": 1}, {}]",
        raw: Value("[]"),
        ours: Value("[{\"m\":\"1\"}]"),
    },
    Row { number: 3, text: "p contains c.n if some c in input.l", raw: Error, ours: Value("[1,3]") },
    Row { number: 4, text: "f(x) := x\np if not f(input.nope)", raw: Value("true"), ours: Undefined },
    Row { number: 4, text: "p if not startswith(input.nope, \"x\")", raw: Value("true"), ours: Undefined },
    Row { number: 4, text: "p if not input.nope != 1", raw: Value("true"), ours: Undefined },
    Row { number: 4, text: "p if not input.nope in [1]", raw: Value("true"), ours: Undefined },
    Row { number: 6, text: "q := 1\np if {\n\tq\n\t(2 == 2)\n}", raw: Error, ours: Value("true") },
    Row { number: 9, text: "p := 1 if { true } else := nope(1)", raw: Value("1"), ours: Refused("MG103") },
    Row {
        number: 10,
        text: "p := http.send({\"method\": \"get\", \"url\": \"http://localhost\"})",
        raw: Error,
        ours: Refused("MG105"),
    },
    Row { number: 10, text: "p if true with http.send as 2", raw: Error, ours: Refused("MG105") },
    Row { number: 11, text: "p := strings.count(\"ab\", \"\")", raw: Panic, ours: Value("3") },
    Row { number: 13, text: "p if regex.match(`^\\w{1,10}$`, input.s)", raw: Error, ours: Value("true") },
    Row { number: 13, text: "p if regex.match(`^\\w$`, \"é\")", raw: Value("true"), ours: Undefined },
    Row { number: 14, text: "p := sprintf(\"%v %v\", [1])", raw: Error, ours: Value("\"1 %!v(MISSING)\"") },
    Row { number: 15, text: "p := x if some x in [1, 2]", raw: Error, ours: Error },
    Row { number: 16, text: "p := $\"{input.s}\"", raw: Refused(""), ours: Value("\"a\"") },
    Row { number: 17, text: "p := is_object(input)", raw: Value("true"), ours: Value("true") },
    Row { number: 18, text: "p := {\"b\": 1, \"c\": input.nope}", raw: Undefined, ours: Undefined },
];

#[test]
fn each_row_is_as_the_table_says() {
    let mut wrong = Vec::new();
    for Row { number, text, raw, ours } in ROWS {
        let text = format!("package a\n{text}\n");
        for (who, came, wanted) in [
            ("the interpreter", interpreter(&text, INPUT, false), raw),
            ("meshgate", meshgate(&text, INPUT, false), ours),
        ] {
            if came != *wanted {
                wrong.push(format!("row {number}, {who}: {came:?}, not {wanted:?}: {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn row_5_second_bodies_of_functions() {
    let text = "package a\nf(x) = 1 { x == 1 } { x == 2 }\np = f(2)\n";
    assert_eq!(interpreter(text, INPUT, true), Undefined);
    assert_eq!(meshgate(text, INPUT, true), Value("1"));
}

const RECURSIVE: &str = "package a\nf(x) := f(x + 1)\np := f(1)\n";
const WITHIN: &str = "MESHGATE_TEST_ROW_7";

/// The interpreter ends the process: another one, which is this test again.
#[test]
fn row_7_recursion() {
    if std::env::var_os(WITHIN).is_some() {
        interpreter(RECURSIVE, INPUT, false);
        return;
    }
    let name = "rows::row_7_recursion";
    let mut other = Command::new(std::env::current_exe().unwrap());
    let ended = other.args([name, "--exact", "--nocapture"]).env(WITHIN, "").output().unwrap();
    assert!(!ended.status.success(), "the interpreter has a limit of its own now");
    assert_eq!(meshgate(RECURSIVE, INPUT, false), Refused("MG106"));
}

#[test]
fn row_8_literals_within_literals() {
    let nested = |depth: usize| format!("package a\np := {}1{}\n", "[".repeat(depth), "]".repeat(depth));
    let time = |depth: usize| {
        let text = nested(depth);
        let start = Instant::now();
        assert_ne!(interpreter(&text, INPUT, false), Panic);
        start.elapsed()
    };
    assert!(time(12) > time(8) * 4, "the parser is linear now");
    let start = Instant::now();
    assert_eq!(meshgate(&nested(30), INPUT, false), Refused("MG109"));
    assert!(start.elapsed().as_secs() < 1, "refused before it is parsed");
}

/// Only ours: the interpreter would take gigabytes.
#[test]
fn row_12_builtins_that_make_much() {
    for text in ["numbers.range(1, 200000000)", "net.cidr_expand(\"0.0.0.0/4\")"] {
        let start = Instant::now();
        assert_eq!(meshgate(&format!("package a\np := {text}\n"), INPUT, false), Error, "{text}");
        assert!(start.elapsed().as_secs() < 5, "{text} took {:?}", start.elapsed());
    }
}
