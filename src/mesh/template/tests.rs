//! What of Go's semantics a template of a mesh relies on, one line each.

use std::sync::Arc;

use serde_json::json;

use super::{Functions, Record, Template, Value};

/// Functions as a mesh has them.
struct Pack;

impl Functions for Pack {
    fn knows(&self, name: &str) -> bool {
        matches!(name, "nothing" | "echo" | "long")
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        match name {
            "nothing" => Ok(Value::Absent),
            "long" => Ok(Value::text("x".repeat(600_000))),
            _ => Ok(arguments.first().cloned().unwrap_or(Value::Absent)),
        }
    }
}

fn data() -> Value {
    let document = json!({
        "a": { "b": { "c": "deep" }, "null": null },
        "n": 15020, "large": 1_000_000, "small": 0.00001, "half": 1.5,
        "yes": true, "no": false, "empty": "", "text": "t", "list": ["x", "y"], "none": [],
        "map": { "z": 1, "k": 2 },
    });
    let Value::Map(members) = Value::from_json(&document) else { panic!("an object is a map") };
    let mut members = (*members).clone();
    members.insert(Arc::from("texts"), Value::texts([("k", "v")]));
    members.insert(Arc::from("int"), Value::Int(5));
    members.insert(Arc::from("mode"), Value::Enum(Arc::from("TPROXY")));
    let method = [(Arc::from("GetX"), Value::Bool(false))].into();
    let nil = Record { fields: method, is_nil: true, ..Record::default() };
    members.insert(Arc::from("nil"), Value::Record(Arc::new(nil)));
    members.insert(Arc::from("struct"), Value::record([("X", Value::Int(1))]));
    Value::Map(Arc::new(members))
}

fn rendered(text: &str) -> Result<String, String> {
    Template::parse("t", text, &Pack)?.render(&data(), &Pack)
}

fn assert_renders(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(rendered(text).as_deref(), Ok(*expected), "{text}");
    }
}

fn assert_fails(rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        let why = rendered(text).unwrap_err();
        assert!(why.contains(expected), "{text}: {why}");
    }
}

#[test]
fn absent_keys_and_null_are_two_things() {
    assert_renders(&[
        ("{{ .a.b.c }}", "deep"),
        ("{{ .a.x }}|{{ .a.x.y.z }}", "<no value>|<no value>"),
        ("{{ .a.null }}", "<no value>"),
        ("{{ (.a.null).c }}", "<no value>"),
        ("{{ index .map `absent` }}", "<no value>"),
        ("{{ index .texts `absent` }}|{{ index .texts `k` }}", "|v"),
        ("{{ .texts.absent }}", "<no value>"),
        ("{{ printf `%s` .a.null }}|{{ print .a.null }}", "%!s(<nil>)|<nil>"),
    ]);
    assert_fails(&[
        ("{{ .a.null.c }}", "nil pointer evaluating interface {}.c"),
        ("{{ index .a.x `k` }}", "index of untyped nil"),
        ("{{ index (index .map `absent`) `k` }}", "index of untyped nil"),
        ("{{ .text.x }}", "can't evaluate field x in type string"),
        ("{{ .struct.Y }}", "can't evaluate field Y"),
        ("{{ .nil.X }}", "nil pointer evaluating X"),
    ]);
}

#[test]
fn truth_is_of_go() {
    for name in ["no", "empty", "none", "a.null", "a.x", "nil"] {
        assert_eq!(
            rendered(&format!("{{{{ if .{name} }}}}T{{{{ else }}}}F{{{{ end }}}}")).as_deref(),
            Ok("F"),
            "{name}"
        );
    }
    for name in ["yes", "n", "text", "list", "map", "struct", "mode"] {
        assert_eq!(
            rendered(&format!("{{{{ if .{name} }}}}T{{{{ else }}}}F{{{{ end }}}}")).as_deref(),
            Ok("T"),
            "{name}"
        );
    }
    assert_renders(&[
        ("{{ or .empty .text .a.null.c }}", "t"),
        ("{{ and .text .empty .a.null.c }}|", "|"),
        ("{{ or .nil.GetX .empty }}|", "|"),
        ("{{ .yes | and .text }}", "true"),
        ("{{ not .empty }}", "true"),
    ]);
}

#[test]
fn comparisons_ask_for_equal_kinds() {
    assert_renders(&[
        ("{{ eq .text `t` }}{{ ne .text `t` }}", "truefalse"),
        ("{{ eq .text `a` `t` }}", "true"),
        ("{{ eq .a.x `t` }}{{ eq .a.null `t` }}{{ ne .a.x true }}", "falsefalsetrue"),
        ("{{ eq .a.x .a.null }}", "true"),
        ("{{ ge (len .list) 2 }}{{ lt 1 2 }}{{ le 2 2 }}{{ gt `b` `a` }}", "truetruetruetrue"),
        ("{{ eq .int 5 }}", "true"),
    ]);
    assert_fails(&[
        ("{{ eq .n 5 }}", "incompatible types for comparison: float64 and int"),
        ("{{ eq .text true }}", "incompatible types for comparison: string and bool"),
        ("{{ eq .mode `TPROXY` }}", "incompatible types"),
        ("{{ eq .map .map }}", "non-comparable type map"),
        ("{{ lt .text 1 }}", "incompatible types"),
        ("{{ eq 1 }}", "missing argument for comparison"),
    ]);
}

