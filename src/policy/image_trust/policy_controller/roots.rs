//! A `TrustRoot` as Sigstore's `trusted_root.json`, and public keys from Secrets.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::{ImageTrust, TrustRoot};
use super::written::{CertificateAuthority, LogKey, TrustRootSpec};
use super::{PublicKey, fault_at, spec};
use crate::policy::fault::Fault;
use crate::policy::written::Written;

/// The one namespace of Secrets that policies name.
pub(super) const NAMESPACE: &str = "cosign-system";

/// Since when keys and authorities count, of which a TrustRoot says nothing: a root without a start is malformed.
const START: &str = "1970-01-01T00:00:00Z";

/// What begins the body of a public key, by its kind, and how trust roots call it.
///
/// Source: RFC 5480, RFC 8410, RFC 8017; sigstore protobuf-specs, `PublicKeyDetails`.
const KEYS: [(&[u8], &str); 4] = [
    (&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07], "PKIX_ECDSA_P256_SHA_256"),
    (&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22], "PKIX_ECDSA_P384_SHA_384"),
    (&[0x06, 0x03, 0x2b, 0x65, 0x70], "PKIX_ED25519"),
    (&[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], "PKIX_RSA_PKCS1V15_2048_SHA256"),
];

/// Adds a trust root under the document's name.
pub(super) fn add(document: &Written, trust: &mut ImageTrust, faults: &mut Vec<Fault>) {
    let before = faults.len();
    let Some(spec) = spec::<TrustRootSpec>(document, faults) else { return };
    for (name, _) in [("remote", &spec.remote), ("repository", &spec.repository)]
        .into_iter()
        .filter(|(_, value)| value.is_some())
    {
        let remedy =
            "write its keys as `sigstoreKeys`, or its trusted_root.json as a trust root of an ImageTrust";
        faults.push(fault_at(document, &format!("/{name}"), format!("nothing is fetched; {remedy}")));
    }
    let Some(keys) = &spec.sigstore_keys else {
        if faults.len() == before {
            faults.push(fault_at(document, "/sigstoreKeys", "absent; write the keys of the instance"));
        }
        return;
    };
    let at = "/sigstoreKeys";
    let root = json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "certificateAuthorities": authorities(document, &keys.certificate_authorities, &format!("{at}/certificateAuthorities"), faults),
        "tlogs": logs(document, &keys.t_logs, &format!("{at}/tLogs"), faults),
        "ctlogs": logs(document, &keys.ct_logs, &format!("{at}/ctLogs"), faults),
        "timestampAuthorities": authorities(document, &keys.timestamp_authorities, &format!("{at}/timestampAuthorities"), faults),
    });
    if faults.len() != before {
        return;
    }
    // No file of the tree has such a path.
    let file = format!("{}#{}", document.file, document.name);
    trust.contents.insert(file.clone(), root.to_string().into_bytes());
    if trust.trust_roots.insert(document.name.clone(), TrustRoot { file }).is_some() {
        let message = format!("metadata.name: `{}`; a trust root has that name already", document.name);
        faults.push(document.fault("/metadata/name", message));
    }
}

fn authorities(
    document: &Written,
    all: &[CertificateAuthority],
    at: &str,
    faults: &mut Vec<Fault>,
) -> Vec<Value> {
    let mut read = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let at = format!("{at}/{index}");
        if one.uri.is_empty() {
            faults.push(fault_at(document, &format!("{at}/uri"), "empty; name the authority's URL"));
        }
        match blocks(&one.cert_chain, "CERTIFICATE") {
            Ok(chain) => read.push(json!({
                "subject": one.subject,
                "uri": one.uri,
                "certChain": { "certificates": chain.iter().map(|der| json!({ "rawBytes": STANDARD.encode(der) })).collect::<Vec<_>>() },
                "validFor": { "start": START },
            })),
            Err(why) => faults.push(fault_at(document, &format!("{at}/certChain"), why)),
        }
    }
    read
}

