//! `source`, `trust`, `state` and `rollout` as the file would say them.

use serde_json::{Map, Value, json};

use super::{Credentials, SignedBy, Source};
use crate::config::Configuration;

/// The members, where policies come from a repository.
pub(in crate::config) fn shown(configuration: &Configuration) -> Map<String, Value> {
    let Some(source) = &configuration.source else { return Map::new() };
    let Some(trust) = &configuration.trust else { return Map::new() };
    let signers = match &trust.signers {
        SignedBy::Nobody => json!({ "mode": "none" }),
        SignedBy::Commit(signers) => json!({
            "mode": "commit",
            "allowedSigners": signers.allowed,
            "revoked": signers.revoked,
            "committer": if signers.is_committer { "match" } else { "any" },
        }),
    };
    let trials = &configuration.trials;
    let all = json!({
        "source": of_source(source),
        "trust": with(signers, "floor", trust.floor.clone()),
        "state": configuration.state,
        "rollout": { "tests": {
            "timeout": format!("{}s", trials.timeout.as_secs()),
            "memory": trials.memory.to_string(),
            "required": trials.required,
        } },
    });
    match without_null(all) {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn of_source(source: &Source) -> Value {
    let (kind, name) = source.reference.parts();
    json!({
        "name": source.name,
        "git": { "url": source.url, kind: name, "path": source.path, "plaintext": source.plaintext },
        "interval": format!("{}s", source.interval.as_secs()),
        "credentials": source.credentials.as_ref().map(|credentials| match credentials {
            Credentials::Basic { file, username } => json!({ "file": file, "username": username }),
            Credentials::Bearer(file) => json!({ "bearerFile": file }),
        }),
        "ca": source.ca,
        "proxy": source.proxy,
        "rollback": source.rollback.as_ref().map(|back| json!({ "to": back.to, "reason": back.reason })),
    })
}

fn with(mut value: Value, name: &str, member: Option<String>) -> Value {
    if let Some(members) = value.as_object_mut() {
        members.insert(name.to_owned(), member.into());
    }
    value
}

/// What is not said is left out.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let said = members.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(said.map(|(name, value)| (name, without_null(value))).collect())
        }
        other => other,
    }
}
