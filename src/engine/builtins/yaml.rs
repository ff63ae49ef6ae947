//! `yaml.*`, as OPA reads and writes YAML.

use regorus::Value;

use super::arguments::string;
use super::{Failure, budget, decimal, json};
use crate::yaml::opa::{self, Unread};

/// Steps for each byte of a text: scanning, composing and decoding it.
const BYTE: usize = 50;

pub(super) fn marshal(arguments: &[Value]) -> Result<Value, Failure> {
    let json = json::written(super::arguments::any(arguments, 0)?)?;
    afford(&json)?;
    let text = opa::write(&json).map_err(failed)?;
    budget::bytes(text.len())?;
    Ok(Value::from(text))
}

pub(super) fn unmarshal(arguments: &[Value]) -> Result<Value, Failure> {
    let text = string(arguments, 0)?;
    afford(text)?;
    let value = opa::read(text).map_err(failed)?;
    budget::bytes(size(&value))?;
    doubles(&value)?;
    Ok(super::super::input::to_rego(&value))
}

pub(super) fn is_valid(arguments: &[Value]) -> Result<Value, Failure> {
    let Ok(text) = string(arguments, 0) else { return Ok(Value::from(false)) };
    afford(text)?;
    match opa::read(text) {
        Ok(_) => Ok(Value::from(true)),
        Err(Unread::Wrong(_)) => Ok(Value::from(false)),
        Err(beyond) => Err(failed(beyond)),
    }
}

/// That the numbers with a fraction are what they seem.
fn doubles(value: &serde_json::Value) -> Result<(), Failure> {
    use serde_json::Value;
    match value {
        Value::Array(items) => items.iter().try_for_each(doubles),
        Value::Object(members) => members.values().try_for_each(doubles),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or(Ok(()), |double| decimal::itself(double).map(drop))
        }
        _ => Ok(()),
    }
}

fn afford(text: &str) -> Result<(), Failure> {
    budget::bytes(text.len())?;
    budget::steps(text.len().saturating_mul(BYTE))
}

/// What aliases make of a text is larger than it.
fn size(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    let below = match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| name.len().saturating_add(size(member))).sum()
        }
        Value::String(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0_usize,
    };
    below.saturating_add(32)
}

fn failed(unread: Unread) -> Failure {
    match unread {
        Unread::Wrong(why) => Failure::Wrong(why),
        Unread::Beyond(what) => {
            Failure::Beyond(format!("is given YAML that is not read here as OPA reads it: {what}"))
        }
    }
}
