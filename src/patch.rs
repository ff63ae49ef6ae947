//! JSON Patch (RFC 6902): read, apply, append, diff. Called by `review`, `dry_run` and `admission`; knows nothing of
//! Kubernetes.
//!
//! Pointers and single operations are the crate `json-patch`'s. Ours are what it does otherwise than needed: reading
//! (faults name the operation), `test` (numbers by value), atomicity (its undo panics on some moves), bounds, and
//! `diff` (it compares arrays index by index, so that one new element renames all behind it).

mod apply;
mod diff;
mod operation;

use json_patch::PatchOperation;
use serde_json::Value;

/// A sequence of operations. Applied wholly or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch(Vec<PatchOperation>);

/// What is wrong with a patch, or with it on this document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// Not an array.
    #[error("a JSON Patch is an array of operations; put the operation into one")]
    NotAnArray,
    /// An element is no operation of RFC 6902, section 4.
    #[error("operation {index} is malformed: {why}")]
    NotAnOperation {
        /// Its index, from 0.
        index: usize,
        /// What is wrong.
        why: String,
    },
    /// An operation does not apply to the document.
    #[error("operation {index} ({operation} `{path}`) does not apply: {why}")]
    DoesNotApply {
        /// Its index, from 0.
        index: usize,
        /// Its `op`.
        operation: &'static str,
        /// Its `path`.
        path: String,
        /// What is wrong. Quotes keys of the document, never values.
        why: String,
    },
}

impl Patch {
    /// Reads an array of operations. Members that an operation does not know are ignored (RFC 6902, 4).
    ///
    /// # Errors
    /// [`PatchError::NotAnArray`], [`PatchError::NotAnOperation`].
    pub fn from_value(value: &Value) -> Result<Self, PatchError> {
        let operations = value.as_array().ok_or(PatchError::NotAnArray)?.iter().enumerate();
        let read =
            |(index, value)| operation::read(value).map_err(|why| PatchError::NotAnOperation { index, why });
        operations.map(read).collect::<Result<_, _>>().map(Self)
    }

    /// The operations as JSON.
    pub fn to_value(&self) -> Value {
        self.0.iter().map(operation::write).collect()
    }

    /// Applies all operations in their order; on an error `document` is as it was.
    ///
    /// What `copy` brings is bounded, and so is the depth of what any operation puts somewhere: patches of a few
    /// operations could else fill the memory or the stack.
    ///
    /// # Errors
    /// [`PatchError::DoesNotApply`]: the first operation that does not.
    pub fn apply(&self, document: &mut Value) -> Result<(), PatchError> {
        let mut result = document.clone();
        let mut copied = 0;
        for (index, one) in self.0.iter().enumerate() {
            apply::apply(one, &mut result, &mut copied).map_err(|why| PatchError::DoesNotApply {
                index,
                operation: operation::name(one),
                path: one.path().to_string(),
                why,
            })?;
        }
        *document = result;
        Ok(())
    }

    /// Adds the operations of `other` behind these.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Operations (`add`, `remove`, `replace`) that turn `from` into `to`. They name no value that is equal in both;
    /// elements of an array that stay are recognised where others come or go around them.
    pub fn diff(from: &Value, to: &Value) -> Self {
        Self(diff::diff(from, to))
    }

    /// Whether there are no operations.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of operations.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The JSON pointers that operations change, in their order: `path`, and for a move also `from`.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|operation| {
            let (path, from) = match operation {
                PatchOperation::Test(_) => (None, None),
                PatchOperation::Move(moved) => (Some(&moved.path), Some(&moved.from)),
                PatchOperation::Add(add) => (Some(&add.path), None),
                PatchOperation::Remove(remove) => (Some(&remove.path), None),
                PatchOperation::Replace(replace) => (Some(&replace.path), None),
                PatchOperation::Copy(copy) => (Some(&copy.path), None),
            };
            path.into_iter().chain(from).map(|pointer| pointer.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn faults_name_the_operation() {
        let table = [
            (json!([]), "it is not an object"),
            (json!(["remove", "/a"]), "it is not an object"),
            (json!({ "path": "/a" }), "`op` is missing"),
            (json!({ "op": 1, "path": "/a" }), "`op` is not a string"),
            (
                json!({ "op": "spam", "path": "/a" }),
                "`spam` is none of add, remove, replace, move, copy, test",
            ),
            (json!({ "op": "Add", "path": "/a", "value": 1 }), "`Add` is none of"),
            (json!({ "op": "add", "path": "/a" }), "`value` is missing"),
            (json!({ "op": "add", "value": 1 }), "`path` is missing"),
            (json!({ "op": "add", "path": null, "value": 1 }), "`path` is not a string"),
            (json!({ "op": "add", "path": "a", "value": 1 }), "`a` is no JSON pointer"),
            (json!({ "op": "add", "path": "/~2", "value": 1 }), "`/~2` is no JSON pointer"),
            (json!({ "op": "move", "path": "/a" }), "`from` is missing"),
            (json!({ "op": "copy", "path": "/a", "from": "~" }), "`~` is no JSON pointer"),
        ];
        for (operation, needle) in table {
            let before = json!({ "op": "test", "path": "", "value": 1 });
            let error = Patch::from_value(&json!([before, operation])).unwrap_err();
            assert!(matches!(error, PatchError::NotAnOperation { index: 1, .. }), "{error}");
            assert!(error.to_string().contains(needle), "{error}");
        }
        assert_eq!(Patch::from_value(&json!({ "op": "remove", "path": "/a" })), Err(PatchError::NotAnArray));
    }

    #[test]
    fn what_is_read_is_written_again() {
        let operations = json!([
            { "op": "add", "path": "/a~1b", "value": { "$serde_json::private::RawValue": "7" } },
            { "op": "remove", "path": "/a" },
            { "op": "replace", "path": "", "value": null },
            { "op": "move", "path": "/a", "from": "/b" },
            { "op": "copy", "path": "/a", "from": "/b" },
            { "op": "test", "path": "/a", "value": 1.0 }
        ]);
        let patch = Patch::from_value(&operations).unwrap();
        assert_eq!((patch.to_value(), patch.len(), patch.is_empty()), (operations, 6, false));
    }

    #[test]
    fn paths_are_those_that_change() {
        let patch = Patch::from_value(&json!([
            { "op": "test", "path": "/t", "value": 1 },
            { "op": "move", "from": "/a", "path": "/b" },
            { "op": "copy", "from": "/c", "path": "/d" },
            { "op": "remove", "path": "/e" }
        ]));
        assert_eq!(patch.unwrap().paths().collect::<Vec<_>>(), ["/b", "/a", "/d", "/e"]);
    }
}
