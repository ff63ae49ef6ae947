//! JSON as it may come from outside: one meaning or none. Refused: duplicate keys, more than 127 levels, and keys by
//! which `serde_json` itself marks special values.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Keys that features of `serde_json` give a meaning to; a build in which they are on would read the object that has
/// one as something else than what the API server stores.
const PRIVATE_KEYS: &str = "$serde_json::private::";

/// How many values a text may have: what is made of each takes some hundred bytes, however short it is written. An
/// object of 1.5 MiB, more than etcd takes, has a tenth of that.
const VALUES: usize = 500_000;

/// What is wrong with a JSON text. Lines and columns count from 1, columns in bytes; pointers are JSON pointers.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not JSON (RFC 8259), not UTF-8, half a surrogate pair, a number beyond all doubles.
    #[error(transparent)]
    Syntax(serde_json::Error),
    /// More levels of arrays and objects than 127.
    #[error("deeper than 127 levels of arrays and objects at line {line} column {column}; make it flatter")]
    TooDeep {
        /// Where the 128th level begins.
        line: usize,
        /// Where the 128th level begins.
        column: usize,
    },
    /// More values than any Kubernetes object has.
    #[error("more than {VALUES} values at line {line} column {column}; make it smaller")]
    TooMany {
        /// Where it is one too many.
        line: usize,
        /// Where it is one too many.
        column: usize,
    },
    /// An object has a key twice, perhaps written in different ways (`"a"`, `"\u0061"`).
    #[error(
        "duplicate key `{key}` in the object at `{pointer}`, line {line} column {column}; keep one of the two"
    )]
    DuplicateKey {
        /// The key.
        key: String,
        /// The object; empty for the outermost.
        pointer: String,
        /// Where the second one is.
        line: usize,
        /// Where the second one is.
        column: usize,
    },
    /// A key that JSON libraries in Rust give a meaning of their own.
    #[error("reserved key `{key}` in the object at `{pointer}`, line {line} column {column}; rename it")]
    ReservedKey {
        /// The key.
        key: String,
        /// The object; empty for the outermost.
        pointer: String,
        /// Where it is.
        line: usize,
        /// Where it is.
        column: usize,
    },
}

/// Reads a JSON text, in one pass. Numbers: integers of 64 bits exactly, others as the nearest double; one beyond all
/// doubles is an error. At most 127 levels of arrays and objects: `[[]]` has two.
///
/// # Errors
/// What is wrong, and where.
pub fn strict_json(bytes: &[u8]) -> Result<Value, JsonError> {
    let (fault, values) = (Cell::new(None), Cell::new(0));
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let reader = Reader { place: Place::Document, fault: &fault, values: &values };
    let value = reader.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| JsonError::new(error, fault.take()))
}

impl JsonError {
    fn new(error: serde_json::Error, fault: Option<Fault>) -> Self {
        let (line, column) = (error.line(), error.column());
        match fault {
            Some(Fault::Duplicate { key, pointer }) => Self::DuplicateKey { key, pointer, line, column },
            Some(Fault::Reserved { key, pointer }) => Self::ReservedKey { key, pointer, line, column },
            Some(Fault::Many) => Self::TooMany { line, column },
            // The deserializer's own limit is the 128th level, and it says so in words only.
            None if error.to_string().starts_with("recursion limit exceeded") => {
                Self::TooDeep { line, column }
            }
            None => Self::Syntax(error),
        }
    }
}

/// What only this reader finds. The deserializer's error carries no more than a text.
enum Fault {
    Duplicate { key: String, pointer: String },
    Reserved { key: String, pointer: String },
    Many,
}

/// Where a value is, told from the inside out.
#[derive(Clone, Copy)]
enum Place<'a> {
    Document,
    Member(&'a Self, &'a str),
    Item(&'a Self, usize),
}

