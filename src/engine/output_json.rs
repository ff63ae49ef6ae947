//! Values of Rego as JSON, as OPA prints them: sets as arrays in OPA's order, numbers as Go writes them.

use std::collections::BTreeMap;

use regorus::Value as Rego;
use serde_json::Value;

use super::builtins::order::sorted;
use super::builtins::{Failure, decimal};
use super::evaluate::EvaluationError;

/// What an answer may take as JSON: 10,000 containers with six findings each (R07) take a third of it.
const BYTES: usize = 64 * 1024 * 1024;
/// What a value takes beside its text.
const VALUE_BYTES: usize = 32;

/// A value as JSON; None if it is undefined.
///
/// # Errors
/// It is too large, or has a number beyond all doubles. As null it would be another answer than the policy's.
pub(super) fn value(value: &Rego) -> Result<Option<Value>, EvaluationError> {
    within_bounds(value)?;
    written(value)
}

/// That a value is not too large to be written. What is used twice the interpreter has once, so that thirty short rules,
/// each twice the one before, are no work for it and gigabytes as a text (R06).
pub(super) fn within_bounds(value: &Rego) -> Result<(), EvaluationError> {
    let mut left = BYTES;
    measure(value, &mut left)
        .ok_or_else(|| EvaluationError::Shape(format!("it is larger than {BYTES} bytes")))
}

/// Takes from what is left what a value takes.
fn measure(value: &Rego, left: &mut usize) -> Option<()> {
    let text = if let Rego::String(text) = value { text.len() } else { 0 };
    *left = left.checked_sub(VALUE_BYTES.saturating_add(text))?;
    match value {
        Rego::Array(items) => items.iter().try_for_each(|item| measure(item, left)),
        Rego::Set(items) => items.iter().try_for_each(|item| measure(item, left)),
        Rego::Object(members) => {
            members.iter().try_for_each(|(key, value)| measure(key, left).and_then(|()| measure(value, left)))
        }
        _ => Some(()),
    }
}

fn written(value: &Rego) -> Result<Option<Value>, EvaluationError> {
    Ok(Some(match value {
        Rego::Undefined => return Ok(None),
        Rego::Null => Value::Null,
        Rego::Bool(bool) => Value::Bool(*bool),
        Rego::String(text) => Value::String(text.to_string()),
        Rego::Number(_) => Value::Number(kept(&number(value)).ok_or_else(too_large)?),
        Rego::Array(items) => all(items.iter())?,
        Rego::Set(items) => all(sorted(items.iter()).into_iter())?,
        Rego::Object(members) => {
            let member = |key: &Rego| {
                let value = written(members.get(key)?).transpose()?;
                Some(name(key).and_then(|name| Ok((name, value?))))
            };
            let members: Result<_, _> = sorted(members.keys()).into_iter().filter_map(member).collect();
            Value::Object(members?)
        }
    }))
}

fn all<'a>(items: impl Iterator<Item = &'a Rego>) -> Result<Value, EvaluationError> {
    items.filter_map(|item| written(item).transpose()).collect()
}

fn too_large() -> EvaluationError {
    EvaluationError::Shape("it has a number that is too large for JSON as the API server reads it".to_owned())
}

/// A value as a JSON text without spaces; None if it is undefined, or has no such text.
pub(super) fn text(value: &Rego) -> Option<String> {
    exact(value).ok().flatten()
}

/// A value as a JSON text without spaces; None if it is undefined.
///
/// # Errors
/// The name of a member is a number that is written in several ways.
pub(super) fn exact(value: &Rego) -> Result<Option<String>, EvaluationError> {
    let mut text = String::new();
    if matches!(value, Rego::Undefined) {
        return Ok(None);
    }
    write(value, &mut text)?;
    Ok(Some(text))
}

fn write(value: &Rego, to: &mut String) -> Result<(), EvaluationError> {
    match value {
        Rego::Undefined | Rego::Null => to.push_str("null"),
        Rego::Bool(bool) => to.push_str(if *bool { "true" } else { "false" }),
        Rego::String(text) => to.push_str(&quoted(text)),
        Rego::Number(_) => to.push_str(&number(value)),
        Rego::Array(items) => write_all(items.iter(), to)?,
        Rego::Set(items) => write_all(sorted(items.iter()).into_iter(), to)?,
        Rego::Object(members) => {
            // Of 1 and "1" the latter in OPA's order stays.
            let named = sorted(members.keys()).into_iter();
            let named = named.filter_map(|key| Some((key, members.get(key)?)));
            let named: BTreeMap<String, &Rego> =
                named.map(|(key, member)| Ok((name(key)?, member))).collect::<Result<_, _>>()?;
            to.push('{');
            for (index, (name, member)) in named.into_iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                to.push_str(&quoted(&name));
                to.push(':');
                write(member, to)?;
            }
            to.push('}');
        }
    }
    Ok(())
}

fn write_all<'a>(items: impl Iterator<Item = &'a Rego>, to: &mut String) -> Result<(), EvaluationError> {
    to.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            to.push(',');
        }
        write(item, to)?;
    }
    to.push(']');
    Ok(())
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Keys that are not strings are written as JSON texts.
fn name(key: &Rego) -> Result<String, EvaluationError> {
    match key {
        Rego::String(text) => Ok(text.to_string()),
        Rego::Number(_) => decimal::written(key).map_err(|failure| {
            let (Failure::Wrong(what) | Failure::Beyond(what)) = failure;
            EvaluationError::Policy(format!("the result {what}"))
        }),
        other => exact(other).map(Option::unwrap_or_default),
    }
}

/// With all its digits, also those that no double holds. As the value of a member 1 and `1.0` are the same, whichever it is.
fn number(value: &Rego) -> String {
    decimal::written(value).unwrap_or_else(|_| decimal::digits(value))
}

/// A number as JSON holds it: an integer that is neither of 64 bits nor exactly a double would be another one.
fn kept(text: &str) -> Option<serde_json::Number> {
    let number: serde_json::Number = serde_json::from_str(text).ok()?;
    let is_whole = !text.contains(['.', 'e']);
    let is_exact = !is_whole || number.as_f64().is_none_or(|double| format!("{double:.0}") == text);
    (number.is_i64() || number.is_u64() || is_exact).then_some(number)
}

#[cfg(test)]
mod tests {
    use regorus::Value as Rego;

    use super::text;

    #[test]
    fn a_number_beyond_all_doubles_has_all_its_digits() {
        let digits = format!("1{}", "0".repeat(309));
        let value = Rego::from(vec![Rego::from_numeric_string(&digits).unwrap()]);
        assert_eq!(text(&value), Some(format!("[{digits}]")));
    }
}
