//! JSON as text: `json.marshal` and what reads it, byte for byte as Go writes it.

use std::collections::BTreeMap;

use regorus::Value;

use super::super::json_text;
use super::arguments::{boolean, name, object, string, wrong};
use super::{Failure, budget, decimal, order, strings};

/// How to lay it out.
struct Layout<'a> {
    prefix: &'a str,
    indent: &'a str,
}

pub(super) fn marshal(arguments: &[Value]) -> Result<Value, Failure> {
    written(super::arguments::any(arguments, 0)?).map(Value::from)
}

/// A value as JSON in one line.
pub(super) fn written(value: &Value) -> Result<String, Failure> {
    let mut json = String::new();
    write(value, None, 0, &mut json)?;
    Ok(json)
}

pub(super) fn marshal_with_options(arguments: &[Value]) -> Result<Value, Failure> {
    let value = super::arguments::any(arguments, 0)?;
    let mut layout = Layout { prefix: "", indent: "\t" };
    let (mut pretty, mut implied) = (None, false);
    for (key, option) in object(arguments, 1)?.iter_sorted() {
        let option = std::slice::from_ref(option);
        let failed = |_| wrong(1, "has an option of the wrong type");
        match key.as_string().map(AsRef::as_ref) {
            Ok("pretty") => pretty = Some(boolean(option, 0).map_err(failed)?),
            Ok("prefix") => layout.prefix = string(option, 0).map_err(failed)?,
            Ok("indent") => layout.indent = string(option, 0).map_err(failed)?,
            Ok(other) => return Err(wrong(1, &format!("object contained unknown key {other}"))),
            Err(_) => return Err(wrong(1, &format!("has a key that is {}", name(key)))),
        }
        implied |= matches!(key.as_string().map(AsRef::as_ref), Ok("prefix" | "indent"));
    }
    let mut json = String::new();
    if pretty.unwrap_or(implied) {
        json.push_str(layout.prefix);
        write(value, Some(&layout), 0, &mut json)?;
    } else {
        write(value, None, 0, &mut json)?;
    }
    Ok(Value::from(json))
}

fn write(value: &Value, layout: Option<&Layout<'_>>, depth: usize, json: &mut String) -> Result<(), Failure> {
    // Values share their parts, so that a small one can be written as a text without end.
    budget::bytes(16)?;
    match value {
        Value::Null | Value::Undefined => json.push_str("null"),
        Value::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Value::Number(_) => json.push_str(&decimal::written(value)?),
        Value::String(text) => write_string(text, json)?,
        Value::Array(items) => write_all(items.iter().collect(), layout, depth, json)?,
        Value::Set(items) => write_all(order::sorted(items.iter()), layout, depth, json)?,
        Value::Object(members) => {
            // Of 1 and "1" the latter in OPA's order stays.
            let mut pairs = BTreeMap::new();
            for key in order::sorted(members.keys()) {
                pairs.insert(key_of(key)?, members.get(key).unwrap_or(&Value::Undefined));
            }
            json.push('{');
            for (count, (key, member)) in pairs.iter().enumerate() {
                separate(count, layout, depth, json)?;
                write_string(key, json)?;
                json.push_str(if layout.is_some() { ": " } else { ":" });
                write(member, layout, depth.saturating_add(1), json)?;
            }
            close(pairs.is_empty(), layout, depth, json)?;
            json.push('}');
        }
    }
    Ok(())
}

/// A key that is no string is written as JSON, which then is the key.
fn key_of(key: &Value) -> Result<String, Failure> {
    match key {
        Value::String(text) => Ok(text.to_string()),
        other => written(other),
    }
}

fn write_all(
    items: Vec<&Value>,
    layout: Option<&Layout<'_>>,
    depth: usize,
    json: &mut String,
) -> Result<(), Failure> {
    json.push('[');
    for (count, item) in items.iter().enumerate() {
        separate(count, layout, depth, json)?;
        write(item, layout, depth.saturating_add(1), json)?;
    }
    close(items.is_empty(), layout, depth, json)?;
    json.push(']');
    Ok(())
}

fn separate(
    count: usize,
    layout: Option<&Layout<'_>>,
    depth: usize,
    json: &mut String,
) -> Result<(), Failure> {
    if count > 0 {
        json.push(',');
    }
    line(layout, depth.saturating_add(1), json)
}

fn close(empty: bool, layout: Option<&Layout<'_>>, depth: usize, json: &mut String) -> Result<(), Failure> {
    if empty { Ok(()) } else { line(layout, depth, json) }
}

fn line(layout: Option<&Layout<'_>>, depth: usize, json: &mut String) -> Result<(), Failure> {
    if let Some(layout) = layout {
        budget::bytes(layout.indent.len().saturating_mul(depth).saturating_add(layout.prefix.len()))?;
        json.push('\n');
        json.push_str(layout.prefix);
        json.push_str(&layout.indent.repeat(depth));
    }
    Ok(())
}

/// Go makes JSON that can stand in HTML.
fn write_string(text: &str, json: &mut String) -> Result<(), Failure> {
    budget::bytes(text.len())?;
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => json.extend(['\\', letter]),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                json.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => json.push(letter),
        }
    }
    json.push('"');
    Ok(())
}

pub(super) fn unmarshal(arguments: &[Value]) -> Result<Value, Failure> {
    let text = string(arguments, 0)?;
    strings::made(text.as_ref())?;
    read(text)
}

/// JSON as a value; of a key that is there twice, the last.
pub(super) fn read(text: &str) -> Result<Value, Failure> {
    json_text::read(text)
}

pub(super) fn is_valid(arguments: &[Value]) -> Result<Value, Failure> {
    let Ok(text) = string(arguments, 0) else { return Ok(Value::from(false)) };
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(Value::from(true)),
        // JSON may be deeper for Go than for us.
        Err(error) if error.to_string().starts_with("recursion limit") => {
            Err(Failure::Beyond("is given JSON that is deeper than 127 levels".to_owned()))
        }
        Err(_) => Ok(Value::from(false)),
    }
}
