//! Messages without what an object says where secrets are: environment, arguments, annotations, data. Policies quote
//! what they complain of, so what an object holds there is looked for in the message.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::admission::Request;

/// What stands for a text that was there.
const MASK: &str = "***";
/// What is shorter is no secret, and stands within other words.
const SHORTEST: usize = 4;
/// A message is not longer than this after it.
const CHARACTERS: usize = 1_024;

/// `message` without any text of the request's objects that may be secret.
pub(super) fn message(message: &str, request: &Request) -> String {
    let mut secrets = BTreeSet::new();
    for object in [request.object(), request.old_object()].into_iter().flatten() {
        collect(object, &mut secrets);
    }
    let mut secrets: Vec<String> =
        secrets.into_iter().filter(|secret| message.contains(secret.as_str())).collect();
    // The longest first: a part of it may be another one.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let masked = secrets.iter().fold(message.to_owned(), |text, secret| text.replace(secret.as_str(), MASK));
    masked.chars().take(CHARACTERS).collect()
}

/// The texts below `value` that stand in a place for secrets.
fn collect(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, secrets)),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "env" | "args" | "command" | "annotations" | "data" | "stringData" | "binaryData" => {
                        texts(member, secrets);
                    }
                    _ => collect(member, secrets),
                }
            }
        }
        _ => {}
    }
}

/// All texts of `value`, also as they read where they are base64; of an environment not the variables' names.
fn texts(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            secrets.extend(
                [Some(text.clone()), decoded].into_iter().flatten().filter(|text| text.len() >= SHORTEST),
            );
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, secrets)),
        Value::Object(members) => {
            let is_variable = members.contains_key("name");
            members
                .iter()
                .filter(|(name, _)| !is_variable || *name != "name")
                .for_each(|(_, member)| texts(member, secrets));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::admission::{GroupVersionKind, GroupVersionResource, Operation, RequestParts};

    #[test]
    fn what_may_be_secret_is_masked_and_nothing_else() {
        let object = json!({
            "metadata": { "name": "web", "annotations": { "note": "an-annotation" } },
            "data": { "password": "c2VjcmV0LWRhdGE=" },
            "spec": { "containers": [{
                "name": "app", "image": "registry.example/app:1", "args": ["--token=an-argument", "x"],
                "env": [{ "name": "TOKEN", "value": "a-value" }, { "name": "LONG", "value": "a-value-and-more" }]
            }] }
        });
        let request = Request::new(RequestParts {
            uid: "1".to_owned(),
            kind: GroupVersionKind::new("", "v1", "Pod"),
            resource: GroupVersionResource::new("", "v1", "pods"),
            sub_resource: None,
            name: String::new(),
            namespace: None,
            operation: Operation::Update,
            user_info: Value::Null,
            object: Some(object),
            old_object: Some(json!({ "stringData": { "key": "an-old-secret" } })),
            dry_run: false,
        });
        let table = [
            ("app uses TOKEN=a-value", "app uses TOKEN=***"),
            ("LONG is a-value-and-more", "LONG is ***"),
            ("--token=an-argument of registry.example/app:1", "*** of registry.example/app:1"),
            ("note: an-annotation", "note: ***"),
            ("c2VjcmV0LWRhdGE= is secret-data", "*** is ***"),
            ("it was an-old-secret", "it was ***"),
            ("web says nothing", "web says nothing"),
        ];
        for (said, expected) in table {
            assert_eq!(message(said, &request), expected);
        }
    }
}
