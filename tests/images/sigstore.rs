//! A Sigstore of our own: a certificate authority, a log of certificates, a transparency log (Rekor v1), and signers.

mod certificates;
mod log;
mod timestamps;

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use meshgate::image::{
    Annotations, CertificateTrust, Digest, Evidence, KeyTrust, ManagedKey, Origin, Repository, Trust,
    TrustRoot, Window,
};
use meshgate::kubernetes::image_reference::ImageReference;
use meshgate::policy::image_trust::HashAlgorithm;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sigstore_crypto::{KeyAlgorithm, KeyPair};

pub(crate) use certificates::{Authority, Leaf, Said, other_log};
pub(crate) use log::{Log, Tiles};
pub(crate) use timestamps::Timestamps;

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const SUBJECT: &str = "https://ci.example/acme/app/release@main";
pub(crate) const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";

pub(crate) fn digest() -> Digest {
    Digest::of(b"the image")
}

/// The time, as RFC 3339 has it.
pub(crate) fn now() -> String {
    time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap()
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn unb64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Everything that a trust root names.
pub(crate) struct Kit {
    pub(crate) authority: Authority,
    pub(crate) log: Log,
    pub(crate) tiles: Tiles,
    pub(crate) timestamps: Timestamps,
}

impl Kit {
    pub(crate) fn new() -> Self {
        let (tiles, timestamps) = (Tiles::new(), Timestamps::new());
        Self { authority: Authority::new(), log: Log::new(), tiles, timestamps }
    }

    /// The same with the second log, and the timestamp authority since some time.
    pub(crate) fn full_root(&self, start: &str) -> Value {
        let mut root = self.root();
        root["tlogs"] = json!([self.log.trusted(), self.tiles.trusted()]);
        root["timestampAuthorities"] = json!([self.timestamps.trusted(start)]);
        root
    }

    /// `trusted_root.json`.
    pub(crate) fn root(&self) -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.log.trusted()],
            "certificateAuthorities": [self.authority.trusted()],
            "ctlogs": [self.authority.certificate_log()],
            "timestampAuthorities": [],
        })
    }

    pub(crate) fn trust(&self) -> Arc<Trust> {
        certificates_of(&self.root())
    }
}

pub(crate) fn parsed(root: &Value) -> Arc<TrustRoot> {
    Arc::new(TrustRoot::parse(root.to_string().as_bytes()).unwrap())
}

pub(crate) fn certificates_of(root: &Value) -> Arc<Trust> {
    let root = parsed(root);
    Arc::new(Trust::Certificate(CertificateTrust { root, sct: true, log: true, timestamp: false }))
}

pub(crate) fn pem_of(key: &KeyPair) -> String {
    key.public_key_der().unwrap().to_pem()
}

/// A key that is trusted by itself.
pub(crate) fn key_trust(key: &KeyPair, hash: HashAlgorithm) -> Arc<Trust> {
    let keys = vec![ManagedKey::parse(&pem_of(key), hash, Window::default()).unwrap()];
    Arc::new(Trust::Key(KeyTrust { keys, log: false, timestamp: false, root: None }))
}

/// The same, with a log that has to vouch for it.
pub(crate) fn logged_key(key: &KeyPair, root: &Value, window: Window) -> Arc<Trust> {
    let keys = vec![ManagedKey::parse(&pem_of(key), HashAlgorithm::Sha256, window).unwrap()];
    Arc::new(Trust::Key(KeyTrust { keys, log: true, timestamp: false, root: Some(parsed(root)) }))
}

pub(crate) fn key() -> KeyPair {
    KeyPair::generate(KeyAlgorithm::EcdsaP256).unwrap()
}

/// A statement about the digest.
pub(crate) fn statement(digest: &Digest, kind: &str, predicate: Value) -> Vec<u8> {
    let subject = json!([{ "name": "app", "digest": { "sha256": digest.hex() } }]);
    json!({ "_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": kind, "predicate": predicate })
        .to_string()
        .into_bytes()
}

/// What is signed of an envelope.
pub(crate) fn pae(payload: &[u8]) -> Vec<u8> {
    let kind = "application/vnd.in-toto+json";
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

pub(crate) fn envelope(payload: &[u8], signature: &[u8]) -> Value {
    json!({
        "payloadType": "application/vnd.in-toto+json",
        "payload": b64(payload),
        "signatures": [{ "sig": b64(signature), "keyid": "" }],
    })
}

/// A bundle of version 0.3, of an envelope that a certificate signed and a log has.
pub(crate) fn keyless_bundle(kit: &Kit, leaf: &Leaf, payload: &[u8]) -> Value {
    let signature = leaf.key.sign(&pae(payload)).unwrap();
    let entry = kit.log.dsse(payload, signature.as_bytes(), &leaf.pem());
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "certificate": { "rawBytes": b64(&leaf.der) }, "tlogEntries": [entry] },
        "dsseEnvelope": envelope(payload, signature.as_bytes()),
    })
}

