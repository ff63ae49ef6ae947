//! Field paths and JSON pointers say the same.

use meshgate::kubernetes::field_path::{of_pointer, to_pointer};
use proptest::prelude::*;
use serde_json::Value;

/// Keys as Kubernetes has them, and any others.
fn keys() -> impl Strategy<Value = String> {
    let syntax = prop::collection::vec(
        prop::sample::select(vec!["[", "]", ".", "/", "~", "\"", "'", "\\", "0", "1", "a", " "]),
        0..6,
    );
    prop_oneof![
        "[a-z]{1,8}",
        "[a-z]{1,4}\\.[a-z]{1,4}/[a-z.-]{1,6}",
        "[0-9]{1,3}",
        syntax.prop_map(|parts| parts.concat()),
        any::<String>(),
    ]
}

fn objects() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(keys(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

/// The pointers of a value and all that is in it.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| pointers(item, &format!("{at}/{index}"), found));
        }
        Value::Object(members) => {
            for (key, member) in members {
                pointers(member, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        _ => {}
    }
}

proptest! {
    #[test]
    fn a_pointer_into_an_object_survives_being_printed_as_a_path(object in objects()) {
        let mut found = Vec::new();
        pointers(&object, "", &mut found);
        for pointer in found {
            let path = of_pointer(&pointer);
            prop_assert_eq!(to_pointer(&path, &object), Some(pointer), "{}", path);
        }
    }

    #[test]
    fn a_path_is_printed_for_the_pointer_it_was_read_as(path in "[a-z0-9.\\[\\]\"'/~-]{0,24}") {
        if let Some(pointer) = to_pointer(&path, &Value::Null) {
            prop_assert_eq!(to_pointer(&of_pointer(&pointer), &Value::Null), Some(pointer), "{}", path);
        }
    }
}