fn logs(document: &Written, all: &[LogKey], at: &str, faults: &mut Vec<Fault>) -> Vec<Value> {
    let mut read = Vec::new();
    for (index, one) in all.iter().enumerate() {
        let at = format!("{at}/{index}");
        if !matches!(one.hash_algorithm.as_str(), "sha-256" | "sha256") {
            let message = format!("`{}`; logs are of sha-256", one.hash_algorithm);
            faults.push(fault_at(document, &format!("{at}/hashAlgorithm"), message));
        }
        let key =
            blocks(&one.public_key, "PUBLIC KEY").and_then(|keys| match <[Vec<u8>; 1]>::try_from(keys) {
                Ok([key]) => details(&key).map(|details| (key, details)),
                Err(_) => Err("more than one key; a log has one".to_owned()),
            });
        match key {
            Ok((key, details)) => read.push(json!({
                "baseUrl": one.base_url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": { "rawBytes": STANDARD.encode(&key), "keyDetails": details, "validFor": { "start": START } },
                "logId": { "keyId": STANDARD.encode(Sha256::digest(&key)) },
            })),
            Err(why) => faults.push(fault_at(document, &format!("{at}/publicKey"), why)),
        }
    }
    read
}

fn details(key: &[u8]) -> Result<&'static str, String> {
    // The algorithm stands at the beginning; the key itself may hold any bytes.
    let head = key.get(..32).unwrap_or(key);
    let is_of = |oid: &[u8]| head.windows(oid.len()).any(|part| part == oid);
    let found = KEYS.iter().find(|(oid, _)| is_of(oid)).map(|(_, name)| *name);
    found.ok_or_else(|| "a key of another kind than P-256, P-384, RSA and Ed25519".to_owned())
}

/// The blocks of a PEM text that is written as base64.
fn blocks(text: &str, label: &str) -> Result<Vec<Vec<u8>>, String> {
    let none = || format!("not base64 of a PEM text with blocks {label}; write it as `base64 -w0` does");
    let compact: String = text.split_whitespace().collect();
    let pem =
        STANDARD.decode(compact).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(none)?;
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let mut all = Vec::new();
    for block in pem.split(begin.as_str()).skip(1) {
        let body = block.split(end.as_str()).next().unwrap_or_default();
        let compact: String = body.split_whitespace().collect();
        all.push(STANDARD.decode(compact).map_err(|_| none())?);
    }
    if all.is_empty() { Err(none()) } else { Ok(all) }
}

/// Public keys by the names of Secrets. What else a Secret holds is not repeated anywhere.
pub(super) fn keys(secrets: &[&Written], faults: &mut Vec<Fault>) -> BTreeMap<String, PublicKey> {
    let (mut all, mut names) = (BTreeMap::new(), BTreeSet::new());
    for secret in secrets {
        let namespace = secret.member("/metadata/namespace");
        if namespace.is_some_and(|name| !matches!(name.as_str(), Some("" | NAMESPACE))) {
            let message =
                format!("metadata.namespace: not `{NAMESPACE}`, where policies look for keys; correct it");
            faults.push(secret.fault("/metadata/namespace", message));
            continue;
        }
        if !names.insert(&secret.name) {
            let message = format!("metadata.name: `{}` a second time; remove one of the two", secret.name);
            faults.push(secret.fault("/metadata/name", message));
            continue;
        }
        match public_key(secret) {
            Some(pem) => {
                all.insert(secret.name.clone(), PublicKey { pem, is_named: false });
            }
            None => {
                let message = "holds something else than one public key in PEM; a tree holds no other Secret";
                faults.push(secret.fault("/kind", message));
            }
        }
    }
    all
}

/// The one entry of a Secret, if it is a public key.
fn public_key(secret: &Written) -> Option<String> {
    let mut entries = Vec::new();
    for (member, is_encoded) in [("/data", true), ("/stringData", false)] {
        let Some(members) = secret.member(member) else { continue };
        for value in members.as_object()?.values() {
            let text = value.as_str()?;
            let plain = if is_encoded {
                String::from_utf8(STANDARD.decode(text).ok()?).ok()?
            } else {
                text.to_owned()
            };
            entries.push(plain);
        }
    }
    let [pem] = <[String; 1]>::try_from(entries).ok()?;
    (pem.contains("-----BEGIN PUBLIC KEY-----") && !pem.contains("PRIVATE")).then_some(pem)
}
