//! A transparency log as Rekor v1: entries, promises, proofs of inclusion and checkpoints (RFC 6962, C2SP tlog-checkpoint).

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
