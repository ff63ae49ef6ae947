//! One operation on a document, within bounds.

use json_patch::jsonptr::Pointer;
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchErrorKind, PatchOperation, ReplaceOperation,
};
use serde_json::{Number, Value};

/// What all `copy` operations of a patch may bring, in bytes of JSON: the API server's own bound
/// (k8s.io/apiserver, pkg/server/config.go, `JSONPatchMaxCopyBytes`).
const COPIED_BYTES: usize = 3 * 1024 * 1024;

/// The deepest level of arrays and objects that an operation may make: `serde_json` reads back no deeper text.
const LEVELS: usize = 127;

/// Applies `operation`, or says why it can't be; the document may then be changed in part. `copied`: the bytes copied
/// so far.
pub(super) fn apply(
    operation: &PatchOperation,
    document: &mut Value,
    copied: &mut usize,
) -> Result<(), String> {
    match operation {
        PatchOperation::Test(test) if equal(find(document, &test.path)?, &test.value) => return Ok(()),
        PatchOperation::Test(_) => return Err("the value there is another".to_owned()),
        PatchOperation::Move(MoveOperation { from, path }) if from == path => {
            return find(document, from).map(|_| ());
        }
        PatchOperation::Move(MoveOperation { from, path }) => check_depth(find(document, from)?, path)?,
        PatchOperation::Copy(CopyOperation { from, path }) => {
            let value = find(document, from)?;
            check_depth(value, path)?;
            *copied = copied.saturating_add(value.to_string().len());
            if *copied > COPIED_BYTES {
                return Err(format!("the patch copies more than {COPIED_BYTES} bytes"));
            }
        }
        PatchOperation::Add(AddOperation { path, value })
        | PatchOperation::Replace(ReplaceOperation { path, value }) => check_depth(value, path)?,
        PatchOperation::Remove(_) => {}
    }
    // One operation at a time: the crate's own undo, which panics on some moves, has nothing to do.
    json_patch::patch_unsafe(document, std::slice::from_ref(operation)).map_err(|error| match error.kind {
        PatchErrorKind::CannotMoveInsideItself => "a value can't be moved into itself".to_owned(),
        _ => lost(document, operation.path()),
    })
}

fn find<'a>(document: &'a Value, pointer: &Pointer) -> Result<&'a Value, String> {
    document.pointer(pointer.as_str()).ok_or_else(|| lost(document, pointer))
}

/// Why a pointer leads nowhere: the first of its tokens that can't be followed.
fn lost(document: &Value, pointer: &Pointer) -> String {
    let (mut place, mut path) = (document, String::new());
    for token in pointer.tokens() {
        let step = format!("/{}", token.encoded());
        let Some(next) = place.pointer(&step) else {
            let name = token.decoded();
            let at = if path.is_empty() { "the document".to_owned() } else { format!("`{path}`") };
            return match place {
                Value::Object(_) => format!("{at} has no member `{name}`"),
                Value::Array(items) => {
                    format!("{at} is an array of {} and has no index `{name}`", items.len())
                }
                Value::String(_) => format!("{at} is a string and has no members"),
                Value::Number(_) => format!("{at} is a number and has no members"),
                Value::Bool(_) => format!("{at} is a boolean and has no members"),
                Value::Null => format!("{at} is null and has no members"),
            };
        };
        path.push_str(&step);
        place = next;
    }
    "the whole document can't be removed; replace it".to_owned()
}

fn check_depth(value: &Value, path: &Pointer) -> Result<(), String> {
    let fits = LEVELS.checked_sub(path.count()).is_some_and(|levels| fits(value, levels));
    fits.then_some(()).ok_or_else(|| format!("the document would be deeper than {LEVELS} levels"))
}

fn fits(value: &Value, levels: usize) -> bool {
    match (value, levels.checked_sub(1)) {
        (Value::Array(items), Some(below)) => items.iter().all(|item| fits(item, below)),
        (Value::Object(members), Some(below)) => members.values().all(|member| fits(member, below)),
        (Value::Array(_) | Value::Object(_), None) => false,
        _ => true,
    }
}

/// Equality of RFC 6902, 4.6: numbers by their value, members in any order.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => equal_numbers(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

fn equal_numbers(a: &Number, b: &Number) -> bool {
    match (integer(a), integer(b)) {
        (None, None) => a == b,
        (a, b) => a == b,
    }
}

