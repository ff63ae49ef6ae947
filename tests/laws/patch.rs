//! JSON Patch: the cases of RFC 6902 and of `fixtures/json-patch`, and the laws of apply and diff.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meshgate::admission::{Answer, respond, strict_json};
use meshgate::patch::Patch;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// What a case's patch makes of its document, or the error's text. A patch that fails must change nothing.
fn outcome(case: &Value) -> Result<Value, String> {
    let patch = match case["text"].as_str() {
        Some(text) => strict_json(text.as_bytes()).map_err(|error| error.to_string())?,
        None => case["patch"].clone(),
    };
    let mut document = case["document"].clone();
    let applied = Patch::from_value(&patch).and_then(|patch| patch.apply(&mut document));
    if applied.is_err() {
        assert_eq!(document, case["document"], "{}: changed by a patch that fails", case["case"]);
    }
    applied.map(|()| document).map_err(|error| error.to_string())
}

/// Whether a case has the outcome that it names; texts are compared, which tell `1` from `1.0`.
fn as_expected(case: &Value) -> bool {
    match (outcome(case), case.get("result"), case["error"].as_str()) {
        (Ok(document), Some(result), None) => format!("{document}") == format!("{result}"),
        (Err(error), None, Some(expected)) => error.contains(expected),
        _ => false,
    }
}

/// Runs the cases of a file; the number of them.
#[expect(clippy::print_stdout, reason = "conformance runs print their numbers")]
fn run(file: &str) -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/json-patch").join(file);
    let cases: Vec<Value> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let (equal, different): (Vec<&Value>, Vec<&Value>) = cases.iter().partition(|case| as_expected(case));
    println!("json-patch/{file}: {} run, {} equal, {} different", cases.len(), equal.len(), different.len());
    let different: Vec<_> = different.iter().map(|case| (&case["case"], outcome(case))).collect();
    assert!(different.is_empty(), "{different:#?}");
    cases.len()
}

#[test]
fn every_case_of_the_rfc() {
    assert_eq!(run("appendix-a.json"), 16);
}

#[test]
fn every_kind_of_operation_and_fault() {
    assert!(run("operations.json") >= 110);
}

#[test]
fn a_changed_element_is_the_only_one_named() {
    let element =
        |n: usize| json!({ "name": format!("c{n}"), "env": [{ "name": "A", "value": n }, { "name": "B" }] });
    let before = json!({ "containers": (0..50).map(element).collect::<Vec<_>>() });
    let mut after = before.clone();
    after["containers"][31]["env"][0]["value"] = json!("x");
    let expected = json!([{ "op": "replace", "path": "/containers/31/env/0/value", "value": "x" }]);
    assert_eq!(Patch::diff(&before, &after).to_value(), expected);
}

#[test]
fn a_large_array_is_compared_in_time() {
    let numbers = |range: std::ops::Range<u32>| Value::from_iter(range.map(|n| json!({ "n": n })));
    let (before, mut after) = (numbers(0..10_000), numbers(5..10_005));
    let items = after.as_array_mut().unwrap();
    items.swap(0, 9_999);
    let patch = Patch::diff(&before, &after);
    assert!(patch.len() < 20, "{}", patch.len());
    let mut document = before;
    patch.apply(&mut document).unwrap();
    assert_eq!(document, after);
}

/// Numbers of every kind, those that differ only in their type among them.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0_i64..4).prop_map(Value::from),
        (0_u8..4).prop_map(|n| Value::from(f64::from(n))),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["", "a", "b", "0", "1", "-", "/", "~", "~1", "a/b~c", "ä"])
            .prop_map(str::to_owned),
        ".{0,3}"
    ]
}

/// Few different leaves and keys, so that two documents have much in common.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number(),
        prop::sample::select(vec!["", "a", "1"]).prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(key(), inner, 0..6)
                .prop_map(|members| Value::from(Map::from_iter(members))),
        ]
    })
}

