//! What OPA's reader and writer of YAML are compared on beside kubectl's documents.

use serde_json::{Map, Value, json};

use super::{Generator, LINES, SCALARS, STREAM_LINES};

/// What only go-yaml v3 reads so, or OPA changes before it is decoded.
const SCALARS_OF_OPA: &[&str] = &[
    "0o-7",
    "-0o7",
    "0b1_1",
    "01",
    "1.5",
    "1",
    "'1'",
    "0x1",
    "-0.0",
    ".5e3",
    "1e22",
    "123456789012345678901",
    "2001-1-1T1:2:3Z",
    "\"<<\"",
    "! <<",
    "!!merge <<",
    "!!timestamp 2001-1-1",
    "!!binary aGk",
    "&a1 k",
    "*a1",
    "a\rb",
    "\u{1f600}",
];

const LINES_OF_OPA: &[&str] = &[
    "z: &y {k: 1, m: n}",
    "<<: *y",
    "<<: [*x, *y]",
    "<<: {0x1: p, 2: q}",
    "\"<<\": 1",
    "1: a",
    "'1': b",
    "0x1: c",
    "true: 1",
    "~: 1",
    "null: 2",
    "2001-01-01: d",
    "2001-01-01: e",
    "? *x",
    "*x : 3",
    "--- # c",
    "x: # c",
    "  # d",
    "- # e",
    "    g: h # i",
    "x:",
    "  y: z",
    "w: >+",
    "w: |-\n  a\n\n  b\n\n",
    "x: |+\n  a\n   b\n  c",
    "y: >\n  a\n\n    b",
    "\r",
];

/// Texts that need quotes, a block, escapes or nothing of it.
const WORDS: &[&str] = &[
    "",
    "a",
    "A",
    "_a",
    "a1",
    "a2",
    "a10",
    "b-1",
    "yes",
    "y",
    "N",
    "on",
    "null",
    "~",
    "true",
    "1",
    "0x1",
    "0o7",
    "012",
    "1e3",
    "1.5",
    "1_0",
    ".inf",
    "1:30",
    "1:30:45.5",
    "2001-01-01",
    "2001-01-01T00:00:00Z",
    "<<",
    "=",
    "a: b",
    "a #b",
    "#a",
    " a",
    "a ",
    "a\n",
    "\n",
    "\n\na",
    "a\n\n",
    " a\nb",
    "a\nb",
    "a\n b\n",
    "\n ",
    " \n",
    "a \nb",
    "-",
    "- a",
    "--",
    "---x",
    "...",
    "?",
    "? a",
    ":a",
    "a:",
    "a:b",
    "{",
    "[a]",
    "*x",
    "&x",
    "!t",
    "|",
    ">",
    "%",
    "@",
    "`",
    "'",
    "a'b",
    "\"",
    "\\",
    "it's #",
    "\t",
    "a\tb",
    "a\t\nb",
    "é",
    "é\n",
    "\u{1f600}",
    "\u{a0}",
    "\u{2028}",
    "a\u{2028}b",
    "a\u{2028}\nb",
    "a\n\u{2028}",
    "\u{85}",
    "a\u{85}b",
    "\u{feff}",
    "\u{feff}a",
    "\u{1}",
    "\u{7f}",
    "a\rb",
    "key with: colon",
];

impl Generator {
    /// A text for `yaml.unmarshal`, now and then cut off somewhere.
    pub(crate) fn text_of_opa(&mut self, index: usize) -> String {
        let mut text = self.whole_text_of_opa(index);
        if self.below(4) == 0 {
            let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            text.truncate(ends.get(self.below(ends.len() + 1)).copied().unwrap_or(text.len()));
        }
        text
    }

    fn whole_text_of_opa(&mut self, index: usize) -> String {
        match self.below(5) {
            0 => format!("spec: {}\n", self.value()),
            1 => self.scalar_of_opa().to_owned(),
            2 => format!("[{}, {}]", self.scalar_of_opa(), self.scalar_of_opa()),
            3 => self.document(index),
            _ => {
                let mut text = String::new();
                for _ in 0..=self.below(8) {
                    text.push_str(["", "  "][self.below(2)]);
                    text.push_str(match self.below(3) {
                        0 => self.one_of(LINES),
                        1 => self.one_of(STREAM_LINES),
                        _ => self.one_of(LINES_OF_OPA),
                    });
                    text.push_str(if self.below(8) == 0 { "\r\n" } else { "\n" });
                }
                text
            }
        }
    }

    fn scalar_of_opa(&mut self) -> &'static str {
        if self.below(2) == 0 { self.one_of(SCALARS) } else { self.one_of(SCALARS_OF_OPA) }
    }

    /// A value for `yaml.marshal`.
    pub(crate) fn value_of_opa(&mut self, depth: usize) -> Value {
        match self.below(if depth > 3 { 6 } else { 10 }) {
            0..=3 => Value::from(self.word()),
            4 => Value::from([0, 1, -1, 1_000_000, i64::MAX][self.below(5)]),
            5 => [
                json!(1.5),
                json!(-0.25),
                json!(1e21),
                json!(1e-7),
                json!(1_234_567.5),
                json!(u64::MAX),
                Value::Null,
            ][self.below(7)]
            .clone(),
            6..=7 => (0..self.below(4)).map(|_| self.value_of_opa(depth + 1)).collect(),
            _ => {
                let members = (0..self.below(5)).map(|_| (self.word(), self.value_of_opa(depth + 1)));
                Value::Object(members.collect::<Map<_, _>>())
            }
        }
    }

    /// Keys of more than 128 and of more than 1,024 bytes are written in other ways.
    fn word(&mut self) -> String {
        match self.below(40) {
            0 => "x".repeat(130),
            1 => "long text with spaces ".repeat(12),
            2 => "k".repeat(1_100),
            _ => self.one_of(WORDS).to_owned(),
        }
    }
}
