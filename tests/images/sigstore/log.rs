//! A transparency log as Rekor v1: entries, promises, proofs of inclusion and checkpoints (RFC 6962, C2SP tlog-checkpoint).

use rcgen::{PKCS_ED25519, SigningKey};
use serde_json::{Value, json};
use sigstore_crypto::KeyPair;
use time::OffsetDateTime;

use super::{b64, hex, key, sha256};

/// How many entries come before ours, and after.
const BEFORE: usize = 5;
const AFTER: usize = 3;

pub(crate) struct Log {
    key: KeyPair,
}

/// A log as a trust root names it.
pub(super) fn trusted(key: &KeyPair, url: &str) -> Value {
    let spki = key.public_key_der().unwrap();
    json!({
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": b64(spki.as_bytes()), "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": { "start": "2020-01-01T00:00:00Z" },
        },
        "logId": { "keyId": b64(sha256(spki.as_bytes())) },
    })
}

impl Log {
    pub(crate) fn new() -> Self {
        Self { key: key() }
    }

    pub(crate) fn trusted(&self) -> Value {
        trusted(&self.key, "https://rekor.kit")
    }

    fn id(&self) -> Vec<u8> {
        sha256(self.key.public_key_der().unwrap().as_bytes())
    }

    /// An entry `dsse` 0.0.1.
    pub(crate) fn dsse(&self, payload: &[u8], signature: &[u8], verifier: &str) -> Value {
        let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex(&sha256(bytes)) });
        let spec = json!({
            "envelopeHash": hash(b"envelope"), "payloadHash": hash(payload),
            "signatures": [{ "signature": b64(signature), "verifier": b64(verifier) }],
        });
        self.entry(
            "dsse",
            &json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": spec }),
            OffsetDateTime::now_utc(),
        )
    }

    /// An entry `hashedrekord` 0.0.1.
    pub(crate) fn hashedrekord(&self, payload: &[u8], signature: &[u8], verifier: &str) -> Value {
        let spec = json!({
            "data": { "hash": { "algorithm": "sha256", "value": hex(&sha256(payload)) } },
            "signature": { "content": b64(signature), "publicKey": { "content": b64(verifier) } },
        });
        let body = json!({ "apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec });
        self.entry("hashedrekord", &body, OffsetDateTime::now_utc())
    }

    /// The entry with its promise, its proof and the checkpoint.
    pub(crate) fn entry(&self, kind: &str, body: &Value, at: OffsetDateTime) -> Value {
        let body = body.to_string().into_bytes();
        let mut leaves: Vec<Vec<u8>> = (0..BEFORE).map(|index| leaf(&index.to_be_bytes())).collect();
        leaves.push(leaf(&body));
        leaves.extend((0..AFTER).map(|index| leaf(&[index as u8])));
        let (root, path) = (tree(&leaves), path(BEFORE, &leaves));
        let (at, id) = (at.unix_timestamp(), self.id());
        let promise = format!(
            "{{\"body\":\"{}\",\"integratedTime\":{at},\"logID\":\"{}\",\"logIndex\":{BEFORE}}}",
            b64(&body),
            hex(&id)
        );
        json!({
            "logIndex": BEFORE.to_string(),
            "logId": { "keyId": b64(&id) },
            "kindVersion": { "kind": kind, "version": "0.0.1" },
            "integratedTime": at.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": b64(self.key.sign(promise.as_bytes()).unwrap().as_bytes()) },
            "inclusionProof": {
                "logIndex": BEFORE.to_string(), "rootHash": b64(&root), "treeSize": leaves.len().to_string(),
                "hashes": path.iter().map(b64).collect::<Vec<_>>(),
                "checkpoint": { "envelope": self.checkpoint(leaves.len(), &root) },
            },
            "canonicalizedBody": b64(&body),
        })
    }

    fn checkpoint(&self, size: usize, root: &[u8]) -> String {
        let text = format!("rekor.kit - 1\n{size}\n{}\n", b64(root));
        let signature = self.key.sign(text.as_bytes()).unwrap();
        let hinted = [&self.id()[..4], signature.as_bytes()].concat();
        format!("{text}\n\u{2014} rekor.kit {}\n", b64(hinted))
    }
}

/// A log as Rekor v2: an Ed25519 key, no promises and no times.
pub(crate) struct Tiles {
    key: rcgen::KeyPair,
}

const TILES: &str = "log.kit";

impl Tiles {
    pub(crate) fn new() -> Self {
        Self { key: rcgen::KeyPair::generate_for(&PKCS_ED25519).unwrap() }
    }

    /// The checkpoint's own (C2SP signed-note): of name, kind and key.
    fn id(&self) -> Vec<u8> {
        sha256(&[TILES.as_bytes(), b"\n\x01", self.key.public_key_raw()].concat())
    }

    pub(crate) fn trusted(&self) -> Value {
        // The SPKI of such a key (RFC 8410).
        let head = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        let spki = [&head, self.key.public_key_raw()].concat();
        json!({
            "baseUrl": format!("https://{TILES}"),
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(spki), "keyDetails": "PKIX_ED25519",
                "validFor": { "start": "2020-01-01T00:00:00Z" },
            },
            "logId": { "keyId": b64(self.id()) },
        })
    }

    /// An entry `hashedrekord` 0.0.2 of what was signed, by a certificate or by a key (SPKI).
    pub(crate) fn hashedrekord(&self, signed: &[u8], signature: &[u8], verifier: (&str, &[u8])) -> Value {
        let verifier =
            json!({ "keyDetails": "PKIX_ECDSA_P256_SHA_256", verifier.0: { "rawBytes": b64(verifier.1) } });
        let spec = json!({ "hashedRekordV002": {
            "data": { "algorithm": "SHA2_256", "digest": b64(sha256(signed)) },
            "signature": { "content": b64(signature), "verifier": verifier },
        } });
        let body =
            json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": spec }).to_string().into_bytes();
        let mut leaves: Vec<Vec<u8>> = (0..BEFORE).map(|index| leaf(&index.to_be_bytes())).collect();
        leaves.push(leaf(&body));
        leaves.extend((0..AFTER).map(|index| leaf(&[index as u8])));
        let (root, path) = (tree(&leaves), path(BEFORE, &leaves));
        let text = format!("{TILES}\n{}\n{}\n", leaves.len(), b64(&root));
        let signed = [&self.id()[..4], &self.key.sign(text.as_bytes()).unwrap()].concat();
        let checkpoint = format!("{text}\n\u{2014} {TILES} {}\n", b64(signed));
        json!({
            "logIndex": BEFORE.to_string(),
            "logId": { "keyId": b64(self.id()) },
            "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
            "inclusionProof": {
                "logIndex": BEFORE.to_string(), "rootHash": b64(&root), "treeSize": leaves.len().to_string(),
                "hashes": path.iter().map(b64).collect::<Vec<_>>(),
                "checkpoint": { "envelope": checkpoint },
            },
            "canonicalizedBody": b64(&body),
        })
    }
}

fn leaf(bytes: &[u8]) -> Vec<u8> {
    sha256(&[&[0_u8][..], bytes].concat())
}

/// The largest power of two below a number.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

fn tree(leaves: &[Vec<u8>]) -> Vec<u8> {
    match leaves {
        [one] => one.clone(),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            sha256(&[&[1_u8][..], &tree(left), &tree(right)].concat())
        }
    }
}

fn path(index: usize, leaves: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, other) = match index < left.len() {
        true => (path(index, left), tree(right)),
        false => (path(index - left.len(), right), tree(left)),
    };
    path.push(other);
    path
}
