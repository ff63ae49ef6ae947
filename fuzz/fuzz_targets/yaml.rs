//! Bytes as documents: read or refused, never a panic. What is read is written so that it is read again the same; only
//! doubles without fraction, which JSON has, become integers (src/yaml.rs). As OPA reads and writes it, too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::yaml::{Position, opa, read, write};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = opa::read(&String::from_utf8_lossy(bytes)) {
        // Not all texts and keys can be written, but what is written can be read.
        if let Ok(text) = opa::write(&value.to_string()) {
            assert!(!matches!(opa::read(&text), Err(opa::Unread::Wrong(_))), "{text}");
        }
    }
    for document in read(bytes) {
        let document = match document {
            Ok(document) => document,
            Err(fault) => {
                assert!(is_place(fault.position), "{fault:?}");
                continue;
            }
        };
        assert!(is_place(document.position("")) && is_place(document.position("/metadata/name")));
        let text = write(&document.value);
        match read(text.as_bytes()).as_slice() {
            [Ok(again)] => assert_eq!(again.value, as_yaml(document.value), "{text}"),
            other => panic!("{text}\n{other:?}"),
        }
    }
});

fn is_place(position: Position) -> bool {
    position.line > 0 && position.column > 0
}

/// The value as YAML can say it.
fn as_yaml(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(as_yaml).collect(),
        Value::Object(members) => members.into_iter().map(|(key, member)| (key, as_yaml(member))).collect(),
        Value::Number(number) if number.is_f64() => integer(number.as_f64()).unwrap_or(Value::Number(number)),
        other => other,
    }
}

fn integer(double: Option<f64>) -> Option<Value> {
    let digits = double.filter(|double| double.fract() == 0.0)?.to_string();
    let signed = digits.parse::<i64>().map(Value::from);
    signed.or_else(|_| digits.parse::<u64>().map(Value::from)).ok()
}
