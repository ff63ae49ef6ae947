//! Cosign's layout before bundles: what stands in a layer's annotations becomes a Sigstore bundle, so that there is one
//! way of verifying and not two. Nothing is judged here, and nothing of the annotations becomes trust.
//!
//! Source: cosign, specs/SIGNATURE_SPEC.md and pkg/oci/static; protobuf-specs, sigstore_bundle.proto.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_parser::pem::Pem;

use super::evidence::Annotations;
use super::reject::{Class, Reject};
use crate::admission::strict_json;
use crate::policy::image_trust::HashAlgorithm;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const REKOR: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// The bundle of a layer of `.sig`. `hash` is what the signature is over.
pub(super) fn signature(
    payload: &[u8],
    annotations: &Annotations,
    hash: HashAlgorithm,
) -> Result<Vec<u8>, Reject> {
    let (algorithm, digest) = match hash {
        HashAlgorithm::Sha256 => ("SHA2_256", Sha256::digest(payload).to_vec()),
        HashAlgorithm::Sha384 => ("SHA2_384", Sha384::digest(payload).to_vec()),
        HashAlgorithm::Sha512 => ("SHA2_512", Sha512::digest(payload).to_vec()),
    };
    let content = json!({
        "messageDigest": { "algorithm": algorithm, "digest": STANDARD.encode(digest) },
        "signature": STANDARD.encode(signature_of(annotations)?),
    });
    bundle("messageSignature", content, annotations)
}

/// The bundle of a layer of `.att`.
pub(super) fn attestation(envelope: &[u8], annotations: &Annotations) -> Result<Vec<u8>, Reject> {
    bundle("dsseEnvelope", json_of(envelope, "envelope")?, annotations)
}

/// The signature of a layer of `.sig`.
pub(super) fn signature_of(annotations: &Annotations) -> Result<Vec<u8>, Reject> {
    let text = annotations.get(SIGNATURE).ok_or_else(|| malformed(SIGNATURE, "absent"))?;
    STANDARD.decode(text).map_err(|why| malformed(SIGNATURE, why))
}

fn bundle(name: &str, content: Value, annotations: &Annotations) -> Result<Vec<u8>, Reject> {
    let mut material = json!({});
    let mut add = |name: &str, value: Value| {
        if let Some(members) = material.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    match annotations.get(CERTIFICATE) {
        None => add("publicKey", json!({ "hint": "" })),
        Some(pem) => add("x509CertificateChain", chain(pem, annotations.get(CHAIN))?),
    }
    let entry = annotations.get(REKOR).map(|text| rekor(text)).transpose()?;
    // Version 0.1 is the one in which a log's promise is enough.
    let version = if entry.is_some() { "0.1" } else { "0.2" };
    add("tlogEntries", json!(entry.into_iter().collect::<Vec<_>>()));
    if let Some(text) = annotations.get(TIMESTAMP) {
        let parsed = json_of(text.as_bytes(), TIMESTAMP)?;
        let token = parsed.get("SignedRFC3161Timestamp").and_then(Value::as_str);
        let token = token.ok_or_else(|| malformed(TIMESTAMP, "no SignedRFC3161Timestamp"))?;
        add("timestampVerificationData", json!({ "rfc3161Timestamps": [{ "signedTimestamp": token }] }));
    }
    let media_type = format!("application/vnd.dev.sigstore.bundle+json;version={version}");
    let bundle = json!({ "mediaType": media_type, "verificationMaterial": material, name: content });
    Ok(bundle.to_string().into_bytes())
}

/// One certificate, then those between it and the root, which is never taken from here.
fn chain(certificate: &str, others: Option<&String>) -> Result<Value, Reject> {
    let mut all = certificates(certificate, CERTIFICATE)?;
    if all.len() != 1 {
        return Err(malformed(CERTIFICATE, format!("{} certificates", all.len())));
    }
    for der in others.map(|pem| certificates(pem, CHAIN)).transpose()?.into_iter().flatten() {
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|why| malformed(CHAIN, why))?;
        if parsed.subject() != parsed.issuer() {
            all.push(der);
        }
    }
    let entries: Vec<Value> = all.iter().map(|der| json!({ "rawBytes": STANDARD.encode(der) })).collect();
    Ok(json!({ "certificates": entries }))
}

fn certificates(pem: &str, name: &str) -> Result<Vec<Vec<u8>>, Reject> {
    let read = |block: Result<Pem, _>| match block {
        Ok(block) if block.label == "CERTIFICATE" => Ok(block.contents),
        Ok(block) => Err(malformed(name, format!("a block `{}`", block.label))),
        Err(why) => Err(malformed(name, why)),
    };
    Pem::iter_from_buffer(pem.as_bytes()).map(read).collect()
}

/// The entry of the transparency log, with its promise.
fn rekor(text: &str) -> Result<Value, Reject> {
    let parsed = json_of(text.as_bytes(), REKOR)?;
    let absent = |member: &str| malformed(REKOR, format!("no {member}"));
    let text = |pointer: &str| parsed.pointer(pointer).and_then(Value::as_str).ok_or_else(|| absent(pointer));
    let number = |pointer: &str| {
        let number = parsed.pointer(pointer).and_then(Value::as_u64);
        number.map(|number| number.to_string()).ok_or_else(|| absent(pointer))
    };
    let (promise, body) = (text("/SignedEntryTimestamp")?, text("/Payload/body")?);
    let decoded = STANDARD.decode(body).map_err(|why| malformed(REKOR, why))?;
    let entry = json_of(&decoded, REKOR)?;
    let of_entry = |member: &str| entry.get(member).and_then(Value::as_str).ok_or_else(|| absent(member));
    Ok(json!({
        "logIndex": number("/Payload/logIndex")?,
        "logId": { "keyId": STANDARD.encode(from_hex(text("/Payload/logID")?)?) },
        "kindVersion": { "kind": of_entry("kind")?, "version": of_entry("apiVersion")? },
        "integratedTime": number("/Payload/integratedTime")?,
        "inclusionPromise": { "signedEntryTimestamp": promise },
        "canonicalizedBody": body,
    }))
}

fn from_hex(text: &str) -> Result<Vec<u8>, Reject> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let is_hex = pair.iter().all(u8::is_ascii_hexdigit);
        let text = std::str::from_utf8(pair).ok().filter(|_| is_hex);
        text.and_then(|text| u8::from_str_radix(text, 16).ok())
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    bytes.filter(|_| rest.is_empty()).ok_or_else(|| malformed(REKOR, "the log's ID is not hexadecimal"))
}

fn json_of(text: &[u8], name: &str) -> Result<Value, Reject> {
    strict_json(text).map_err(|why| malformed(name, why))
}

fn malformed(name: &str, why: impl std::fmt::Display) -> Reject {
    Reject::new(Class::Malformed, format!("{name}: {why}"))
}