/// The integer that a number is. Exact: a double of 2^53 or more is no other integer than the one it stands for.
fn integer(number: &Number) -> Option<i128> {
    let whole = |double: f64| (double.fract() == 0.0).then(|| format!("{double:.0}").parse().ok()).flatten();
    number.as_i128().or_else(|| number.as_f64().and_then(whole))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Patch, PatchError};
    use super::*;

    fn applied(mut document: Value, operations: &Value) -> Result<Value, PatchError> {
        let before = document.clone();
        let result = Patch::from_value(operations).unwrap().apply(&mut document);
        if result.is_err() {
            assert_eq!(document, before, "a patch that fails changes nothing");
        }
        result.map(|()| document)
    }

    #[test]
    fn what_does_not_apply_says_why() {
        let document = json!({ "a": [1, { "b": "x" }], "k/~": {} });
        let table = [
            (
                json!({ "op": "remove", "path": "/z" }),
                "operation 1 (remove `/z`) does not apply: the document has no member `z`",
            ),
            (json!({ "op": "replace", "path": "/a/1/c", "value": 1 }), "`/a/1` has no member `c`"),
            (json!({ "op": "add", "path": "/y/z", "value": 1 }), "the document has no member `y`"),
            (
                json!({ "op": "add", "path": "/a/01", "value": 1 }),
                "`/a` is an array of 2 and has no index `01`",
            ),
            (
                json!({ "op": "add", "path": "/a/3", "value": 1 }),
                "`/a` is an array of 2 and has no index `3`",
            ),
            (
                json!({ "op": "add", "path": "/a/1/b/c", "value": 1 }),
                "`/a/1/b` is a string and has no members",
            ),
            (json!({ "op": "add", "path": "/k~1~0/x/y", "value": 1 }), "`/k~1~0` has no member `x`"),
            (
                json!({ "op": "copy", "from": "/a/-", "path": "/c" }),
                "`/a` is an array of 2 and has no index `-`",
            ),
            (json!({ "op": "move", "from": "/a/1", "path": "/a/1/b" }), "into itself"),
            (json!({ "op": "test", "path": "/a/0", "value": "1" }), "the value there is another"),
            (json!({ "op": "remove", "path": "" }), "replace it"),
        ];
        for (operation, needle) in table {
            let patch = json!([{ "op": "remove", "path": "/k~1~0/none" }, operation]);
            assert!(applied(document.clone(), &patch).unwrap_err().to_string().starts_with("operation 0"));
            let patch = json!([{ "op": "add", "path": "/k~1~0/new", "value": 1 }, operation]);
            let error = applied(document.clone(), &patch).unwrap_err();
            assert!(error.to_string().contains(needle), "{error}");
        }
    }

    #[test]
    fn moves_that_the_crate_can_not_undo_change_nothing() {
        let failing = json!({ "op": "test", "path": "/nope", "value": 1 });
        for (document, moved) in [
            (json!({ "a": 1 }), json!({ "op": "move", "from": "/a", "path": "" })),
            (json!({ "a": { "b": 1 } }), json!({ "op": "move", "from": "/a/b", "path": "/a" })),
        ] {
            assert!(applied(document.clone(), &json!([moved])).is_ok());
            assert!(applied(document, &json!([moved, failing])).is_err());
        }
        assert!(
            applied(json!({ "a": 1 }), &json!([{ "op": "move", "from": "/a", "path": "/x/y" }])).is_err()
        );
    }

    #[test]
    fn numbers_are_equal_by_value_exactly() {
        let table = [
            (json!(1), json!(1.0), true),
            (json!(-7), json!(-7.0), true),
            (json!(0.0), json!(-0.0), true),
            (json!(0), json!(-0.0), true),
            (json!(0.5), json!(0.5), true),
            (json!(u64::MAX), json!(u64::MAX), true),
            (json!(u64::MAX), json!(18_446_744_073_709_551_616.0), false),
            (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0), false),
            (json!(9_007_199_254_740_992_u64), json!(9_007_199_254_740_992.0), true),
            (json!(9_223_372_036_854_775_808_u64), json!(9_223_372_036_854_775_808.0), true),
            (json!(1e300), json!(1e300), true),
            (json!(1e300), json!(1e301), false),
            (json!(1), json!(1.5), false),
            (json!([{ "a": 1, "b": [2.0] }]), json!([{ "b": [2], "a": 1.0 }]), true),
            (json!([1]), json!([1, 1]), false),
            (json!({ "a": 1 }), json!({ "a": 1, "b": null }), false),
            (json!(1), json!("1"), false),
            (json!(0), json!(false), false),
        ];
        for (a, b, expected) in table {
            assert_eq!((equal(&a, &b), equal(&b, &a)), (expected, expected), "{a} {b}");
        }
    }

    #[test]
    fn copies_and_depth_are_bounded() {
        let deeper = vec![json!({ "op": "copy", "from": "", "path": "/a" }); 127];
        assert!(applied(json!({}), &json!(deeper[1..])).is_ok());
        let error = applied(json!({}), &json!(deeper)).unwrap_err();
        assert!(error.to_string().contains("deeper than 127 levels"), "{error}");

        let doubling = vec![json!({ "op": "copy", "from": "/a", "path": "/a/-" }); 64];
        let error = applied(json!({ "a": [1] }), &json!(doubling)).unwrap_err();
        assert!(error.to_string().contains("copies more than"), "{error}");

        let long = json!({ "a": "x".repeat(1024 * 1024 - 2) });
        let copies = |count: usize| {
            Value::from_iter(
                (0..count).map(|n| json!({ "op": "copy", "from": "/a", "path": format!("/{n}") })),
            )
        };
        assert!(applied(long.clone(), &copies(3)).is_ok());
        assert!(applied(long, &copies(4)).unwrap_err().to_string().contains("3145728 bytes"));

        let nested = |levels: usize| (0..levels).fold(json!(1), |value, _| json!([value]));
        let add = |levels| json!([{ "op": "add", "path": "/a", "value": nested(levels) }]);
        assert!(applied(json!({}), &add(126)).is_ok());
        assert!(applied(json!({}), &add(127)).is_err());
        let moved = |path: &str| json!([{ "op": "move", "from": "/a", "path": path }]);
        let document = json!({ "a": nested(126), "b": [] });
        assert!(applied(document.clone(), &moved("/c")).is_ok());
        assert!(applied(document, &moved("/b/0")).is_err());
    }
}
