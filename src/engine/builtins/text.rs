//! Values as OPA writes them in Rego's notation: `{"a": [1, "x"], "b": {1, 2}}`.

use regorus::Value;
use unicode_general_category::{GeneralCategory, get_general_category};

use super::{Failure, budget, decimal, order};

/// A value in Rego's notation.
pub(super) fn written(value: &Value) -> Result<String, Failure> {
    let mut text = String::new();
    write(value, &mut text)?;
    Ok(text)
}

fn write(value: &Value, text: &mut String) -> Result<(), Failure> {
    // Values share their parts, so that a small one can be written as a text without end.
    budget::bytes(16)?;
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(_) => text.push_str(&decimal::written(value)?),
        Value::String(value) => {
            budget::bytes(value.len())?;
            text.push_str(&quoted(value, Quote::Double, false));
        }
        Value::Array(items) => write_all(items.iter(), ("[", "]"), text)?,
        Value::Set(items) if items.is_empty() => text.push_str("set()"),
        Value::Set(items) => write_all(order::sorted(items.iter()).into_iter(), ("{", "}"), text)?,
        Value::Object(members) => {
            text.push('{');
            let keys = order::sorted(members.keys());
            for (count, key) in keys.into_iter().enumerate() {
                let Some(member) = members.get(key) else { continue };
                text.push_str(if count == 0 { "" } else { ", " });
                write(key, text)?;
                text.push_str(": ");
                write(member, text)?;
            }
            text.push('}');
        }
        Value::Undefined => text.push_str("<undefined>"),
    }
    Ok(())
}

fn write_all<'a>(
    items: impl Iterator<Item = &'a Value>,
    (open, close): (&str, &str),
    text: &mut String,
) -> Result<(), Failure> {
    text.push_str(open);
    for (count, item) in items.enumerate() {
        text.push_str(if count == 0 { "" } else { ", " });
        write(item, text)?;
    }
    text.push_str(close);
    Ok(())
}

/// Which quotes go around a text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quote {
    /// For a string.
    Double,
    /// For one character.
    Single,
}

/// A text in quotes, with Go's escapes. `ascii`: whatever is beyond ASCII is escaped too.
pub(super) fn quoted(text: &str, quote: Quote, ascii: bool) -> String {
    let mark = if quote == Quote::Double { '"' } else { '\'' };
    let mut result = String::with_capacity(text.len().saturating_add(2));
    result.push(mark);
    for letter in text.chars() {
        match letter {
            '\u{7}' => result.push_str("\\a"),
            '\u{8}' => result.push_str("\\b"),
            '\u{c}' => result.push_str("\\f"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\u{b}' => result.push_str("\\v"),
            letter if letter == mark || letter == '\\' => result.extend(['\\', letter]),
            letter if printable(letter) && (letter.is_ascii() || !ascii) => result.push(letter),
            letter => match u32::from(letter) {
                code if code < 0x80 => result.push_str(&format!("\\x{code:02x}")),
                code if code < 0x1_0000 => result.push_str(&format!("\\u{code:04x}")),
                code => result.push_str(&format!("\\U{code:08x}")),
            },
        }
    }
    result.push(mark);
    result
}

/// Letters, marks, numbers, punctuation, symbols and the space of ASCII: what Go prints as it is.
pub(super) fn printable(letter: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate, Unassigned,
    };
    letter == ' '
        || !matches!(
            get_general_category(letter),
            Control
                | Format
                | LineSeparator
                | ParagraphSeparator
                | PrivateUse
                | SpaceSeparator
                | Surrogate
                | Unassigned
        )
}
