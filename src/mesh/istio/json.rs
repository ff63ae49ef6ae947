//! JSON as Go's encoder writes it.

use serde_json::Value;

/// The text of a document: no blanks, members sorted, and no character that HTML gives a meaning.
pub(super) fn encode(document: &Value) -> String {
    escape(&document.to_string())
}

/// Such characters are in strings only.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// An object with members in the order given.
pub(super) fn object<'a>(members: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let members = members.into_iter().map(|(name, text)| format!("{}:{text}", encode(&Value::from(name))));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}
