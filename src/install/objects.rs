//! What the objects of an installation have in common.

use serde_json::{Map, Value, json};

use crate::config::{NAMESPACE, SERVICE};

/// The members of an object beside `apiVersion`, `kind` and `metadata`.
pub(super) type Members<const COUNT: usize> = [(&'static str, Value); COUNT];

/// The label by which the Pods are known, and all that is theirs.
pub(super) fn labels() -> Value {
    json!({ "app.kubernetes.io/name": SERVICE })
}

/// An object of meshgate's namespace.
pub(super) fn namespaced<const COUNT: usize>(
    api_version: &str,
    kind: &str,
    name: &str,
    members: Members<COUNT>,
) -> Value {
    let metadata = json!({ "name": name, "namespace": NAMESPACE, "labels": labels() });
    object(api_version, kind, metadata, members)
}

/// An object of the cluster.
pub(super) fn cluster_wide<const COUNT: usize>(
    api_version: &str,
    kind: &str,
    name: &str,
    members: Members<COUNT>,
) -> Value {
    object(api_version, kind, json!({ "name": name, "labels": labels() }), members)
}

pub(super) fn object<const COUNT: usize>(
    api_version: &str,
    kind: &str,
    metadata: Value,
    members: Members<COUNT>,
) -> Value {
    let head = [("apiVersion", api_version.into()), ("kind", kind.into()), ("metadata", metadata)];
    let all = head.into_iter().chain(members);
    Value::Object(all.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}