impl Place<'_> {
    fn pointer(self) -> String {
        match self {
            Self::Document => String::new(),
            Self::Member(of, key) => {
                format!("{}/{}", of.pointer(), key.replace('~', "~0").replace('/', "~1"))
            }
            Self::Item(of, index) => format!("{}/{index}", of.pointer()),
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    place: Place<'a>,
    fault: &'a Cell<Option<Fault>>,
    /// How many values were read.
    values: &'a Cell<usize>,
}

impl Reader<'_> {
    fn at<'a>(&'a self, place: Place<'a>) -> Reader<'a> {
        Reader { place, ..*self }
    }

    fn stop<E: de::Error>(&self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom("what may not be there")
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.values.set(self.values.get().saturating_add(1));
        if self.values.get() > VALUES {
            return Err(self.stop(Fault::Many));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(self.at(Place::Item(&self.place, items.len())))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key.starts_with(PRIVATE_KEYS) {
                return Err(self.stop(Fault::Reserved { key, pointer: self.place.pointer() }));
            }
            match members.entry(key) {
                Entry::Occupied(twice) => {
                    let key = twice.key().clone();
                    return Err(self.stop(Fault::Duplicate { key, pointer: self.place.pointer() }));
                }
                Entry::Vacant(member) => {
                    let value = map.next_value_seed(self.at(Place::Member(&self.place, member.key())))?;
                    member.insert(value);
                }
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> JsonError {
        strict_json(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn json_is_read_as_it_stands() {
        let text = r#"{"a":[1,-2,18446744073709551615,-9223372036854775808,1.5,1.0,-0.0,1e308,true,null,"ü\ud83d\ude00\u0000"],"b":{},"":""}"#;
        let value = strict_json(text.as_bytes()).unwrap();
        assert_eq!(value, serde_json::from_str::<Value>(text).unwrap());
        let kept = r#"{"a":[1,1.0,18446744073709551615,-9223372036854775808],"b":0.1}"#;
        assert_eq!(strict_json(kept.as_bytes()).unwrap().to_string(), kept);
    }

    #[test]
    fn duplicate_and_reserved_keys_are_named_with_their_place() {
        let table = [
            (r#"{"a":1,"a":1}"#, "duplicate key `a` in the object at ``, line 1 column 10"),
            (r#"{"a":{"b":1,"\u0062":2}}"#, "duplicate key `b` in the object at `/a`"),
            (
                "[0,\n{\"x/~\":[{\"b\":1,\n\"b\":2}]}]",
                "duplicate key `b` in the object at `/1/x~1~0/0`, line 3",
            ),
            (r#"{"$serde_json::private::Number":"7"}"#, "reserved key `$serde_json::private::Number`"),
            (
                r#"[{"\u0024serde_json::private::RawValue":"7"}]"#,
                "reserved key `$serde_json::private::RawValue` in the object at `/0`",
            ),
        ];
        for (text, needle) in table {
            let error = refused(text).to_string();
            assert!(error.contains(needle), "{text}: {error}");
        }
        assert!(matches!(refused(r#"{"a":1,"a":1}"#), JsonError::DuplicateKey { .. }));
        assert!(matches!(refused(r#"{"$serde_json::private::":1}"#), JsonError::ReservedKey { .. }));
    }

    #[test]
    fn what_is_not_json_says_where() {
        let table = [
            ("", "EOF"),
            ("{} {}", "trailing characters at line 1 column 4"),
            ("\u{feff}{}", "line 1 column 1"),
            (r#"{"a":1,}"#, "trailing comma"),
            (r#"{"a":1e400}"#, "number out of range at line 1"),
            ("1e99999999999999999999", "number out of range"),
            (r#""\ud800""#, "line 1 column"),
            (r#""\udc00""#, "line 1 column"),
            (r#"{"\udfff":1}"#, "line 1 column"),
            ("[01]", "invalid number"),
            ("[NaN]", "expected value"),
            ("'a'", "expected value"),
            ("\"\u{1}\"", "control character"),
        ];
        for (text, needle) in table {
            let error = refused(text);
            assert!(matches!(error, JsonError::Syntax(_)), "{text}");
            assert!(error.to_string().contains(needle), "{text}: {error}");
        }
        assert!(matches!(strict_json(b"\"\xff\""), Err(JsonError::Syntax(_))));
    }

    #[test]
    fn too_many_values_are_refused() {
        let list = |values: usize| format!("[{}]", vec!["0"; values.saturating_sub(1)].join(","));
        assert!(strict_json(list(VALUES).as_bytes()).is_ok());
        assert!(matches!(refused(&list(VALUES.saturating_add(1))), JsonError::TooMany { line: 1, .. }));
    }

    #[test]
    fn the_128th_level_is_refused() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert!(strict_json(nested(127).as_bytes()).is_ok());
            for depth in [128, 129, 10_000, 1_000_000] {
                assert!(matches!(refused(&nested(depth)), JsonError::TooDeep { line: 1, .. }), "{depth}");
            }
        }
    }
}
