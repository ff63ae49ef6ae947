//! Values → YAML as go-yaml v3 writes it with an indentation of 2 (encode.go, emitterc.go): blocks, but for what is
//! empty; lines are never folded.

use super::super::number;
use super::super::resolve::Scalar;
use super::decode::Decoded;
use super::order::sorted;
use super::resolve;

/// Longer keys, in bytes, have a `?` before them.
const LONG_KEY: usize = 128;

/// Writes a document.
pub(super) fn emit(value: &Decoded) -> String {
    let mut emitter = Emitter { text: String::new(), column: 0, is_spaced: true, is_indented: true };
    emitter.node(value, None, Place::Other);
    emitter.indent(0);
    emitter.text
}

/// Where a scalar stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Key,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

struct Emitter {
    text: String,
    /// In characters.
    column: usize,
    /// Whether what is written last separates.
    is_spaced: bool,
    /// Whether in this line nothing is but indentation, `-`, `?` and `:`.
    is_indented: bool,
}

impl Emitter {
    /// A value below something that is indented so far; the document's root is below nothing.
    fn node(&mut self, value: &Decoded, parent: Option<usize>, place: Place) {
        let indent = parent.map_or(0, |parent| parent.saturating_add(2));
        match value {
            Decoded::Array(items) if items.is_empty() => self.empty("[", "]"),
            Decoded::Map(members) if members.is_empty() => self.empty("{", "}"),
            Decoded::Array(items) => {
                for item in items {
                    self.indent(indent);
                    self.indicator("-", true, false, true);
                    self.node(item, Some(indent), Place::Other);
                }
            }
            Decoded::Map(members) => {
                let named = members.iter().map(|(key, member)| (key.name().unwrap_or_default(), member));
                for (name, member) in sorted(named.collect()) {
                    self.member(name, member, indent);
                }
            }
            // Below the root a block is indented like everywhere.
            scalar => self.scalar(scalar, parent.map_or(2, |_| indent), place),
        }
    }

    fn empty(&mut self, open: &str, close: &str) {
        self.indicator(open, true, true, false);
        self.indicator(close, false, false, false);
    }

    fn member(&mut self, name: String, member: &Decoded, indent: usize) {
        self.indent(indent);
        let is_simple = name.len() <= LONG_KEY && !name.contains(is_break);
        let name = Decoded::Text(name);
        if is_simple {
            self.node(&name, Some(indent), Place::Key);
            self.indicator(":", false, false, false);
        } else {
            self.indicator("?", true, false, true);
            self.node(&name, Some(indent), Place::Other);
            self.indent(indent);
            self.indicator(":", true, false, true);
        }
        self.node(member, Some(indent), Place::Other);
    }

    fn scalar(&mut self, value: &Decoded, indent: usize, place: Place) {
        let (text, wanted) = match value {
            Decoded::Null | Decoded::Array(_) | Decoded::Map(_) => ("null".to_owned(), Style::Plain),
            Decoded::Bool(bool) => (bool.to_string(), Style::Plain),
            Decoded::Int(integer) => (integer.to_string(), Style::Plain),
            Decoded::Uint(integer) => (integer.to_string(), Style::Plain),
            Decoded::Float(float) => (number::to_text(*float), Style::Plain),
            Decoded::Text(text) if text.contains('\n') => (text.clone(), Style::Literal),
            Decoded::Text(text) if means_its_text(text) => (text.clone(), Style::Plain),
            Decoded::Text(text) => (text.clone(), Style::Double),
        };
        match Analysis::of(&text).style(wanted, place) {
            Style::Plain => self.broken(&text, indent, false),
            Style::Single => {
                self.indicator("'", true, false, false);
                self.broken(&text, indent, true);
                self.indicator("'", false, false, false);
            }
            Style::Double => self.double(&text),
            Style::Literal => self.literal(&text, indent),
        }
        self.is_indented &= self.column == 0;
    }

    /// Without quotes, or between apostrophes: the latter may have line breaks.
    fn broken(&mut self, text: &str, indent: usize, is_quoted: bool) {
        if !is_quoted && !self.is_spaced {
            self.put(' ');
        }
        let mut is_behind_break = false;
        for letter in text.chars() {
            if is_break(letter) {
                if !is_behind_break && letter == '\n' {
                    self.line_break('\n');
                }
                self.line_break(letter);
                is_behind_break = true;
                continue;
            }
            if is_behind_break && letter != ' ' {
                self.indent(indent);
                is_behind_break = false;
            }
            if is_quoted && letter == '\'' {
                self.put('\'');
            }
            self.put(letter);
            self.is_indented &= letter == ' ';
        }
        self.is_spaced = false;
        self.is_indented = false;
    }

