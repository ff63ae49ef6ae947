//! Arguments of functions, of the types that their Go signatures ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::mesh::template::Value;

/// So many arguments, of any type.
pub(super) fn any<const COUNT: usize>(arguments: &[Value]) -> Result<&[Value; COUNT], String> {
    arguments.try_into().map_err(|_| format!("wrong number of args: want {COUNT} got {}", arguments.len()))
}

/// So many strings.
pub(super) fn texts<const COUNT: usize>(arguments: &[Value]) -> Result<[Arc<str>; COUNT], String> {
    let arguments = any::<COUNT>(arguments)?;
    let texts: Vec<Arc<str>> = arguments.iter().map(text).collect::<Result<_, _>>()?;
    texts.try_into().map_err(|_| format!("wrong number of args: want {COUNT}"))
}

/// A string.
pub(super) fn text(argument: &Value) -> Result<Arc<str>, String> {
    match argument {
        Value::Text(text) => Ok(Arc::clone(text)),
        Value::Absent => Err("invalid value; expected string".to_owned()),
        other => Err(format!("wrong type for value; expected string; got {}", other.kind())),
    }
}

/// An integer.
pub(super) fn integer(argument: &Value) -> Result<i64, String> {
    match argument {
        Value::Int(number) => Ok(*number),
        other => Err(format!("wrong type for value; expected int; got {}", other.kind())),
    }
}

/// A count of characters, lines or repetitions that is not absurd.
pub(super) fn count(argument: &Value) -> Result<usize, String> {
    let number = integer(argument)?;
    let count = usize::try_from(number).ok().filter(|count| *count <= 10_000);
    count.ok_or_else(|| format!("{number} is not between 0 and 10000"))
}

/// A list; what has no elements is an empty one.
pub(super) fn list(argument: &Value) -> Result<&[Value], String> {
    match argument {
        Value::List(items) => Ok(items),
        other => Err(format!("wrong type for value; expected a list; got {}", other.kind())),
    }
}

/// A map from strings.
pub(super) fn map(argument: &Value) -> Result<&BTreeMap<Arc<str>, Value>, String> {
    match argument {
        Value::Map(members) | Value::Texts(members) => Ok(members),
        other => Err(format!("wrong type for value; expected a map; got {}", other.kind())),
    }
}