#[test]
fn numbers_print_as_go_prints_them() {
    assert_renders(&[
        ("{{ .n }} {{ .large }} {{ .small }} {{ .half }} {{ .int }}", "15020 1e+06 1e-05 1.5 5"),
        ("{{ 123456789.0 }} {{ 100000.0 }} {{ 0.0001 }}", "1.23456789e+08 100000 0.0001"),
        ("{{ .mode }} {{ .mode.String }} {{ .list }} {{ .map }}", "TPROXY TPROXY [x y] map[k:2 z:1]"),
        ("{{ printf `%s-%d-%t-%v-%q-%%` `a` 5 true .n `b` }}", "a-5-true-15020-\"b\"-%"),
        ("{{ printf `%s` 5 }}{{ printf `%d` }}{{ printf `a` 1 }}", "%!s(int=5)%!d(MISSING)a%!(EXTRA int=1)"),
        ("{{ len `äb` }}{{ index .list 1 }}{{ slice `abc` 1 2 }}", "3yb"),
    ]);
    assert_fails(&[
        ("{{ index .list 2 }}", "index out of range"),
        ("{{ len .n }}", "len of type float64"),
        ("{{ printf `%x` 1 }}", "the verb %x is not known"),
    ]);
}

#[test]
fn control_flow_is_of_go() {
    assert_renders(&[
        ("{{ range $k, $v := .map }}{{ $k }}={{ $v }};{{ end }}", "k=2;z=1;"),
        (
            "{{ range $i, $v := .list }}{{ $i }}{{ $v }}{{ end }}{{ range .none }}x{{ else }}e{{ end }}",
            "0x1ye",
        ),
        ("{{ range .list }}{{ if eq . `y` }}{{ break }}{{ end }}{{ . }}{{ end }}", "x"),
        ("{{ range 3 }}{{ . }}{{ if lt . 2 }}{{ continue }}{{ end }}!{{ end }}", "012!"),
        ("{{ $x := `a` }}{{ if true }}{{ $x = `b` }}{{ $y := 1 }}{{ end }}{{ $x }}", "b"),
        ("{{ with .a.b }}{{ .c }}{{ end }}{{ with .empty }}x{{ else }}e{{ end }}", "deepe"),
        ("{{ with $x := .text }}{{ $x }}{{ $.n }}{{ end }}", "t15020"),
        ("{{ define `d` }}<{{ . }}{{ $ }}>{{ end }}{{ template `d` .text }}", "<tt>"),
        ("{{ if .no }}a{{ else if .yes }}b{{ else }}c{{ end }}", "b"),
        ("a {{- /* comment */}} b{{/* c */ -}} d", "a bd"),
        ("a {{- `raw\n` -}} b{{ \"q\\\"\" }}", "araw\nbq\""),
        ("{{ and\n (or .no\n .yes)\n (not .no) }}", "true"),
        ("{{ .text | printf `%s%s` `a` }}", "at"),
        ("{{ (echo .a).b.c }}{{ nothing }}", "deep<no value>"),
    ]);
    assert_fails(&[
        ("{{ range .text }}{{ end }}", "range can't iterate over string"),
        ("{{ template `none` }}", "template \"none\" not defined"),
        ("{{ unheardOf }}", "calls unheardOf, which meshgate does not know"),
        ("{{ if false }}{{ unheardOf 1 }}{{ end }}", "calls unheardOf"),
        ("{{ define `d` }}{{ unheardOf }}{{ end }}", "calls unheardOf"),
        ("{{ html .text }}", "calls html"),
        ("{{ .text 1 }}", "can't give argument to non-function"),
        ("{{ if }}", "template t: "),
        ("\n{{ .a.null.c }}", "template t:2: "),
    ]);
}

#[test]
fn steps_depth_and_size_are_bounded() {
    let doubled = "{{ $x := `ab` }}{{ range 30 }}{{ $x = printf `%s%s` $x $x }}{{ end }}";
    assert_fails(&[
        ("{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}", "takes more than 200000 steps"),
        ("{{ define `d` }}{{ template `d` . }}{{ end }}{{ template `d` . }}", "nested more than"),
        (
            "{{ define `a` }}{{ end }}{{ define `b` }}{{ template `a` }}{{ template `a` }}{{ end }}{{ range 100000 }}{{ template `b` }}{{ end }}",
            "takes more than 200000 steps",
        ),
        ("{{ long }}{{ long }}", "gives more than 1048576 bytes"),
        (doubled, "gives more than 1048576 bytes"),
    ]);
    let nested = format!("{}x{}", "{{ if true }}".repeat(101), "{{ end }}".repeat(101));
    assert!(rendered(&nested).is_err());
    let long = "x".repeat(super::LONGEST_TEMPLATE.saturating_add(1));
    assert!(Template::parse("t", &long, &Pack).is_err_and(|why| why.contains("shorten it")));
}
