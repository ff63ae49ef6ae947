//! What a payload says, once its signature holds: about which image, and what. Read strictly, because what two readers
//! understand differently can be used twice.
//!
//! Source: cosign, specs/SIGNATURE_SPEC.md (simple signing); in-toto attestation, spec/v1/statement.md.

use serde_json::{Map, Value};

use super::digest::Digest;
use super::reject::{Class, Reject};
use super::verifier::Kind;
use crate::admission::strict_json;

/// Levels of arrays and objects in a payload.
const DEPTH: usize = 64;

/// Subjects of a statement: builders attest many artifacts at once.
const SUBJECTS: usize = 4096;

/// `critical.type` of a simple signing document.
const SIMPLE_SIGNING: &str = "cosign container image signature";

/// The types of statements.
const STATEMENTS: [&str; 2] = ["https://in-toto.io/Statement/v0.1", "https://in-toto.io/Statement/v1"];

/// The predicate type by which cosign signs an image.
pub(super) const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

/// A simple signing document about the digest.
pub(super) fn simple_signing(payload: &[u8], digest: &Digest) -> Result<Kind, Reject> {
    let document = strict(payload)?;
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    if text("/critical/type") != Some(SIMPLE_SIGNING) {
        return Err(Reject::new(Class::Malformed, "critical.type is not that of an image's signature"));
    }
    match text("/critical/image/docker-manifest-digest") {
        None => return Err(Reject::new(Class::Malformed, "no critical.image.docker-manifest-digest")),
        Some(signed) if signed != digest.to_string() => {
            return Err(Reject::new(Class::Binding, format!("it is about {signed}")));
        }
        Some(_) => {}
    }
    let annotations = match document.get("optional") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(annotations)) => annotations.clone(),
        Some(_) => return Err(Reject::new(Class::Malformed, "optional is not an object")),
    };
    let claimed_reference = text("/critical/identity/docker-reference").map(str::to_owned);
    Ok(Kind::Signature { annotations, claimed_reference })
}

/// A statement with the digest among its subjects.
pub(super) fn in_toto(payload: &[u8], digest: &Digest) -> Result<Kind, Reject> {
    let mut document = strict(payload)?;
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    let kind = text("_type").ok_or_else(|| Reject::new(Class::Malformed, "no _type"))?;
    if !STATEMENTS.contains(&kind) {
        return Err(Reject::new(Class::Unsupported, format!("_type is {kind}")));
    }
    let predicate_type = text("predicateType").unwrap_or_default().to_owned();
    if predicate_type.is_empty() {
        return Err(Reject::new(Class::Malformed, "no predicateType"));
    }
    let Some(Value::Array(subjects)) = document.get("subject") else {
        return Err(Reject::new(Class::Malformed, "no subjects"));
    };
    if subjects.len() > SUBJECTS {
        return Err(Reject::new(Class::Limit, format!("{} subjects", subjects.len())));
    }
    let hex = digest.hex();
    let is_it =
        |subject: &&Value| subject.pointer("/digest/sha256").and_then(Value::as_str) == Some(hex.as_str());
    let Some(subject) = subjects.iter().find(is_it) else {
        return Err(Reject::new(Class::Binding, "none of the subjects is the image"));
    };
    if predicate_type == SIGNED {
        let annotations = subject.get("annotations").and_then(Value::as_object).cloned();
        return Ok(Kind::Signature { annotations: annotations.unwrap_or_default(), claimed_reference: None });
    }
    let predicate = document.get_mut("predicate").map(Value::take).unwrap_or_default();
    if let Some(members) = document.as_object_mut() {
        members.remove("predicate");
    }
    Ok(Kind::Attestation { predicate_type, predicate, bytes: payload.len(), head: document })
}

fn strict(payload: &[u8]) -> Result<Value, Reject> {
    let document = strict_json(payload).map_err(|why| Reject::new(Class::Malformed, why))?;
    if is_deeper(&document, DEPTH) {
        return Err(Reject::new(Class::Malformed, format!("more than {DEPTH} levels")));
    }
    Ok(document)
}

/// Whether a value has more levels of arrays and objects. It was read with at most 127.
fn is_deeper(value: &Value, levels: usize) -> bool {
    let below = |value: &Value| levels.checked_sub(1).is_none_or(|levels| is_deeper(value, levels));
    match value {
        Value::Array(items) => levels == 0 || items.iter().any(below),
        Value::Object(members) => levels == 0 || members.values().any(below),
        _ => false,
    }
}
