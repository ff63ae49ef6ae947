//! One operation of a patch: JSON ↔ the crate's types. By hand, not by `serde`: faults in our words, and no key of a
//! value is given a meaning.

use json_patch::jsonptr::PointerBuf;
use json_patch::{
    AddOperation, CopyOperation, MoveOperation, PatchOperation, RemoveOperation, ReplaceOperation,
    TestOperation,
};
use serde_json::{Map, Value, json};

/// Reads an operation; the error says what is wrong with it.
pub(super) fn read(value: &Value) -> Result<PatchOperation, String> {
    let members = value.as_object().ok_or("it is not an object")?;
    let path = || pointer(members, "path");
    let from = || pointer(members, "from");
    let value = || members.get("value").cloned().ok_or("`value` is missing");
    Ok(match text(members, "op")? {
        "add" => PatchOperation::Add(AddOperation { path: path()?, value: value()? }),
        "remove" => PatchOperation::Remove(RemoveOperation { path: path()? }),
        "replace" => PatchOperation::Replace(ReplaceOperation { path: path()?, value: value()? }),
        "move" => PatchOperation::Move(MoveOperation { path: path()?, from: from()? }),
        "copy" => PatchOperation::Copy(CopyOperation { path: path()?, from: from()? }),
        "test" => PatchOperation::Test(TestOperation { path: path()?, value: value()? }),
        other => return Err(format!("`{other}` is none of add, remove, replace, move, copy, test")),
    })
}

/// The operation as JSON.
pub(super) fn write(operation: &PatchOperation) -> Value {
    let op = name(operation);
    let path = operation.path().as_str();
    match operation {
        PatchOperation::Add(AddOperation { value, .. })
        | PatchOperation::Replace(ReplaceOperation { value, .. })
        | PatchOperation::Test(TestOperation { value, .. }) => {
            json!({ "op": op, "path": path, "value": value })
        }
        PatchOperation::Move(MoveOperation { from, .. })
        | PatchOperation::Copy(CopyOperation { from, .. }) => {
            json!({ "op": op, "path": path, "from": from.as_str() })
        }
        PatchOperation::Remove(_) => json!({ "op": op, "path": path }),
    }
}

/// The operation's `op`.
pub(super) fn name(operation: &PatchOperation) -> &'static str {
    match operation {
        PatchOperation::Add(_) => "add",
        PatchOperation::Remove(_) => "remove",
        PatchOperation::Replace(_) => "replace",
        PatchOperation::Move(_) => "move",
        PatchOperation::Copy(_) => "copy",
        PatchOperation::Test(_) => "test",
    }
}

fn pointer(members: &Map<String, Value>, name: &str) -> Result<PointerBuf, String> {
    let text = text(members, name)?;
    PointerBuf::parse(text).map_err(|_| {
        format!("`{name}` `{text}` is no JSON pointer; it is empty or begins with `/`, and `~` stands for itself as `~0`")
    })
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    let value = members.get(name).ok_or_else(|| format!("`{name}` is missing"))?;
    value.as_str().ok_or_else(|| format!("`{name}` is not a string"))
}
