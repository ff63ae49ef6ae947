//! What a file kind may have in it, as the code that reads it says: for the reference and for schemas, which are written
//! from it.

use std::cell::Cell;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, json};

/// How deep members of members are followed.
const DEPTH: usize = 8;

/// A member: where it is, as `spec.tenants[].path`, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its path; `[]` is an element of a list, `.<name>` what a mapping has for any name.
    pub path: String,
    /// In a word: `text`, `list`, or the words that may be written.
    pub what: String,
}

/// All members of what is read as a `T` that stands at `root`.
pub fn members<T: DeserializeOwned>(root: &str) -> Vec<Member> {
    let mut all = Vec::new();
    below::<T>(root, &[], &mut all);
    all
}

/// What is read as a `T` as a JSON Schema (2020-12). It says what a value is made of, not what its texts have to be; what
/// is refused by name may not be there.
pub fn schema<T: DeserializeOwned>() -> Value {
    schema_below::<T>(&[])
}

fn schema_below<T: DeserializeOwned>(steps: &[&'static str]) -> Value {
    let (shape, deeper) = (shape::<T>(steps), steps.len() < DEPTH);
    let next = |step: &'static str| match deeper {
        true => schema_below::<T>(&[steps, &[step]].concat()),
        false => json!(true),
    };
    match shape {
        Shape::Members(names) => {
            let members: Map<String, Value> =
                names.iter().map(|name| ((*name).to_owned(), next(name))).collect();
            json!({ "type": "object", "properties": members, "additionalProperties": false })
        }
        Shape::List => json!({ "type": "array", "items": next(ELEMENT) }),
        Shape::Map => json!({ "type": "object", "additionalProperties": next(ANY) }),
        Shape::Words(words) => json!({ "enum": words }),
        Shape::Scalar(scalar) => json!({ "type": scalar.type_name() }),
        Shape::Any => json!(true),
        Shape::Refused => json!(false),
    }
}

/// What is read where the steps lead.
fn shape<T: DeserializeOwned>(steps: &[&'static str]) -> Shape {
    let found = Cell::new(Shape::Any);
    // It ends where the steps do, with an error whatever is found there.
    drop(T::deserialize(Probe { steps, found: &found }));
    found.into_inner()
}

fn below<T: DeserializeOwned>(path: &str, steps: &[&'static str], all: &mut Vec<Member>) {
    let (shape, deeper) = (shape::<T>(steps), steps.len() < DEPTH);
    if !steps.is_empty() {
        all.push(Member { path: path.to_owned(), what: shape.word() });
    }
    let next: Vec<(&'static str, String)> = match shape {
        Shape::Members(names) => names.iter().map(|name| (*name, joined(path, name))).collect(),
        Shape::List => vec![(ELEMENT, format!("{path}{ELEMENT}"))],
        Shape::Map => vec![(ANY, joined(path, ANY))],
        Shape::Any | Shape::Refused | Shape::Words(_) | Shape::Scalar(_) => Vec::new(),
    };
    for (step, path) in next.into_iter().filter(|_| deeper) {
        below::<T>(&path, &[steps, &[step]].concat(), all);
    }
}

const ELEMENT: &str = "[]";
const ANY: &str = "<name>";

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// What is read at a place.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Members(&'static [&'static str]),
    List,
    Map,
    Words(&'static [&'static str]),
    Scalar(Scalar),
    Any,
    /// Read only to be refused by name.
    Refused,
}

#[derive(Clone, Copy, Debug)]
enum Scalar {
    Bool,
    Integer,
    Number,
    Text,
}

impl Scalar {
    fn word(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Integer | Self::Number => "number",
            Self::Text => "text",
        }
    }

    /// In JSON Schema.
    fn type_name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Text => "string",
        }
    }
}

impl Shape {
    fn word(self) -> String {
        match self {
            Self::Members(_) => "object".to_owned(),
            Self::List => "list".to_owned(),
            Self::Map => "mapping".to_owned(),
            Self::Words(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
            Self::Scalar(scalar) => scalar.word().to_owned(),
            Self::Any => "as its page says".to_owned(),
            Self::Refused => "not in this release; refused".to_owned(),
        }
    }
}

/// Follows steps, and notes what is asked for at their end.
struct Probe<'a> {
    steps: &'a [&'static str],
    found: &'a Cell<Shape>,
}

