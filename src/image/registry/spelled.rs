//! Objects of JSON of which some members are read and nothing else is kept, however large the rest is.
//!
//! Whoever runs images (Go, encoding/json) takes a member in any case of letters, and of several the last. With one that is
//! only like a member that is read an object has two meanings, and says so of itself.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

/// An object, read member by member.
pub(super) trait Spelled: Default {
    /// The members that are read.
    const NAMES: &'static [&'static str];

    /// Reads the value of one of them.
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error>;

    /// It has a member that is only like one of them.
    fn is_like(&mut self);
}

/// Reads an object; a member that is read is in it at most once.
pub(super) fn object<'de, T: Spelled, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(Object(PhantomData))
}

struct Object<T>(PhantomData<T>);

impl<'de, T: Spelled> Visitor<'de> for Object<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<T, A::Error> {
        let (mut object, mut seen) = (T::default(), Vec::new());
        while let Some(name) = members.next_key_seed(Name(T::NAMES))? {
            match name {
                Written::Known(name) if seen.contains(&name) => {
                    return Err(de::Error::duplicate_field(name));
                }
                Written::Known(name) => {
                    seen.push(name);
                    object.read(name, &mut members)?;
                    continue;
                }
                Written::Like => object.is_like(),
                Written::Other => {}
            }
            members.next_value::<IgnoredAny>()?;
        }
        Ok(object)
    }
}

/// How a member is written.
enum Written {
    Known(&'static str),
    Like,
    Other,
}

struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Written;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Written, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Written;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Written, E> {
        if let Some(name) = self.0.iter().find(|name| **name == text) {
            return Ok(Written::Known(name));
        }
        // Some letters are alike in one direction only: U+017F is an S, U+212A is a k.
        let is_like = |name: &&str| {
            name.to_uppercase() == text.to_uppercase() || name.to_lowercase() == text.to_lowercase()
        };
        // No letter that is like one of ASCII takes more than three bytes.
        let is_short = |name: &&str| text.len() <= name.len().saturating_mul(3);
        Ok(if self.0.iter().any(|name| is_short(name) && is_like(name)) {
            Written::Like
        } else {
            Written::Other
        })
    }
}
