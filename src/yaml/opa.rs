//! YAML as OPA's `yaml.unmarshal` and `yaml.marshal` read and write it: go-yaml v3 between two turns through JSON
//! (OPA's internal/yaml). Other than kubectl's: of 1.1 only octal numbers, merge keys and underscores are left, `yes`
//! is a text, keys that are written win over merged ones, of the same key twice the last counts.
//!
//! Called by the builtins of the engine. What can't be read as OPA reads it is [`Unread::Beyond`], never another value.

mod decode;
mod emit;
mod nodes;
mod order;
mod resolve;

use serde_json::Value;

use super::compose::{self, compose_first};
use decode::Decoded;

/// Why a text has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// OPA does not read it either.
    Wrong(String),
    /// OPA may read it, we don't.
    Beyond(String),
}

impl From<compose::Unread> for Unread {
    fn from(unread: compose::Unread) -> Self {
        match unread {
            compose::Unread::Wrong(fault) => Self::Wrong(fault.message),
            compose::Unread::Beyond(fault) => Self::Beyond(fault.message),
        }
    }
}

/// Reads the first document of a text; null if it has none.
///
/// # Errors
/// Any of its documents is no YAML, or the first has no JSON.
pub fn read(text: &str) -> Result<Value, Unread> {
    let Some(tree) = compose_first(text)? else { return Ok(Value::Null) };
    let nodes = nodes::Nodes::of(&tree).normalised();
    decode::decode(&nodes)?.into_json()
}

/// Writes a JSON text as YAML. OPA reads it as YAML for that, so that some texts can't be written (a key of more than a
/// kilobyte) or change (U+0085 is a line break).
///
/// # Errors
/// OPA can't write it, or we can't.
pub fn write(json: &str) -> Result<String, Unread> {
    let decoded = match compose_first(json)? {
        Some(tree) => decode::decode(&nodes::Nodes::of(&tree))?,
        None => Decoded::Null,
    };
    Ok(emit::emit(&decoded))
}
