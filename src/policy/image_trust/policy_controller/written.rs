//! The kinds of `policy.sigstore.dev` as their documents write them. What they may mean is judged elsewhere, so that all
//! faults of a document are told at once.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::image_trust::Identity;

/// `spec` of a `ClusterImagePolicy`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Spec {
    #[serde(default)]
    pub(super) images: Vec<Image>,
    #[serde(default)]
    pub(super) authorities: Vec<Authority>,
    pub(super) policy: Option<Policy>,
    #[serde(default)]
    pub(super) mode: String,
    #[serde(default, rename = "match")]
    pub(super) matches: Vec<Match>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    #[serde(default)]
    pub(super) glob: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Authority {
    #[serde(default)]
    pub(super) name: String,
    pub(super) key: Option<Key>,
    pub(super) keyless: Option<Keyless>,
    #[serde(rename = "static")]
    pub(super) fixed: Option<Static>,
    #[serde(default)]
    pub(super) source: Vec<Source>,
    pub(super) ctlog: Option<Log>,
    #[serde(default)]
    pub(super) attestations: Vec<Attestation>,
    pub(super) rfc3161timestamp: Option<Timestamp>,
    #[serde(default)]
    pub(super) signature_format: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Key {
    pub(super) secret_ref: Option<SecretRef>,
    #[serde(default)]
    pub(super) data: String,
    #[serde(default)]
    pub(super) kms: String,
    #[serde(default)]
    pub(super) hash_algorithm: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SecretRef {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Static {
    #[serde(default)]
    pub(super) action: String,
    #[serde(default)]
    pub(super) message: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Source {
    #[serde(default)]
    pub(super) oci: String,
    #[serde(default)]
    pub(super) signature_pull_secrets: Vec<Value>,
    pub(super) tag_prefix: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Log {
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) trust_root_ref: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Keyless {
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) identities: Vec<Identity>,
    #[serde(rename = "ca-cert")]
    pub(super) ca_cert: Option<Value>,
    #[serde(default)]
    pub(super) trust_root_ref: String,
    #[serde(rename = "insecureIgnoreSCT")]
    pub(super) insecure_ignore_sct: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Attestation {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) predicate_type: String,
    pub(super) policy: Option<Policy>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Policy {
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) data: String,
    pub(super) remote: Option<Value>,
    pub(super) config_map_ref: Option<Value>,
    pub(super) fetch_config_file: Option<bool>,
    pub(super) include_spec: Option<bool>,
    pub(super) include_object_meta: Option<bool>,
    pub(super) include_type_meta: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Timestamp {
    #[serde(default)]
    pub(super) trust_root_ref: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    #[serde(default)]
    pub(super) group: String,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default)]
    pub(super) resource: String,
    pub(super) selector: Option<Value>,
}

/// `spec` of a `TrustRoot`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TrustRootSpec {
    pub(super) remote: Option<Value>,
    pub(super) repository: Option<Value>,
    pub(super) sigstore_keys: Option<SigstoreKeys>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SigstoreKeys {
    #[serde(default)]
    pub(super) certificate_authorities: Vec<CertificateAuthority>,
    #[serde(default)]
    pub(super) t_logs: Vec<LogKey>,
    #[serde(default)]
    pub(super) ct_logs: Vec<LogKey>,
    #[serde(default)]
    pub(super) timestamp_authorities: Vec<CertificateAuthority>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CertificateAuthority {
    #[serde(default)]
    pub(super) subject: Subject,
    #[serde(default)]
    pub(super) uri: String,
    #[serde(default)]
    pub(super) cert_chain: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Subject {
    organization: String,
    common_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct LogKey {
    #[serde(default, rename = "baseURL")]
    pub(super) base_url: String,
    #[serde(default)]
    pub(super) hash_algorithm: String,
    #[serde(default)]
    pub(super) public_key: String,
}
