//! The order of values, as OPA has it; the interpreter's differs in that sets come before objects.

use std::cmp::Ordering;

use regorus::Value;

use super::arguments::elements;
use super::{Failure, budget};

/// Compares two values.
pub(in crate::engine) fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Set(a), Value::Set(b)) => {
            let (a, b) = (sorted(a.iter()), sorted(b.iter()));
            all(a.into_iter(), b.into_iter())
        }
        (Value::Array(a), Value::Array(b)) => all(a.iter(), b.iter()),
        (Value::Object(a), Value::Object(b)) => {
            let (keys_a, keys_b) = (sorted(a.keys()), sorted(b.keys()));
            // Keys and their values alternate; fewer keys come first where what both have is equal.
            for (key_a, key_b) in keys_a.iter().zip(&keys_b) {
                let order = compare(key_a, key_b).then_with(|| match (a.get(key_a), b.get(key_b)) {
                    (Some(a), Some(b)) => compare(a, b),
                    _ => Ordering::Equal,
                });
                if order.is_ne() {
                    return order;
                }
            }
            keys_a.len().cmp(&keys_b.len())
        }
        (a, b) => rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)),
    }
}

fn all<'a>(a: impl Iterator<Item = &'a Value>, b: impl Iterator<Item = &'a Value>) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) => {
                let order = compare(a, b);
                if order.is_ne() {
                    return order;
                }
            }
            (a, b) => return a.is_some().cmp(&b.is_some()),
        }
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
        Value::Set(_) => 6,
        Value::Undefined => 7,
    }
}

/// Values in OPA's order.
pub(in crate::engine) fn sorted<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<&'a Value> {
    let mut values: Vec<&Value> = values.collect();
    values.sort_by(|a, b| compare(a, b));
    values
}

pub(super) fn sort(arguments: &[Value]) -> Result<Value, Failure> {
    let items = sorted(elements(arguments, 0, &["set", "array"])?.into_iter());
    budget::bytes(items.len().saturating_mul(24))?;
    Ok(Value::from(items.into_iter().cloned().collect::<Vec<Value>>()))
}

pub(super) fn max(arguments: &[Value]) -> Result<Value, Failure> {
    let items = elements(arguments, 0, &["set", "array"])?.into_iter();
    Ok(items.max_by(|a, b| compare(a, b)).cloned().unwrap_or(Value::Undefined))
}

pub(super) fn min(arguments: &[Value]) -> Result<Value, Failure> {
    // Of 1 and 1.0 the last, as for the greatest.
    let items = elements(arguments, 0, &["set", "array"])?.into_iter().rev();
    Ok(items.min_by(|a, b| compare(a, b)).cloned().unwrap_or(Value::Undefined))
}
