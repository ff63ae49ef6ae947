//! What is written is read back.

use meshgate::yaml::{read, write};
use proptest::prelude::*;
use serde_json::{Map, Number, Value};

use super::cases::TEXTS;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => any::<String>(),
        3 => "[ -~\n]{0,24}",
        2 => "[ab:#,?\\-'\"!&*|>%@\\[\\]{}\n\t .~0-9_exo=<]{0,8}",
        2 => proptest::sample::select(TEXTS).prop_map(str::to_owned),
        1 => any::<char>().prop_map(|character| format!("a{character}b\n")),
        1 => "[a-z]{1000,1100}",
    ]
}

/// All numbers but doubles without fraction that are written like integers: YAML has no difference there.
fn number() -> impl Strategy<Value = Value> {
    let double = any::<f64>().prop_filter("not integral", |double| {
        double.is_finite() && (double.fract() != 0.0 || double.abs() >= 1e21)
    });
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        double.prop_map(|double| Value::Number(Number::from_f64(double).unwrap())),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        2 => number(),
        5 => text().prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(text(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(value in value()) {
        let text = write(&value);
        let documents = read(text.as_bytes());
        match documents.as_slice() {
            [] => prop_assert!(value.is_null(), "{}", text),
            [Ok(document)] => prop_assert_eq!(&document.value, &value, "{}", text),
            _ => prop_assert!(false, "{}\n{:?}", text, documents),
        }
    }

    #[test]
    fn no_bytes_are_too_much(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
    }
}
