//! A JSON text in the first line, a path or pointer in the rest: neither is too much, and the path that is printed for
//! a path's pointer leads to the same place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::kubernetes::field_path::{of_pointer, to_pointer};
use serde_json::Value;

fuzz_target!(|text: &str| {
    let (json, path) = text.split_once('\n').unwrap_or(("null", text));
    let object: Value = serde_json::from_str(json).unwrap_or_default();

    let printed = of_pointer(path);
    if object.pointer(path).is_some() && is_canonical(path) {
        assert_eq!(to_pointer(&printed, &object).as_deref(), Some(path), "{printed}");
    }
    for object in [&object, &Value::Null] {
        if let Some(pointer) = to_pointer(path, object) {
            let printed = of_pointer(&pointer);
            assert_eq!(to_pointer(&printed, object), Some(pointer), "{printed}");
        }
    }
});

/// Whether `~` is only in `~0` and `~1`, as RFC 6901 has it and `serde_json` does not demand.
fn is_canonical(pointer: &str) -> bool {
    pointer.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
}
