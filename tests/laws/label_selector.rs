//! The algebra of label selectors.
#![cfg(test)]

use meshgate::kubernetes::label_selector::LabelSelector;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn keys() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "example.com/a"]).prop_map(str::to_owned)
}

fn values() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "x", "y"]).prop_map(str::to_owned)
}

fn labels() -> impl Strategy<Value = Option<Map<String, Value>>> {
    let labels = prop::collection::btree_map(keys(), values().prop_map(Value::String), 0..3);
    prop::option::of(labels.prop_map(|labels| labels.into_iter().collect()))
}

fn expressions() -> impl Strategy<Value = Value> {
    let some = prop::collection::vec(values(), 1..3);
    let with = (keys(), prop::sample::select(vec!["In", "NotIn"]), some);
    let without = (keys(), prop::sample::select(vec!["Exists", "DoesNotExist"]), Just(Vec::new()));
    prop_oneof![with, without]
        .prop_map(|(key, operator, values)| json!({ "key": key, "operator": operator, "values": values }))
}

fn matches(selector: &Value, labels: Option<&Map<String, Value>>) -> bool {
    LabelSelector::from_value(selector).unwrap_or_else(|error| panic!("{selector}: {error}")).matches(labels)
}

fn one(expression: &Value) -> Value {
    json!({ "matchExpressions": [expression] })
}

/// The same expression with the opposite operator.
fn opposite(expression: &Value) -> Value {
    let mut opposite = expression.clone();
    opposite["operator"] = match expression["operator"].as_str() {
        Some("In") => json!("NotIn"),
        Some("NotIn") => json!("In"),
        Some("Exists") => json!("DoesNotExist"),
        _ => json!("Exists"),
    };
    opposite
}

proptest! {
    #[test]
    fn opposite_operators_are_opposite(expression in expressions(), labels in labels()) {
        let holds = matches(&one(&expression), labels.as_ref());
        prop_assert_ne!(holds, matches(&one(&opposite(&expression)), labels.as_ref()));
    }

    #[test]
    fn nothing_asked_for_is_everything(labels in labels()) {
        for selector in [json!({}), json!({ "matchLabels": {}, "matchExpressions": [] })] {
            prop_assert!(matches(&selector, labels.as_ref()), "{}", selector);
        }
    }

    #[test]
    fn requirements_are_a_conjunction(
        wanted in prop::collection::btree_map(keys(), values(), 0..3),
        expressions in prop::collection::vec(expressions(), 0..4),
        labels in labels(),
    ) {
        let all = json!({ "matchLabels": wanted, "matchExpressions": expressions });
        let has = |(key, value): (&String, &String)| {
            labels.as_ref().and_then(|labels| labels.get(key)) == Some(&json!(value))
        };
        let each = wanted.iter().all(has) && expressions.iter().all(|e| matches(&one(e), labels.as_ref()));
        prop_assert_eq!(matches(&all, labels.as_ref()), each);
    }

    #[test]
    fn a_label_is_in_one_value_at_a_time(key in keys(), values in prop::collection::vec(values(), 1..3), labels in labels()) {
        let each = values.iter().any(|value| matches(&json!({ "matchLabels": { &key: value } }), labels.as_ref()));
        let any = json!({ "key": key, "operator": "In", "values": values });
        prop_assert_eq!(matches(&one(&any), labels.as_ref()), each);
    }

    #[test]
    fn no_labels_are_an_empty_map(expressions in prop::collection::vec(expressions(), 0..4)) {
        let selector = json!({ "matchExpressions": expressions });
        prop_assert_eq!(matches(&selector, None), matches(&selector, Some(&Map::new())));
    }
}
