//! Typed reading of YAML with places: one function for METADATA and for every file kind.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::near::nearest;

/// How many misfits of one document are looked for.
const MISFITS: usize = 100;

/// A member that does not fit: its JSON pointer and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub(super) pointer: String,
    pub(super) message: String,
}

/// Reads `value`, which stands at `root`, as a `T`. All that does not fit is named by its place.
pub(super) fn typed<T: DeserializeOwned>(value: &Value, root: &str) -> Result<T, Vec<Misfit>> {
    let (read, misfits) = typed_in_part(value, root);
    read.filter(|_| misfits.is_empty()).ok_or(misfits)
}

/// The same, and what can be read without that which does not fit: it is taken out, and the rest read again.
pub(super) fn typed_in_part<T: DeserializeOwned>(value: &Value, root: &str) -> (Option<T>, Vec<Misfit>) {
    let mut rest = value.clone();
    let mut misfits: Vec<Misfit> = Vec::new();
    while misfits.len() < MISFITS {
        let error = match serde_path_to_error::deserialize(rest.clone()) {
            Ok(read) => return (Some(read), misfits),
            Err(error) => error,
        };
        let pointer = pointer(error.path());
        let message = with_remedy(error.inner().to_string());
        let removed = remove(&mut rest, error.path());
        // What is missing only because it was wrong and taken out has been said.
        let is_said = misfits.iter().any(|said| said.pointer == missing(&pointer, &message));
        if !is_said {
            misfits.push(Misfit { message: format!("{}: {message}", field(root, &pointer)), pointer });
        }
        if !removed {
            break;
        }
    }
    (None, misfits)
}

/// Reads a word. `off` without quotes is no text in YAML 1.1 but false, and is meant as `off` here.
pub(super) fn word<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let value = match Value::deserialize(deserializer)? {
        Value::Bool(false) => Value::from("off"),
        value => value,
    };
    T::deserialize(value).map_err(D::Error::custom)
}

/// A pointer below `root` as people write a path.
pub(super) fn field(root: &str, pointer: &str) -> String {
    format!("{root}{}", pointer.replace('/', ".").replace("~1", "/").replace("~0", "~"))
}

/// A member's name as a step of a JSON pointer.
pub(super) fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// serde's words, and after them the word that was meant: `unknown field `a`, expected one of `b`, `c``.
fn with_remedy(message: String) -> String {
    let is_unknown = ["unknown field `", "unknown variant `"].iter().any(|start| message.starts_with(start));
    let mut words = message.split('`').skip(1).step_by(2);
    let meant = words.next().filter(|_| is_unknown).and_then(|unknown| nearest(unknown, words));
    match meant {
        Some(meant) => format!("{message}; did you mean `{meant}`?"),
        None => message,
    }
}

/// The pointer of the member that a message says is missing.
fn missing(pointer: &str, message: &str) -> String {
    let name = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    name.map_or_else(|| "\0".to_owned(), |name| format!("{pointer}/{}", step(name)))
}

/// Takes out the member that a path leads to; for an array's element the whole array, so that places stay what they are.
/// False where nothing can be taken out.
fn remove(value: &mut Value, path: &Path) -> bool {
    let steps: Vec<&Segment> = path.iter().collect();
    let member = steps.iter().enumerate().rev().find_map(|(index, segment)| match segment {
        Segment::Map { key } => Some((index, key)),
        _ => None,
    });
    let Some((index, key)) = member else { return false };
    let parent = value.pointer_mut(&joined(steps.into_iter().take(index)));
    parent.and_then(Value::as_object_mut).is_some_and(|members| members.remove(key).is_some())
}

fn pointer(path: &Path) -> String {
    joined(path.iter())
}

fn joined<'a>(segments: impl Iterator<Item = &'a Segment>) -> String {
    segments
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", step(key)),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "name")]
        _name: String,
        #[serde(default, rename = "inner")]
        _inner: Vec<Inner>,
        #[serde(default, rename = "count")]
        _count: u8,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "word")]
        _word: Word,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Deny,
        Warn,
    }

    fn misfits(value: Value) -> Vec<(String, String)> {
        let misfits = typed::<Outer>(&value, "spec").map(|_| ()).unwrap_err();
        misfits.into_iter().map(|one| (one.pointer, one.message)).collect()
    }

    #[test]
    fn all_that_does_not_fit_is_named_by_its_place() {
        let value = json!({ "nam": "a", "name": "b", "x/y": 1, "count": 300, "inner": [{ "word": "warm", "wrod": "deny" }] });
        let found = misfits(value);
        let expected = [
            ("/count", "spec.count: invalid value: integer `300`, expected u8"),
            (
                "/inner/0/word",
                "spec.inner.0.word: unknown variant `warm`, expected `deny` or `warn`; did you mean `warn`?",
            ),
            (
                "/inner/0/wrod",
                "spec.inner.0.wrod: unknown field `wrod`, expected `word`; did you mean `word`?",
            ),
            (
                "/nam",
                "spec.nam: unknown field `nam`, expected one of `name`, `inner`, `count`; did you mean `name`?",
            ),
            ("/x~1y", "spec.x/y: unknown field `x/y`, expected one of `name`, `inner`, `count`"),
        ];
        assert_eq!(found, expected.map(|(pointer, message)| (pointer.to_owned(), message.to_owned())));
        assert!(
            typed::<Outer>(&json!({ "name": "a", "inner": [{ "word": "deny" }, { "word": "warn" }] }), "")
                .is_ok()
        );
    }

    #[test]
    fn what_is_wrong_is_not_missing_as_well() {
        assert_eq!(misfits(json!({ "name": 1 })).len(), 1);
        assert_eq!(misfits(json!({})), [(String::new(), "spec: missing field `name`".to_owned())]);
        assert_eq!(misfits(json!([])).len(), 1);
        assert_eq!(misfits(json!({ "name": "a", "inner": [{}] })).len(), 1);
    }
}