/// The same of a key, without log or with one.
pub(crate) fn key_bundle(key: &KeyPair, payload: &[u8], log: Option<&Log>) -> Value {
    let signature = key.sign(&pae(payload)).unwrap();
    let entries: Vec<Value> =
        log.into_iter().map(|log| log.dsse(payload, signature.as_bytes(), &pem_of(key))).collect();
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": "" }, "tlogEntries": entries },
        "dsseEnvelope": envelope(payload, signature.as_bytes()),
    })
}

/// What has to vouch for a bundle.
#[derive(Clone, Copy)]
pub(crate) enum Vouched {
    /// Rekor v1, and a timestamp.
    Both,
    /// Rekor v2, and a timestamp.
    Tiles,
    /// A timestamp alone.
    Timestamp,
}

/// A bundle with a timestamp, by a certificate or by a key.
pub(crate) fn stamped_bundle(
    kit: &Kit,
    by: Result<&Leaf, &KeyPair>,
    payload: &[u8],
    vouched: Vouched,
) -> Value {
    let key = by.map_or_else(|key| key, |leaf| &leaf.key);
    let signature = key.sign(&pae(payload)).unwrap();
    let mut material = match by {
        Ok(leaf) => json!({ "certificate": { "rawBytes": b64(&leaf.der) } }),
        Err(_) => json!({ "publicKey": { "hint": "" } }),
    };
    let (pem, spki) = (by.map_or_else(pem_of, Leaf::pem), key.public_key_der().unwrap());
    let verifier = match by {
        Ok(leaf) => ("x509Certificate", leaf.der.as_slice()),
        Err(_) => ("publicKey", spki.as_bytes()),
    };
    let entry = match vouched {
        Vouched::Both => Some(kit.log.dsse(payload, signature.as_bytes(), &pem)),
        Vouched::Tiles => Some(kit.tiles.hashedrekord(&pae(payload), signature.as_bytes(), verifier)),
        Vouched::Timestamp => None,
    };
    let stamp = kit.timestamps.over(signature.as_bytes(), time::OffsetDateTime::now_utc());
    material["tlogEntries"] = entry.into_iter().collect();
    material["timestampVerificationData"] =
        json!({ "rfc3161Timestamps": [{ "signedTimestamp": b64(stamp) }] });
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material,
        "dsseEnvelope": envelope(payload, signature.as_bytes()),
    })
}

/// A simple signing document about the digest.
pub(crate) fn simple_signing(digest: &Digest) -> Vec<u8> {
    json!({
        "critical": {
            "identity": { "docker-reference": "registry.example/app" },
            "image": { "docker-manifest-digest": digest.to_string() },
            "type": "cosign container image signature",
        },
        "optional": { "team": "a" },
    })
    .to_string()
    .into_bytes()
}

fn origin(layer: &[u8]) -> Origin {
    let image = ImageReference::parse("registry.example/app").unwrap();
    Origin { repository: Repository::of(&image), manifest: Digest::of(b"manifest"), layer: Digest::of(layer) }
}

pub(crate) fn bundle_evidence(bundle: &Value) -> Evidence {
    raw_bundle(bundle.to_string().into_bytes())
}

/// What says of itself that it is a bundle.
pub(crate) fn raw_bundle(bytes: Vec<u8>) -> Evidence {
    Evidence::bundle(origin(&bytes), bytes.into())
}

pub(crate) fn signature_evidence(payload: &[u8], annotations: Annotations) -> Evidence {
    Evidence::legacy_signature(origin(payload), payload.to_vec().into(), annotations).unwrap()
}

pub(crate) fn attestation_evidence(envelope: &Value, annotations: Annotations) -> Evidence {
    let bytes = envelope.to_string().into_bytes();
    Evidence::legacy_attestation(origin(&bytes), bytes.into(), annotations).unwrap()
}

/// The annotations of a layer of `.sig`.
pub(crate) fn signed_layer(signature: &[u8]) -> Annotations {
    Annotations::from([("dev.cosignproject.cosign/signature".to_owned(), b64(signature))])
}

/// What cosign writes beside for a certificate and an entry of the log.
pub(crate) fn with_material(
    mut annotations: Annotations,
    certificate: Option<&str>,
    entry: &Value,
) -> Annotations {
    if let Some(pem) = certificate {
        annotations.insert("dev.sigstore.cosign/certificate".to_owned(), pem.to_owned());
    }
    let number = |name: &str| entry[name].as_str().unwrap().parse::<u64>().unwrap();
    let id = STANDARD.decode(entry["logId"]["keyId"].as_str().unwrap()).unwrap();
    let rekor = json!({
        "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
        "Payload": {
            "body": entry["canonicalizedBody"], "integratedTime": number("integratedTime"),
            "logIndex": number("logIndex"), "logID": hex(&id),
        },
    });
    annotations.insert("dev.sigstore.cosign/bundle".to_owned(), rekor.to_string());
    annotations
}
