//! A file that is the fact `images`, for tests of policies and to ask again what was asked before. Nothing of it is
//! verified, so no server reads one.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;

use serde_json::{Map, Value, json};

use super::facts::{Fact, FactKey};
use super::source::ContextSource;

/// What an entry says, beside `config`, which few policies see and which is null where it is not there. What only the object
/// says (`fields`, `pinned`, `unchanged`) is computed anew.
const MEMBERS: [&str; 12] = [
    "reference",
    "digest",
    "mediaType",
    "pinnedReference",
    "status",
    "complete",
    "errors",
    "rules",
    "authorities",
    "signatures",
    "attestations",
    "rejected",
];

/// Entries of the fact `images`, by the images' texts.
#[derive(Clone, Debug)]
pub struct ImagesFile(BTreeMap<String, Value>);

impl ImagesFile {
    /// Reads one: `{text: entry}`, every entry with all its members.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let read: Map<String, Value> = serde_json::from_slice(bytes)
            .map_err(|why| format!("not an object of images and their entries in JSON: {why}"))?;
        for (image, entry) in &read {
            let has = |member: &&&str| entry.get(**member).is_some();
            if let Some(absent) = MEMBERS.iter().find(|member| !has(member)) {
                // What is undefined would silence a rule under `not`.
                return Err(format!("`{image}` has no `{absent}`; an entry has {}", MEMBERS.join(", ")));
            }
        }
        Ok(Self(read.into_iter().collect()))
    }

    /// An entry; one of a pinned image may stand under the text before it was pinned.
    fn entry(&self, text: &str) -> Option<&Value> {
        let pinned = |entry: &&Value| entry.get("pinnedReference").and_then(Value::as_str) == Some(text);
        self.0.get(text).or_else(|| self.0.values().find(pinned))
    }
}

impl ContextSource for ImagesFile {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let absent = |text: &str| Fact::Unknown(format!("the facts of images have no `{text}`; add it"));
        let fact = match key {
            FactKey::Signatures(image) => {
                self.entry(&image.text).cloned().map_or_else(|| absent(&image.text), Fact::Known)
            }
            FactKey::Image(image) => match self.entry(&image.text).and_then(|entry| entry.get("digest")) {
                Some(Value::String(digest)) => Fact::Known(json!({ "digest": digest })),
                Some(_) => Fact::Unknown(format!("the facts of images have no digest of `{}`", image.text)),
                None => absent(&image.text),
            },
            _ => Fact::Unknown("only images are asked for here".to_owned()),
        };
        Box::pin(ready(fact))
    }
}
