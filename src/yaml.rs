//! YAML and JSON documents ↔ values with positions, in kubectl's dialect: YAML 1.1 as go-yaml v2 resolves it, converted
//! to JSON as sigs.k8s.io/yaml does, documents split as k8s.io/apimachinery's reader splits them.
//!
//! Called for manifests, for the files of a policies' tree and for METADATA. It reads bytes only: no file, no clock. One
//! difference from kubectl is meant: duplicate keys are refused, where it keeps the last (docs/adr/0002-yaml.md).
//!
//! Numbers are what the JSON says that kubectl sends: `1.0`, `1e3` and `0x10` in YAML are the integers 1, 1000 and 16,
//! because Go writes integral doubles below 1e21 without point and exponent. A JSON document is sent as it stands:
//! there `1.0` stays a double.

mod compose;
mod convert;
mod dialect;
mod json;
mod number;
pub mod opa;
mod places;
mod resolve;
mod split;
mod write;

use serde_json::Value;

use places::Places;
pub use write::write;

/// How many levels of sequences and mappings a document may have; as many as `serde_json` reads of an AdmissionReview.
const DEPTH: usize = 127;

/// Keys by which `serde_json` would take an object for something else when a crate of the build turns on
/// `arbitrary_precision` or `raw_value`.
const PRIVATE_KEYS: &str = "$serde_json::private::";

/// A place in the input, in lines and characters, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// A document.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says; never null.
    pub value: Value,
    /// The line in which its value begins, from 1.
    pub line: usize,
    places: Places,
}

impl Document {
    fn new(value: Value, places: Places) -> Self {
        Self { value, line: places.find("").line, places }
    }

    /// Where the value of a JSON pointer (RFC 6901) is written: an object's member at its key, an array's element at
    /// its beginning. What is within an alias, or was merged, stands where its anchor does. For what doesn't exist, the
    /// place of what is nearest above it.
    pub fn position(&self, pointer: &str) -> Position {
        self.places.find(pointer)
    }
}

/// A document that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Where.
    pub position: Position,
    /// What is wrong and what to do.
    pub message: String,
}

/// Reads all documents of a stream of YAML, or of JSON objects, in their order. A document that can't be read does not
/// keep the others from being read; empty ones, and those that are only `null`, are left out.
pub fn read(bytes: &[u8]) -> Vec<Result<Document, Fault>> {
    let json::Head { mut documents, rest, attempt } = json::read(bytes);
    let mut attempt = attempt;
    for chunk in split::split(bytes, rest) {
        // What is neither JSON nor YAML was meant as that which was understood for longer.
        let attempt = attempt.take();
        match chunk.and_then(|chunk| read_chunk(&chunk)) {
            Ok(Some(document)) => documents.push(Ok(document)),
            Ok(None) => {}
            Err(fault) => documents.push(Err(match attempt {
                Some(attempt) if attempt.position >= fault.position => attempt,
                _ => fault,
            })),
        }
    }
    documents
}

/// Reads the first document of a text that a program wrote, as Go's sigs.k8s.io/yaml does: null where there is none, and
/// of two equal keys the last counts. What people write is for [`read`].
///
/// # Errors
/// Where the text is no YAML.
pub fn read_last_wins(text: &str) -> Result<Value, Fault> {
    let tree = compose::compose_first(text)?;
    tree.map_or(Ok(Value::Null), |tree| Ok(convert::convert(&tree, true)?.value))
}

fn read_chunk(chunk: &split::Chunk<'_>) -> Result<Option<Document>, Fault> {
    let Some(tree) = compose::compose(chunk)? else { return Ok(None) };
    let document = convert::convert(&tree, false)?;
    Ok(if document.value.is_null() { None } else { Some(document) })
}

/// Why a name can't be a member's, if so.
fn refused_name(name: &str) -> Option<String> {
    name.starts_with(PRIVATE_KEYS)
        .then(|| format!("the key `{name}` is reserved by the JSON library; rename it"))
}

fn duplicate_key(name: &str, first: Position) -> String {
    format!(
        "duplicate key `{name}`, first in line {}; keep one of the two (kubectl would keep the last)",
        first.line
    )
}

fn too_deep() -> String {
    format!("more than {DEPTH} levels of nesting; no Kubernetes object has so many: flatten it")
}
