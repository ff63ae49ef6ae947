//! Arrays, sets and membership.

use std::collections::BTreeSet;

use regorus::Value;

use super::arguments::{any, array, elements, integer, set, string};
use super::{Failure, budget};

/// What a reference to a value costs.
const ELEMENT: usize = 24;

fn made(items: Vec<Value>) -> Result<Value, Failure> {
    budget::bytes(items.len().saturating_mul(ELEMENT))?;
    Ok(Value::from(items))
}

pub(super) fn array_concat(arguments: &[Value]) -> Result<Value, Failure> {
    let (first, second) = (array(arguments, 0)?, array(arguments, 1)?);
    made(first.iter().chain(second.iter()).cloned().collect())
}

pub(super) fn array_flatten(arguments: &[Value]) -> Result<Value, Failure> {
    let mut flat = Vec::new();
    for item in array(arguments, 0)?.iter() {
        match item {
            Value::Array(inner) => {
                budget::bytes(inner.len().saturating_mul(ELEMENT))?;
                flat.extend(inner.iter().cloned());
            }
            other => flat.push(other.clone()),
        }
    }
    made(flat)
}

pub(super) fn array_slice(arguments: &[Value]) -> Result<Value, Failure> {
    let items = array(arguments, 0)?;
    let clamp = |index: i64| usize::try_from(index.max(0)).unwrap_or(usize::MAX).min(items.len());
    let (start, stop) = (clamp(integer(arguments, 1)?), clamp(integer(arguments, 2)?));
    made(items.iter().take(stop).skip(start).cloned().collect())
}

pub(super) fn array_reverse(arguments: &[Value]) -> Result<Value, Failure> {
    let mut items: Vec<Value> = array(arguments, 0)?.iter().cloned().collect();
    items.reverse();
    made(items)
}

pub(super) fn all(arguments: &[Value]) -> Result<Value, Failure> {
    let items = elements(arguments, 0, &["array", "set"])?;
    Ok(Value::from(items.into_iter().all(|item| *item == Value::Bool(true))))
}

pub(super) fn any_true(arguments: &[Value]) -> Result<Value, Failure> {
    let items = elements(arguments, 0, &["array", "set"])?;
    Ok(Value::from(items.into_iter().any(|item| *item == Value::Bool(true))))
}

pub(super) fn cast_array(arguments: &[Value]) -> Result<Value, Failure> {
    made(elements(arguments, 0, &["array", "set"])?.into_iter().cloned().collect())
}

pub(super) fn cast_set(arguments: &[Value]) -> Result<Value, Failure> {
    let items = elements(arguments, 0, &["array", "set"])?;
    budget::bytes(items.len().saturating_mul(ELEMENT))?;
    Ok(Value::from(items.into_iter().cloned().collect::<BTreeSet<Value>>()))
}

pub(super) fn cast_string(arguments: &[Value]) -> Result<Value, Failure> {
    string(arguments, 0).map(|text| Value::String(text.clone()))
}

pub(super) fn cast_boolean(arguments: &[Value]) -> Result<Value, Failure> {
    super::arguments::boolean(arguments, 0).map(Value::from)
}

pub(super) fn cast_null(arguments: &[Value]) -> Result<Value, Failure> {
    match any(arguments, 0)? {
        Value::Null => Ok(Value::Null),
        other => Err(super::arguments::of_type(0, other, &["null"])),
    }
}

pub(super) fn cast_object(arguments: &[Value]) -> Result<Value, Failure> {
    super::arguments::object(arguments, 0).map(|members| Value::Object(members.clone()))
}

pub(super) fn set_diff(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(set(arguments, 0)?.difference(set(arguments, 1)?).into_value())
}

pub(super) fn intersection_of_two(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(set(arguments, 0)?.intersection(set(arguments, 1)?).into_value())
}

pub(super) fn union_of_two(arguments: &[Value]) -> Result<Value, Failure> {
    let (first, second) = (set(arguments, 0)?, set(arguments, 1)?);
    budget::bytes(first.len().saturating_add(second.len()).saturating_mul(ELEMENT))?;
    Ok(first.union(second).into_value())
}

/// `x in collection`
pub(super) fn member(arguments: &[Value]) -> Result<Value, Failure> {
    let wanted = any(arguments, 0)?;
    Ok(Value::from(match any(arguments, 1)? {
        Value::Array(items) => items.contains(wanted),
        Value::Set(items) => items.contains(wanted),
        Value::Object(members) => members.values().any(|value| value == wanted),
        _ => false,
    }))
}

/// `key, x in collection`
pub(super) fn member_with_key(arguments: &[Value]) -> Result<Value, Failure> {
    let (key, wanted) = (any(arguments, 0)?, any(arguments, 1)?);
    Ok(Value::from(match any(arguments, 2)? {
        Value::Array(items) => {
            let index = integer(arguments, 0).ok().and_then(|index| usize::try_from(index).ok());
            index.and_then(|index| items.get(index)) == Some(wanted)
        }
        Value::Set(items) => items.contains(key) && key == wanted,
        Value::Object(members) => members.get(key) == Some(wanted),
        _ => false,
    }))
}
