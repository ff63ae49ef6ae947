//! `json.patch`: RFC 6902 on Rego's values, which have sets and keys of any type.

use regorus::Value;
use regorus::value::Object;

use super::arguments::{any, array};
use super::documents::segments;
use super::{Failure, budget, order};

pub(super) fn patch(arguments: &[Value]) -> Result<Value, Failure> {
    let operations = array(arguments, 1)?;
    let mut document = any(arguments, 0)?.clone();
    for operation in operations.iter() {
        let Value::Object(operation) = operation else {
            return Err(bad(
                "must be an array of JSON-Patch objects, but at least one element is not an object",
            ));
        };
        budget::steps(1_000)?;
        document = applied(document, operation)?;
    }
    Ok(document)
}

fn bad(what: &str) -> Failure {
    Failure::Wrong(what.to_owned())
}

fn attribute<'a>(operation: &'a Object, name: &str) -> Result<&'a Value, Failure> {
    operation.get(&Value::from(name)).ok_or_else(|| bad(&format!("missing required attribute '{name}'")))
}

fn applied(document: Value, operation: &Object) -> Result<Value, Failure> {
    let path = attribute(operation, "path")?;
    let Value::String(kind) = attribute(operation, "op")? else {
        return Err(bad("attribute 'op' must be a string"));
    };
    let path = segments(path)?;
    let from = || segments(attribute(operation, "from")?);
    match kind.as_ref() {
        "add" => insert(document, &path, attribute(operation, "value")?.clone()),
        "remove" => delete(document, &path),
        "replace" => {
            let left = delete(document, &path)?;
            insert(left, &path, attribute(operation, "value")?.clone())
        }
        "move" => {
            let from = from()?;
            let moved = find(&document, &from)?.clone();
            insert(delete(document, &from)?, &path, moved)
        }
        "copy" => {
            let copied = find(&document, &from()?)?.clone();
            insert(document, &path, copied)
        }
        "test" => {
            let there = find(&document, &path)?;
            if order::compare(there, attribute(operation, "value")?).is_eq() {
                return Ok(document);
            }
            Err(bad("the value there is another"))
        }
        other => Err(bad(&format!("unrecognized op: '{other}'"))),
    }
}

fn lost() -> Failure {
    bad("the path leads nowhere")
}

fn child<'a>(value: &'a Value, key: &Value) -> Result<&'a Value, Failure> {
    match value {
        Value::Object(members) => members.get(key),
        Value::Set(items) => items.get(key),
        Value::Array(items) => items.get(index(key, items.len())?),
        _ => None,
    }
    .ok_or_else(lost)
}

fn find<'a>(document: &'a Value, path: &[Value]) -> Result<&'a Value, Failure> {
    path.iter().try_fold(document, child)
}

/// An index of an array: a number, or digits without zeros in front; `-` is the end.
fn index(key: &Value, length: usize) -> Result<usize, Failure> {
    match key {
        Value::String(text) if text.as_ref() == "-" => Ok(length),
        Value::String(text) => {
            if text.len() > 1 && text.starts_with('0') {
                return Err(bad("leading zeros are not allowed in JSON paths"));
            }
            text.parse().map_err(|_| bad("invalid array index"))
        }
        number => number
            .as_i64()
            .ok()
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| bad("invalid array index")),
    }
}

/// Gives what `change` makes of the value that the path leads to.
fn changed(
    value: Value,
    path: &[Value],
    change: &mut dyn FnMut(Value) -> Result<Value, Failure>,
) -> Result<Value, Failure> {
    let Some((key, rest)) = path.split_first() else { return change(value) };
    let part = changed(child(&value, key)?.clone(), rest, change)?;
    put(value, key, part)
}

/// Replaces a child that is there.
fn put(mut value: Value, key: &Value, part: Value) -> Result<Value, Failure> {
    budget::bytes(32)?;
    match &mut value {
        Value::Object(_) => {
            value.as_object_mut().map_err(|_| lost())?.insert(key.clone(), part);
        }
        Value::Set(_) => {
            let items = value.as_set_mut().map_err(|_| lost())?;
            items.remove(key);
            items.insert(part);
        }
        Value::Array(_) => {
            let items = value.as_array_mut().map_err(|_| lost())?;
            let at = index(key, items.len())?;
            *items.get_mut(at).ok_or_else(lost)? = part;
        }
        _ => return Err(lost()),
    }
    Ok(value)
}

fn insert(document: Value, path: &[Value], new: Value) -> Result<Value, Failure> {
    let Some((last, parents)) = path.split_last() else { return Ok(new) };
    changed(document, parents, &mut |mut parent| {
        match &mut parent {
            Value::Object(_) => {
                let members = parent.as_object_mut().map_err(|_| lost())?;
                budget::steps(members.len())?;
                members.insert(last.clone(), new.clone());
            }
            Value::Set(_) if order::compare(last, &new).is_eq() => {
                parent.as_set_mut().map_err(|_| lost())?.insert(new.clone());
            }
            Value::Array(items) => {
                let at = index(last, items.len())?;
                if at > items.len() {
                    return Err(bad("index for array insertion out of bounds"));
                }
                budget::bytes(items.len().saturating_mul(24))?;
                let mut all = items.to_vec();
                all.insert(at, new.clone());
                parent = Value::from(all);
            }
            _ => return Err(lost()),
        }
        Ok(parent)
    })
}

fn delete(document: Value, path: &[Value]) -> Result<Value, Failure> {
    let Some((last, parents)) = path.split_last() else { return Ok(Value::Undefined) };
    changed(document, parents, &mut |mut parent| {
        child(&parent, last)?;
        match &mut parent {
            Value::Object(_) => {
                parent.as_object_mut().map_err(|_| lost())?.remove(last);
            }
            Value::Set(_) => {
                parent.as_set_mut().map_err(|_| lost())?.remove(last);
            }
            Value::Array(items) => {
                budget::bytes(items.len().saturating_mul(24))?;
                let at = index(last, items.len())?;
                let mut all = items.to_vec();
                if at < all.len() {
                    all.remove(at);
                }
                parent = Value::from(all);
            }
            _ => return Err(lost()),
        }
        Ok(parent)
    })
}