/// An array and what becomes of it when elements go, come and change.
fn arrays() -> impl Strategy<Value = (Value, Value)> {
    let edit = prop_oneof![4 => Just(None), 1 => (0_u8..3, document()).prop_map(Some)];
    prop::collection::vec((document(), edit), 0..24).prop_map(|items| {
        let before = items.iter().map(|(item, _)| item.clone()).collect();
        let after = items.into_iter().flat_map(|(item, edit)| match edit {
            None => vec![item],
            Some((0, _)) => vec![],
            Some((1, other)) => vec![other, item],
            Some((_, other)) => vec![other],
        });
        (before, after.collect())
    })
}

/// Operations of which some apply to most documents and some to none.
fn operations() -> impl Strategy<Value = Value> {
    let pointer = || {
        let token = prop::sample::select(vec!["", "a", "b", "0", "1", "-", "~1", "~0", "00"]);
        prop::collection::vec(token, 0..3)
            .prop_map(|tokens| tokens.iter().map(|token| format!("/{token}")).collect::<String>())
    };
    let name = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
    let operation = (name, pointer(), pointer(), document())
        .prop_map(|(op, path, from, value)| json!({ "op": op, "path": path, "from": from, "value": value }));
    prop::collection::vec(operation, 0..6).prop_map(Value::from)
}

fn operations_of(patch: &Patch) -> Vec<Value> {
    patch.to_value().as_array().cloned().unwrap_or_default()
}

fn becomes(before: &Value, after: &Value) -> Result<(), TestCaseError> {
    let patch = Patch::diff(before, after);
    let mut document = before.clone();
    prop_assert_eq!(patch.apply(&mut document), Ok(()));
    prop_assert_eq!(&document, after);
    prop_assert_eq!(patch.is_empty(), before == after);
    prop_assert_eq!(Patch::from_value(&patch.to_value()), Ok(patch));
    Ok(())
}

proptest! {
    #[test]
    fn a_diff_leads_to_the_other_document(before in document(), after in document()) {
        becomes(&before, &after)?;
        becomes(&before, &before)?;
    }

    #[test]
    fn a_diff_leads_from_one_array_to_the_other((before, after) in arrays()) {
        becomes(&before, &after)?;
        becomes(&json!({ "a": [before] }), &json!({ "a": [after] }))?;
    }

    /// All operations or none; and two patches one after the other are as good as one.
    #[test]
    fn application_is_atomic(before in document(), first in operations(), second in operations()) {
        let (first, second) = (Patch::from_value(&first).unwrap(), Patch::from_value(&second).unwrap());
        let mut both = first.clone();
        both.append(second.clone());
        prop_assert_eq!(both.to_value(), Value::from_iter([&first, &second].iter().flat_map(|patch| operations_of(patch))));
        let mut step_by_step = before.clone();
        let applied = first.apply(&mut step_by_step);
        if applied.is_err() {
            prop_assert_eq!(&step_by_step, &before);
        }
        let applied = applied.and_then(|()| second.apply(&mut step_by_step));
        let mut at_once = before.clone();
        match both.apply(&mut at_once) {
            Ok(()) => prop_assert_eq!((applied, at_once), (Ok(()), step_by_step)),
            Err(_) => prop_assert_eq!((applied.is_err(), at_once), (true, before)),
        }
    }

    /// Nothing of an operation gets lost on its way to the API server.
    #[test]
    fn an_answer_carries_the_patch(operations in operations()) {
        let patch = Patch::from_value(&operations).unwrap();
        let (warnings, audit_annotations) = (Vec::new(), BTreeMap::new());
        let review = respond("7", &Answer::Allowed { patch: Some(patch.to_value()), warnings, audit_annotations });
        let response = &review["response"];
        prop_assert_eq!(&response["patchType"], "JSONPatch");
        let sent = STANDARD.decode(response["patch"].as_str().unwrap()).unwrap();
        prop_assert_eq!(Patch::from_value(&strict_json(&sent).unwrap()), Ok(patch));
    }
}