    fn double(&mut self, text: &str) {
        self.indicator("\"", true, false, false);
        // go-yaml looks at the beginning of the text instead of at the character.
        let all = text.starts_with('\u{feff}');
        for letter in text.chars() {
            match escape(letter) {
                Some(escape) => self.put_all(&escape),
                None if all || !is_printable(letter) => self.put_all(&numbered(letter)),
                None => self.put(letter),
            }
        }
        self.indicator("\"", false, false, false);
        self.is_indented = false;
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", true, false, false);
        if text.starts_with(|first| first == ' ' || is_break(first)) {
            self.indicator("2", false, false, false);
        }
        let mut from_end = text.chars().rev().map(is_break);
        let chomping = match (from_end.next(), from_end.next()) {
            (Some(true), Some(true) | None) => "+",
            (Some(true), Some(false)) => "",
            (Some(false) | None, _) => "-",
        };
        if !chomping.is_empty() {
            self.indicator(chomping, false, false, false);
        }
        self.line_break('\n');
        self.is_spaced = true;
        let mut is_behind_break = true;
        for letter in text.chars() {
            if is_break(letter) {
                self.line_break(letter);
            } else {
                if is_behind_break {
                    self.indent(indent);
                }
                self.put(letter);
                self.is_indented = false;
            }
            is_behind_break = is_break(letter);
        }
    }

    fn indent(&mut self, indent: usize) {
        if !self.is_indented || self.column > indent || self.column == indent && !self.is_spaced {
            self.line_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.is_spaced = true;
    }

    fn indicator(&mut self, text: &str, needs_space: bool, is_space: bool, is_indentation: bool) {
        if needs_space && !self.is_spaced {
            self.put(' ');
        }
        self.put_all(text);
        self.is_spaced = is_space;
        self.is_indented &= is_indentation;
    }

    fn line_break(&mut self, letter: char) {
        self.text.push(letter);
        self.column = 0;
        self.is_indented = true;
    }

    fn put_all(&mut self, text: &str) {
        text.chars().for_each(|letter| self.put(letter));
    }

    fn put(&mut self, letter: char) {
        self.text.push(letter);
        self.column = self.column.saturating_add(1);
    }
}

/// Whether a text without quotes is read as that text: by go-yaml, and by readers of YAML 1.1.
fn means_its_text(text: &str) -> bool {
    let is_old_bool = matches!(
        text,
        "y" | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    );
    matches!(resolve::plain(text), (resolve::STRING, Scalar::Text(_))) && !is_old_bool && !is_base_60(text)
}

/// `1:30.5`
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let is_digit = |letter: char| letter.is_ascii_digit();
    let first = parts.next().unwrap_or_default();
    let is_first =
        first.starts_with(is_digit) && first.chars().all(|letter| is_digit(letter) || letter == '_');
    let is_sixty = |part: &str| match part.as_bytes() {
        [one] => one.is_ascii_digit(),
        [b'0'..=b'5', two] => two.is_ascii_digit(),
        _ => false,
    };
    let rest: Vec<&str> = parts.collect();
    is_first
        && !rest.is_empty()
        && rest.into_iter().all(is_sixty)
        && fraction.chars().all(|letter| is_digit(letter) || letter == '_')
}

/// What a text has in it, and so how it may be written.
#[derive(Default)]
struct Analysis {
    is_empty: bool,
    is_multiline: bool,
    no_plain: bool,
    no_single: bool,
    no_block: bool,
}

impl Analysis {
    fn of(text: &str) -> Self {
        let mut found = Self { is_empty: text.is_empty(), no_block: text.is_empty(), ..Self::default() };
        found.no_plain = text.starts_with("---") || text.starts_with("...");
        let (mut before, mut letters) = (None, text.chars().peekable());
        while let Some(letter) = letters.next() {
            let next = letters.peek().copied();
            let ends = next.is_none_or(|next| next == ' ' || next == '\t');
            found.no_plain |= match (before, letter) {
                (
                    None,
                    '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
                    | '`',
                ) => true,
                (None, '?' | ':' | '-') | (Some(_), ':') => ends,
                (Some(before), '#') => before == ' ' || before == '\t' || before == '\0' || is_break(before),
                _ => false,
            };
            let is_at_edge = before.is_none() || next.is_none();
            if letter == '\t' || !is_printable(letter) {
                found.no_plain = true;
                found.no_single = true;
                found.no_block |= letter != '\t';
            }
            if letter == ' ' {
                found.no_plain |= is_at_edge;
                found.no_block |= next.is_none();
                found.no_single |= before.is_some_and(is_break);
            }
            if is_break(letter) {
                found.is_multiline = true;
                found.no_plain = true;
                found.no_single |= before == Some(' ');
                found.no_block |= before == Some(' ');
            }
            before = Some(letter);
        }
        found
    }

    fn style(&self, wanted: Style, place: Place) -> Style {
        let style = match wanted {
            _ if place == Place::Key && self.is_multiline => Style::Double,
            Style::Plain if self.no_plain || self.is_empty && place == Place::Key => Style::Single,
            Style::Literal if self.no_block || place == Place::Key => Style::Double,
            other => other,
        };
        if style == Style::Single && self.no_single { Style::Double } else { style }
    }
}

/// go-yaml counts neither tabs nor what is beyond the first plane.
fn is_printable(letter: char) -> bool {
    matches!(letter, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && letter != '\u{feff}'
}

fn is_break(letter: char) -> bool {
    matches!(letter, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The escapes that have names; those of quotes and line breaks are always used.
fn escape(letter: char) -> Option<String> {
    let name = match letter {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => return None,
    };
    Some(format!("\\{name}"))
}

fn numbered(letter: char) -> String {
    match u32::from(letter) {
        0xA0 => "\\_".to_owned(),
        code @ 0..=0xFF => format!("\\x{code:02X}"),
        code @ 0x100..=0xFFFF => format!("\\u{code:04X}"),
        code => format!("\\U{code:08X}"),
    }
}
