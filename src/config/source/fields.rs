//! `source`, `trust` and `rollout` as they are written.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::checks::{bytes, duration};
use super::{Credentials, GitReference, Rollback, SignedBy, Source, Trials, Trust, TrustedSigners};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::config) struct SourceFields {
    pub(super) name: String,
    pub(super) git: Option<GitFields>,
    pub(super) interval: Option<String>,
    pub(super) credentials: Option<CredentialFields>,
    pub(super) ca: Option<PathBuf>,
    pub(super) proxy: Option<String>,
    pub(super) rollback: Option<RollbackFields>,
    pub(super) oci: Option<IgnoredAny>,
    pub(super) tarball: Option<IgnoredAny>,
    pub(super) flux: Option<IgnoredAny>,
    pub(super) push: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct GitFields {
    pub(super) url: String,
    pub(super) branch: Option<String>,
    pub(super) tag: Option<String>,
    pub(super) commit: Option<String>,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) plaintext: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CredentialFields {
    pub(super) file: Option<PathBuf>,
    pub(super) username: Option<String>,
    pub(super) bearer_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RollbackFields {
    pub(super) to: String,
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::config) struct TrustFields {
    #[serde(default = "commit")]
    pub(super) mode: String,
    pub(super) allowed_signers: Option<PathBuf>,
    pub(super) revoked: Option<PathBuf>,
    pub(super) committer: Option<Committer>,
    pub(super) floor: Option<String>,
    pub(super) scope: Option<IgnoredAny>,
    pub(super) keyring: Option<IgnoredAny>,
    pub(super) forge: Option<IgnoredAny>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Committer {
    Any,
    Match,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(in crate::config) struct RolloutFields {
    pub(super) tests: TestFields,
    pub(super) steps: Option<IgnoredAny>,
    pub(super) stop: Option<IgnoredAny>,
    pub(super) manual: Option<IgnoredAny>,
    pub(super) trailer: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TestFields {
    pub(super) timeout: Option<String>,
    pub(super) memory: Option<String>,
    pub(super) required: Option<bool>,
}

fn commit() -> String {
    "commit".to_owned()
}

/// What the fields mean; None where they were refused.
pub(in crate::config) fn source(fields: SourceFields) -> Option<Source> {
    let git = fields.git?;
    let reference = match (git.branch, git.tag, git.commit) {
        (Some(name), None, None) => GitReference::Branch(name),
        (None, Some(name), None) => GitReference::Tag(name),
        (None, None, Some(id)) => GitReference::Commit(id),
        _ => return None,
    };
    let credentials = fields.credentials.and_then(|fields| match (fields.file, fields.bearer_file) {
        (Some(file), _) => Some(Credentials::Basic { file, username: fields.username? }),
        (None, file) => file.map(Credentials::Bearer),
    });
    Some(Source {
        name: fields.name,
        url: git.url,
        reference,
        path: git.path.trim_matches('/').to_owned(),
        plaintext: git.plaintext,
        interval: fields.interval.map_or(Some(Duration::from_secs(60)), |text| duration(&text))?,
        credentials,
        ca: fields.ca,
        proxy: fields.proxy,
        rollback: fields.rollback.map(|back| Rollback { to: back.to, reason: back.reason }),
    })
}

/// What the fields mean; None where they were refused.
pub(in crate::config) fn trust(fields: TrustFields) -> Option<Trust> {
    let is_committer = fields.committer == Some(Committer::Match);
    let signers = match (fields.mode.as_str(), fields.allowed_signers) {
        ("none", None) => SignedBy::Nobody,
        ("commit", Some(allowed)) => {
            SignedBy::Commit(TrustedSigners { allowed, revoked: fields.revoked, is_committer })
        }
        _ => return None,
    };
    Some(Trust { signers, floor: fields.floor })
}

pub(in crate::config) fn trials(fields: RolloutFields) -> Trials {
    let (default, tests) = (Trials::default(), fields.tests);
    Trials {
        timeout: tests.timeout.and_then(|text| duration(&text)).unwrap_or(default.timeout),
        memory: tests.memory.and_then(|text| bytes(&text)).unwrap_or(default.memory),
        required: tests.required.unwrap_or(default.required),
    }
}
