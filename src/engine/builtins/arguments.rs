//! A builtin's arguments, taken as what it needs; errors in OPA's words.

use std::sync::Arc;

use num_bigint::BigInt;
use regorus::Value;
use regorus::value::{Array, Object, Set};

use super::number::Number;
use super::{Failure, spelling};

/// The argument of that index, of whatever type.
pub(super) fn any(arguments: &[Value], index: usize) -> Result<&Value, Failure> {
    arguments.get(index).ok_or_else(|| Failure::Wrong(format!("operand {} is missing", ordinal(index))))
}

pub(super) fn string(arguments: &[Value], index: usize) -> Result<&Arc<str>, Failure> {
    match any(arguments, index)? {
        Value::String(text) => Ok(text),
        other => Err(of_type(index, other, &["string"])),
    }
}

pub(super) fn boolean(arguments: &[Value], index: usize) -> Result<bool, Failure> {
    match any(arguments, index)? {
        Value::Bool(value) => Ok(*value),
        other => Err(of_type(index, other, &["boolean"])),
    }
}

pub(super) fn array(arguments: &[Value], index: usize) -> Result<&Arc<Array>, Failure> {
    match any(arguments, index)? {
        Value::Array(items) => Ok(items),
        other => Err(of_type(index, other, &["array"])),
    }
}

pub(super) fn set(arguments: &[Value], index: usize) -> Result<&Arc<Set>, Failure> {
    match any(arguments, index)? {
        Value::Set(items) => Ok(items),
        other => Err(of_type(index, other, &["set"])),
    }
}

pub(super) fn object(arguments: &[Value], index: usize) -> Result<&Arc<Object>, Failure> {
    match any(arguments, index)? {
        Value::Object(members) => Ok(members),
        other => Err(of_type(index, other, &["object"])),
    }
}

pub(super) fn number(arguments: &[Value], index: usize) -> Result<Number, Failure> {
    let value = any(arguments, index)?;
    Number::of(value).ok_or_else(|| of_type(index, value, &["number"]))
}

/// An integer of any size.
pub(super) fn big_integer(arguments: &[Value], index: usize) -> Result<BigInt, Failure> {
    let value = any(arguments, index)?;
    match Number::of(value) {
        None => Err(of_type(index, value, &["integer"])),
        Some(Number::Integer(integer)) => Ok(integer),
        Some(Number::Double(_)) => Err(fraction(index)),
    }
}

/// An integer of 64 bits, and not `1e3`, which is none to OPA; `1.0` is.
pub(super) fn integer(arguments: &[Value], index: usize) -> Result<i64, Failure> {
    let has_exponent = |text: String| text.contains(['e', 'E']);
    if spelling::of_whole(any(arguments, index)?)?.is_some_and(has_exponent) {
        return Err(fraction(index));
    }
    whole(arguments, index)
}

/// An integer of 64 bits, however it is written.
pub(super) fn whole(arguments: &[Value], index: usize) -> Result<i64, Failure> {
    match number(arguments, index)? {
        Number::Integer(integer) => i64::try_from(integer).map_err(|_| fraction(index)),
        Number::Double(_) => Err(fraction(index)),
    }
}

/// What `format_int` takes: a number, cut to an integer, and a base.
pub(super) fn big_base(arguments: &[Value]) -> Result<(BigInt, u32), Failure> {
    let integer = match number(arguments, 0)? {
        Number::Integer(integer) => integer,
        Number::Double(double) => format!("{:.0}", double.trunc()).parse().unwrap_or_default(),
    };
    let base = number(arguments, 1)?;
    let is_spelled = spelling::of_whole(any(arguments, 1)?)?.is_some();
    let known = [2, 8, 10, 16].into_iter().find(|radix| base == Number::Integer(BigInt::from(*radix)));
    let known = known.filter(|_| !is_spelled);
    let radix = known.ok_or_else(|| wrong(1, "must be one of {2, 8, 10, 16}"))?;
    Ok((integer, radix))
}

/// The elements of an array or a set.
pub(super) fn elements<'a>(
    arguments: &'a [Value],
    index: usize,
    expected: &[&str],
) -> Result<Vec<&'a Value>, Failure> {
    match any(arguments, index)? {
        Value::Array(items) => Ok(items.iter().collect()),
        Value::Set(items) => Ok(items.iter_sorted().collect()),
        other => Err(of_type(index, other, expected)),
    }
}

/// The elements of an array or a set of strings.
pub(super) fn strings<'a>(
    arguments: &'a [Value],
    index: usize,
    expected: &[&str],
) -> Result<Vec<&'a str>, Failure> {
    let text = |item: &'a Value| match item {
        Value::String(text) => Ok(text.as_ref()),
        other => Err(of_elements(arguments, index, other, "string")),
    };
    elements(arguments, index, expected)?.into_iter().map(text).collect()
}

/// An argument of another type.
pub(super) fn of_type(index: usize, got: &Value, expected: &[&str]) -> Failure {
    let wanted = match expected {
        [one] => (*one).to_owned(),
        many => format!("one of {{{}}}", many.join(", ")),
    };
    wrong(index, &format!("must be {wanted} but got {}", name(got)))
}

/// A collection with an element of another type.
pub(super) fn of_elements(arguments: &[Value], index: usize, got: &Value, expected: &str) -> Failure {
    let collection = arguments.get(index).map_or("nothing", name);
    wrong(
        index,
        &format!("must be {collection} of {expected}s but got {collection} containing {}", name(got)),
    )
}

/// An argument that is wrong in another way.
pub(super) fn wrong(index: usize, what: &str) -> Failure {
    Failure::Wrong(format!("operand {} {what}", ordinal(index)))
}

fn fraction(index: usize) -> Failure {
    wrong(index, "must be integer number but got floating-point number")
}

fn ordinal(index: usize) -> usize {
    index.saturating_add(1)
}

/// A type as OPA names it.
pub(super) fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Set(_) => "set",
        Value::Object(_) => "object",
        Value::Undefined => "undefined",
    }
}
