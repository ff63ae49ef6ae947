//! No JSON is too much for a label selector, and labels that are asked for one by one are selected.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::admission::strict_json;
use meshgate::kubernetes::label_selector::LabelSelector;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = strict_json(bytes) else { return };
    let labels = value.get("matchLabels").and_then(Value::as_object);
    match LabelSelector::from_value(&value) {
        Ok(selector) => {
            let has_expressions =
                value.get("matchExpressions").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
            assert!(has_expressions || selector.matches(labels), "{value}");
            assert_eq!(selector.matches(None), selector.matches(Some(&serde_json::Map::new())));
        }
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
});
