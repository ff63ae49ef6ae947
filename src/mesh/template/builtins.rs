//! The functions that every template of Go has, but for those that escape HTML and URLs.

use std::cmp::Ordering;

use super::print;
use super::value::Value;

const NAMES: [&str; 15] = [
    "and", "or", "not", "eq", "ne", "lt", "le", "gt", "ge", "len", "index", "print", "printf", "println",
    "slice",
];

/// Whether there is such a function.
pub(super) fn knows(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Calls one; `and` and `or` are none of them, because they do not look at all their arguments.
pub(super) fn call(name: &str, arguments: &[Value]) -> Result<Value, String> {
    let first = arguments.first().unwrap_or(&Value::Absent);
    match name {
        "not" => Ok(Value::Bool(!first.is_true())),
        "eq" => equals_any(arguments).map(Value::Bool),
        "ne" => equals_any(arguments).map(|is_equal| Value::Bool(!is_equal)),
        "lt" => ordered(arguments, Ordering::is_lt),
        "le" => ordered(arguments, Ordering::is_le),
        "gt" => ordered(arguments, Ordering::is_gt),
        "ge" => ordered(arguments, Ordering::is_ge),
        "len" => length(first),
        "index" => arguments.iter().skip(1).try_fold(first.clone(), |item, index| indexed(&item, index)),
        "slice" => sliced(first, arguments.get(1..).unwrap_or_default()),
        "printf" => match first {
            Value::Text(format) => {
                print::formatted(format, arguments.get(1..).unwrap_or_default()).map(Value::text)
            }
            _ => Err(format!("printf: wrong type for value; expected string; got {}", first.kind())),
        },
        "print" => Ok(Value::text(printed(arguments))),
        "println" => {
            let all: Vec<String> = arguments.iter().map(print::plain).collect();
            Ok(Value::text(all.join(" ") + "\n"))
        }
        _ => Err(format!("function {name:?} not defined")),
    }
}

/// `fmt.Sprint`: blanks between operands of which neither is a string.
fn printed(arguments: &[Value]) -> String {
    let mut text = String::new();
    let mut was_text = true;
    for argument in arguments {
        let is_text = matches!(argument, Value::Text(_));
        if !was_text && !is_text {
            text.push(' ');
        }
        text.push_str(&print::plain(argument));
        was_text = is_text;
    }
    text
}

fn equals_any(arguments: &[Value]) -> Result<bool, String> {
    let Some((first, others)) = arguments.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Err("missing argument for comparison".to_owned());
    };
    for other in others {
        if equals(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equals(one: &Value, other: &Value) -> Result<bool, String> {
    Ok(match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::Int(one), Value::Int(other)) => one == other,
        (Value::Float(one), Value::Float(other)) => one == other,
        (Value::Text(one), Value::Text(other)) | (Value::Enum(one), Value::Enum(other)) => one == other,
        (Value::Absent | Value::Null, Value::Absent | Value::Null) => true,
        (Value::Absent | Value::Null, _) | (_, Value::Absent | Value::Null) => false,
        (Value::List(_), Value::List(_))
        | (Value::Map(_) | Value::Texts(_), Value::Map(_) | Value::Texts(_))
        | (Value::Record(_), Value::Record(_)) => return Err(format!("non-comparable type {}", one.kind())),
        _ => {
            let kinds = format!("{} and {}", one.kind(), other.kind());
            return Err(format!("incompatible types for comparison: {kinds}"));
        }
    })
}

fn ordered(arguments: &[Value], holds: fn(Ordering) -> bool) -> Result<Value, String> {
    let [one, other] = arguments else { return Err("a comparison takes two arguments".to_owned()) };
    let order = match (one, other) {
        (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
        (Value::Float(one), Value::Float(other)) => one.partial_cmp(other),
        (Value::Text(one), Value::Text(other)) => Some(one.cmp(other)),
        _ => None,
    };
    match order {
        Some(order) => Ok(Value::Bool(holds(order))),
        None => Err(format!("incompatible types for comparison: {} and {}", one.kind(), other.kind())),
    }
}

fn length(value: &Value) -> Result<Value, String> {
    let length = match value {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        Value::Map(members) | Value::Texts(members) => members.len(),
        _ => return Err(format!("len of type {}", value.kind())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn indexed(item: &Value, index: &Value) -> Result<Value, String> {
    let position = |length: usize| match index {
        Value::Int(at) => match usize::try_from(*at) {
            Ok(at) if at < length => Ok(at),
            _ => Err(format!("index out of range: {at}")),
        },
        _ => Err(format!("cannot index slice/array with type {}", index.kind())),
    };
    match (item, index) {
        (Value::Absent | Value::Null, _) => Err("index of untyped nil".to_owned()),
        (Value::List(items), _) => Ok(items.get(position(items.len())?).cloned().unwrap_or(Value::Null)),
        (Value::Map(members), Value::Text(name)) => Ok(members.get(name).cloned().unwrap_or(Value::Null)),
        (Value::Texts(members), Value::Text(name)) => {
            Ok(members.get(name).cloned().unwrap_or_else(|| Value::text("")))
        }
        (Value::Map(_) | Value::Texts(_), _) => Err(format!("wrong type for key: {}", index.kind())),
        (Value::Text(text), _) => {
            let byte = text.as_bytes().get(position(text.len())?).copied().unwrap_or_default();
            Ok(Value::Int(i64::from(byte)))
        }
        _ => Err(format!("can't index item of type {}", item.kind())),
    }
}

fn sliced(item: &Value, bounds: &[Value]) -> Result<Value, String> {
    let length = match item {
        Value::Text(text) => text.len(),
        Value::List(items) => items.len(),
        _ => return Err(format!("can't slice item of type {}", item.kind())),
    };
    let bound = |at: usize, default: usize| match bounds.get(at) {
        None => Ok(default),
        Some(Value::Int(bound)) => {
            let bound = usize::try_from(*bound).ok().filter(|bound| *bound <= length);
            bound.ok_or_else(|| "index out of range".to_owned())
        }
        Some(other) => Err(format!("cannot index slice/array with type {}", other.kind())),
    };
    let (from, to) = (bound(0, 0)?, bound(1, length)?);
    let part = match item {
        Value::Text(text) => text.get(from..to).map(Value::text),
        Value::List(items) => items.get(from..to).map(|items| Value::list(items.iter().cloned())),
        _ => None,
    };
    part.ok_or_else(|| format!("invalid slice index: {from} > {to}, or within a character"))
}