impl<'a> Probe<'a> {
    /// The first step and the probe behind it; at the end it notes the shape.
    fn step(self, shape: Shape) -> Result<(&'static str, Self), Error> {
        let Some((first, steps)) = self.steps.split_first() else {
            self.found.set(shape);
            return Err(Error::custom("the end"));
        };
        Ok((first, Self { steps, ..self }))
    }
}

macro_rules! scalars {
    ($($method:ident $scalar:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            self.step(Shape::Scalar(Scalar::$scalar)).and_then(|_| Err(Error::custom("nothing is below")))
        })*
    };
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Error;

    scalars! {
        deserialize_bool Bool deserialize_str Text deserialize_string Text deserialize_char Text
        deserialize_i8 Integer deserialize_i16 Integer deserialize_i32 Integer deserialize_i64 Integer
        deserialize_u8 Integer deserialize_u16 Integer deserialize_u32 Integer deserialize_u64 Integer
        deserialize_f32 Number deserialize_f64 Number
    }

    forward_to_deserialize_any! { i128 u128 bytes byte_buf unit unit_struct identifier }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.step(Shape::Any).and_then(|_| Err(Error::custom("nothing is known below")))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        self.step(Shape::Refused).and_then(|_| Err(Error::custom("nothing is below")))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let (_, probe) = self.step(Shape::List)?;
        visitor.visit_seq(Below { key: ELEMENT, probe: Some(probe) })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let (key, probe) = self.step(Shape::Map)?;
        visitor.visit_map(Below { key, probe: Some(probe) })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (key, probe) = self.step(Shape::Members(fields))?;
        visitor.visit_map(Below { key, probe: Some(probe) })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        self.step(Shape::Words(variants)).and_then(|_| Err(Error::custom("nothing is below a word")))
    }
}

/// The one member or element that leads on.
struct Below<'a> {
    key: &'static str,
    probe: Option<Probe<'a>>,
}

impl<'de> MapAccess<'de> for Below<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let key: StrDeserializer<'_, Error> = self.key.into_deserializer();
        self.probe.is_some().then(|| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        self.probe.take().ok_or_else(|| Error::custom("no more")).and_then(|probe| seed.deserialize(probe))
    }
}

impl<'de> SeqAccess<'de> for Below<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.probe.take().map(|probe| seed.deserialize(probe)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Outer {
        _address: Option<String>,
        _inner: Vec<Inner>,
        _labels: BTreeMap<String, u8>,
        _whatever: Value,
        _later: Option<serde::de::IgnoredAny>,
    }

    #[derive(Deserialize)]
    struct Inner {
        _word: Word,
        _is_so: bool,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Deny,
        Warn,
    }

    #[test]
    fn all_that_is_read_is_found() {
        let found: Vec<String> =
            members::<Outer>("spec").into_iter().map(|one| format!("{}: {}", one.path, one.what)).collect();
        assert_eq!(
            found,
            [
                "spec.address: text",
                "spec.inner: list",
                "spec.inner[]: object",
                "spec.inner[]._word: `deny`, `warn`",
                "spec.inner[]._is_so: true or false",
                "spec.labels: mapping",
                "spec.labels.<name>: number",
                "spec.whatever: as its page says",
                "spec.later: not in this release; refused",
            ]
        );
    }

    #[test]
    fn a_schema_says_the_same() {
        let inner = json!({
            "type": "object",
            "properties": { "_word": { "enum": ["deny", "warn"] }, "_is_so": { "type": "boolean" } },
            "additionalProperties": false
        });
        let members = json!({
            "address": { "type": "string" },
            "inner": { "type": "array", "items": inner },
            "labels": { "type": "object", "additionalProperties": { "type": "integer" } },
            "whatever": true,
            "later": false
        });
        assert_eq!(
            schema::<Outer>(),
            json!({ "type": "object", "properties": members, "additionalProperties": false })
        );
    }
}
