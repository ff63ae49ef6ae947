//! Values as Go's package fmt prints them.

use unicode_general_category::{GeneralCategory, get_general_category};

use super::numbers;
use super::value::Value;

/// As an action prints it.
pub(super) fn action(value: &Value) -> String {
    match value {
        Value::Absent | Value::Null => "<no value>".to_owned(),
        _ => plain(value),
    }
}

/// As `fmt.Sprint` and `%v` do.
pub(in crate::mesh) fn plain(value: &Value) -> String {
    match value {
        Value::Absent | Value::Null => "<nil>".to_owned(),
        Value::Bool(bool) => bool.to_string(),
        Value::Int(int) => int.to_string(),
        Value::Float(float) => numbers::to_text(*float),
        Value::Text(text) | Value::Enum(text) => text.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(members) | Value::Texts(members) => {
            let members = members.iter().map(|(name, value)| format!("{name}:{}", plain(value)));
            format!("map[{}]", members.collect::<Vec<_>>().join(" "))
        }
        Value::Record(record) if record.is_nil => "<nil>".to_owned(),
        Value::Record(record) => {
            let fields: Vec<String> = record.fields.values().map(plain).collect();
            format!("{{{}}}", fields.join(" "))
        }
    }
}

/// `printf`.
pub(super) fn formatted(format: &str, arguments: &[Value]) -> Result<String, String> {
    let mut text = String::new();
    let mut arguments_left = arguments.iter();
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let mut width = String::new();
        while let Some(digit) = characters.next_if(|next| next.is_ascii_digit() || *next == '-') {
            width.push(digit);
        }
        let verb = characters.next().ok_or("printf: nothing behind the last %")?;
        if verb == '%' {
            text.push('%');
            continue;
        }
        let Some(argument) = arguments_left.next() else {
            text.push_str(&format!("%!{verb}(MISSING)"));
            continue;
        };
        text.push_str(&padded(&verbatim(verb, argument)?, &width)?);
    }
    let left: Vec<String> = arguments_left.map(|one| format!("{}={}", one.kind(), plain(one))).collect();
    if !left.is_empty() {
        text.push_str(&format!("%!(EXTRA {})", left.join(", ")));
    }
    Ok(text)
}

fn verbatim(verb: char, argument: &Value) -> Result<String, String> {
    let wrong = || format!("%!{verb}({}={})", argument.kind(), plain(argument));
    Ok(match (verb, argument) {
        ('v', _) | ('s', Value::Text(_) | Value::Enum(_)) | ('d', Value::Int(_)) | ('t', Value::Bool(_)) => {
            plain(argument)
        }
        ('s' | 'd' | 't' | 'q', Value::Absent | Value::Null) => format!("%!{verb}(<nil>)"),
        ('s', Value::List(_) | Value::Map(_) | Value::Texts(_) | Value::Record(_)) => plain(argument),
        ('q', Value::Text(text) | Value::Enum(text)) => quote(text),
        ('s' | 'd' | 't' | 'q', _) => wrong(),
        _ => return Err(format!("printf: the verb %{verb} is not known to meshgate")),
    })
}

fn padded(text: &str, width: &str) -> Result<String, String> {
    let (left, digits) = width.strip_prefix('-').map_or((false, width), |digits| (true, digits));
    if digits.is_empty() {
        return Ok(text.to_owned());
    }
    let width: usize =
        digits.parse().ok().filter(|width| *width <= 1000).ok_or("printf: such a width is not taken")?;
    Ok(if left { format!("{text:<width$}") } else { format!("{text:>width$}") })
}

/// A text in double quotes, as `%q` writes it.
pub(in crate::mesh) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        let code = u32::from(character);
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{b}' => quoted.push_str("\\v"),
            _ if is_printed(character) => quoted.push(character),
            _ if code < 0x80 => quoted.push_str(&format!("\\x{code:02x}")),
            _ if code < 0x1_0000 => quoted.push_str(&format!("\\u{code:04x}")),
            _ => quoted.push_str(&format!("\\U{code:08x}")),
        }
    }
    quoted.push('"');
    quoted
}

/// `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
fn is_printed(character: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, SpaceSeparator, Surrogate, Unassigned,
    };
    character == ' '
        || !matches!(
            get_general_category(character),
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
