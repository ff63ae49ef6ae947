//! One piece of evidence of each kind, and by what it is verified.

use std::sync::Arc;

use meshgate::image::{
    CertificateTrust, Evidence, KeyTrust, ManagedKey, SignatureVerifier, Sigstore, Trust, Verified, Window,
};
use meshgate::policy::image_trust::HashAlgorithm;
use rcgen::{
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize,
    SigningKey,
};
use serde_json::{Value, json};

use crate::sigstore::{
    self, ISSUER, Kit, SIGNED, SUBJECT, Vouched, bundle_evidence, digest, keyless_bundle, stamped_bundle,
    statement,
};

/// Since when the timestamp authority counts.
const SINCE: &str = "2020-01-01T00:00:00Z";
/// The bytes of a statement that says much.
const LARGE: usize = 64 << 10;

/// Evidence of a kind.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    evidence: Evidence,
    trust: Arc<Trust>,
    /// The same as the other side is asked.
    pub(crate) question: Value,
}

impl Kind {
    pub(crate) fn verified(&self) -> Option<Verified> {
        Sigstore::default().verify(&self.evidence, &self.trust, &digest()).ok()
    }

    /// What is measured is accepted, and of another image it is not.
    pub(crate) fn check(&self) {
        let other = meshgate::image::Digest::of(b"another image");
        assert!(self.verified().is_some(), "{}", self.name);
        assert!(Sigstore::default().verify(&self.evidence, &self.trust, &other).is_err(), "{}", self.name);
    }

    fn new(name: &'static str, bundle: &Value, trust: Trust, more: &Value) -> Self {
        let mut question = json!({ "name": name, "bundle": bundle, "digest": digest().hex(), "root": null, "key": "", "hash": "sha256", "log": false, "timestamp": false, "issuer": ISSUER, "subject": SUBJECT });
        if let (Some(question), Some(more)) = (question.as_object_mut(), more.as_object()) {
            question.extend(more.clone());
        }
        Self { name, evidence: bundle_evidence(bundle), trust: Arc::new(trust), question }
    }

    /// Of a key and nothing else.
    fn of_key(name: &'static str, key: &KeyPair, hash: HashAlgorithm, written: &str) -> Self {
        let payload = signed();
        let signature = key.sign(&sigstore::pae(&payload)).expect("it signs");
        let bundle = json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "publicKey": { "hint": "" }, "tlogEntries": [] },
            "dsseEnvelope": sigstore::envelope(&payload, &signature),
        });
        let pem = key.public_key_pem();
        let keys = vec![ManagedKey::parse(&pem, hash, Window::default()).expect("a key")];
        let trust = Trust::Key(KeyTrust { keys, log: false, timestamp: false, root: None });
        Self::new(name, &bundle, trust, &json!({ "key": pem, "hash": written }))
    }
}

fn signed() -> Vec<u8> {
    statement(&digest(), SIGNED, json!({}))
}

/// All kinds.
pub(crate) fn all() -> Vec<Kind> {
    let key = |algorithm| KeyPair::generate_for(algorithm).expect("a key");
    let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let mut kinds = vec![
        Kind::of_key("key P-256", &key(&PKCS_ECDSA_P256_SHA256), HashAlgorithm::Sha256, "sha256"),
        Kind::of_key("key P-384", &key(&PKCS_ECDSA_P384_SHA384), HashAlgorithm::Sha384, "sha384"),
        Kind::of_key("key RSA 2048", &rsa, HashAlgorithm::Sha256, "sha256"),
        Kind::of_key("key Ed25519", &key(&PKCS_ED25519), HashAlgorithm::Sha256, "sha512"),
    ];
    kinds.extend(vouched(&Kit::new()));
    kinds
}

/// What a log or a timestamp authority vouches for.
fn vouched(kit: &Kit) -> Vec<Kind> {
    let root = kit.full_root(SINCE);
    let (leaf, key) = (kit.authority.leaf(), sigstore::key());
    let pem = sigstore::pem_of(&key);
    let of_root = |log: bool, timestamp: bool| json!({ "root": root, "log": log, "timestamp": timestamp });
    let certificates = |log, timestamp| {
        let root = sigstore::parsed(&root);
        Trust::Certificate(CertificateTrust { root, sct: true, log, timestamp })
    };
    let keys = |log, timestamp| {
        let key = ManagedKey::parse(&pem, HashAlgorithm::Sha256, Window::default()).expect("a key");
        Trust::Key(KeyTrust { keys: vec![key], log, timestamp, root: Some(sigstore::parsed(&root)) })
    };
    let keyed = |log: bool, timestamp: bool| {
        let mut question = of_root(log, timestamp);
        question.as_object_mut().map(|members| members.insert("key".to_owned(), json!(pem)));
        question
    };
    let with_key = |vouched| stamped_bundle(kit, Err(&key), &signed(), vouched);
    let keyless = |vouched| stamped_bundle(kit, Ok(&leaf), &signed(), vouched);
    let provenance = |predicate| statement(&digest(), "https://slsa.dev/provenance/v1", predicate);
    let attested = |predicate| keyless_bundle(kit, &leaf, &provenance(predicate));
    let logged = sigstore::key_bundle(&key, &signed(), Some(&kit.log));
    let of = Kind::new;
    vec![
        of("key P-256, Rekor v1", &logged, keys(true, false), &keyed(true, false)),
        of("key P-256, Rekor v2, TSA", &with_key(Vouched::Tiles), keys(true, true), &keyed(true, true)),
        of("key P-256, TSA", &with_key(Vouched::Timestamp), keys(false, true), &keyed(false, true)),
        of(
            "keyless, Rekor v1",
            &keyless_bundle(kit, &leaf, &signed()),
            certificates(true, false),
            &of_root(true, false),
        ),
        of("keyless, Rekor v1, TSA", &keyless(Vouched::Both), certificates(true, true), &of_root(true, true)),
        of(
            "keyless, Rekor v2, TSA",
            &keyless(Vouched::Tiles),
            certificates(true, true),
            &of_root(true, true),
        ),
        of("keyless, TSA", &keyless(Vouched::Timestamp), certificates(false, true), &of_root(false, true)),
        of(
            "attestation, keyless, Rekor v1",
            &attested(json!({ "buildDefinition": { "buildType": "b" } })),
            certificates(true, false),
            &of_root(true, false),
        ),
        of(
            "attestation of 64 KiB, keyless, Rekor v1",
            &attested(json!({ "text": "x".repeat(LARGE) })),
            certificates(true, false),
            &of_root(true, false),
        ),
    ]
}
