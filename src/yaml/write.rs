//! Values → YAML that kubectl reads back as the same values.

use serde_json::{Map, Value};

use super::resolve::{Scalar, resolve_plain};

/// From this length on a key is written with `?` before it: YAML takes keys of up to 1024 bytes without.
const LONG_KEY: usize = 120;

/// Writes a value as block YAML, members in their order, texts quoted where kubectl would read them as something else.
/// [`read`](super::read) gives the same value, but for doubles without fraction below 1e21, which YAML, as kubectl reads
/// it, doesn't tell from integers, and for null alone, which is no document.
pub fn write(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => write_members(&mut text, members, 0),
        Value::Array(elements) if !elements.is_empty() => write_elements(&mut text, elements, 0),
        _ => write_scalar(&mut text, value, None),
    }
    text
}

/// Members, the first one at the end of the current line.
fn write_members(text: &mut String, members: &Map<String, Value>, indent: usize) {
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            text.extend(std::iter::repeat_n(' ', indent));
        }
        let name = inline(name);
        if name.len() > LONG_KEY {
            text.push_str("? ");
            text.push_str(&name);
            text.push('\n');
            text.extend(std::iter::repeat_n(' ', indent));
        } else {
            text.push_str(&name);
        }
        text.push(':');
        let below = indent.saturating_add(2);
        match value {
            Value::Object(members) if !members.is_empty() => {
                start_line(text, below);
                write_members(text, members, below);
            }
            Value::Array(elements) if !elements.is_empty() => {
                start_line(text, indent);
                write_elements(text, elements, indent);
            }
            _ => {
                text.push(' ');
                write_scalar(text, value, Some(below));
            }
        }
    }
}

/// Elements, the first one at the end of the current line.
fn write_elements(text: &mut String, elements: &[Value], indent: usize) {
    for (index, value) in elements.iter().enumerate() {
        if index > 0 {
            text.extend(std::iter::repeat_n(' ', indent));
        }
        text.push_str("- ");
        let below = indent.saturating_add(2);
        match value {
            Value::Object(members) if !members.is_empty() => write_members(text, members, below),
            Value::Array(elements) if !elements.is_empty() => write_elements(text, elements, below),
            _ => write_scalar(text, value, Some(below)),
        }
    }
}

fn start_line(text: &mut String, indent: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n(' ', indent));
}

/// The rest of a line, or a block at `indent`.
fn write_scalar(text: &mut String, value: &Value, indent: Option<usize>) {
    match (value, indent) {
        (Value::String(string), Some(indent)) if is_block(string) => write_block(text, string, indent),
        (Value::String(string), _) => text.push_str(&inline(string)),
        // Empty arrays and objects, too.
        _ => text.push_str(&value.to_string()),
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

fn write_block(text: &mut String, string: &str, indent: usize) {
    let body = string.strip_suffix('\n');
    text.push_str(if body.is_some() { "|" } else { "|-" });
    for line in body.unwrap_or(string).split('\n') {
        text.push('\n');
        if !line.is_empty() {
            text.extend(std::iter::repeat_n(' ', indent));
            text.push_str(line);
        }
    }
    text.push('\n');
}

/// Whether a text of many lines can be written as it is: not where its beginning or end would need more than `|`.
fn is_block(string: &str) -> bool {
    let body = string.strip_suffix('\n').unwrap_or(string);
    let is_even = !body.starts_with([' ', '\t', '\n']) && !body.ends_with('\n') && !body.is_empty();
    string.contains('\n')
        && is_even
        && string.chars().all(|character| character == '\n' || is_literal(character))
}

/// A text in one line.
fn inline(string: &str) -> String {
    if is_plain(string) { string.to_owned() } else { quoted(string) }
}

/// Whether a text needs no quotes: it has none of the characters that mean something, at its beginning or elsewhere, and
/// neither go-yaml nor a reader of other versions of YAML takes it for something else.
fn is_plain(string: &str) -> bool {
    let starts = |first: char| first.is_alphanumeric() || matches!(first, '/' | '_' | '.' | '$' | '(' | '^');
    let has_start = match string.strip_prefix("-") {
        Some(rest) => {
            rest.starts_with(|second: char| second == '-' || second.is_ascii_alphabetic())
                && !rest.starts_with("--")
        }
        None => string.starts_with(starts),
    };
    let is_base_60 =
        string.contains(':') && string.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '_'));
    let has_meaning =
        string.contains(": ") || string.contains(" #") || string.ends_with([':', ' ']) || string == "=";
    let is_document_end = string.starts_with("...");
    has_start
        && !has_meaning
        && !is_base_60
        && !is_document_end
        && string.chars().all(|character| character != '\t' && is_literal(character))
        && matches!(resolve_plain(string), Scalar::Text(_))
}

fn quoted(string: &str) -> String {
    let mut text = String::from("\"");
    for character in string.chars() {
        let code = u32::from(character);
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            _ if is_literal(character) => text.push(character),
            _ if code <= 0xFF => text.push_str(&format!("\\x{code:02X}")),
            _ if code <= 0xFFFF => text.push_str(&format!("\\u{code:04X}")),
            _ => text.push_str(&format!("\\U{code:08X}")),
        }
    }
    text.push('"');
    text
}

/// Whether a character stands for itself within a line: allowed, no line break of YAML 1.1, no byte order mark.
fn is_literal(character: char) -> bool {
    let is_break = matches!(character, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}');
    is_printable(character) && !is_break
}

/// Whether YAML 1.1 allows a character at all.
pub(super) fn is_printable(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
