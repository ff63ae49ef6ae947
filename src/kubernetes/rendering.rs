//! Whether a container is what was rendered: equal but for what an API server writes into it on the way. Called by
//! `review`; anything else that differs makes it somebody else's container.
//!
//! Source of the defaults: k8s.io/kubernetes, pkg/apis/core/v1/defaults.go.

use serde_json::{Map, Value, json};

use super::quantity::Quantity;

/// Where the API server mounts the token of a service account (plugin/pkg/admission/serviceaccount).
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Whether two containers are the same. Quantities are compared by value; null, empty and absent are alike; defaults count
/// on both sides; a mount of the service account's token counts on neither.
pub fn equal(one: &Value, other: &Value) -> bool {
    canonical(one) == canonical(other)
}

/// A container in the one form that all that are [`equal`] to it have.
pub fn canonical(container: &Value) -> Value {
    let mut container = container.clone();
    let Some(members) = container.as_object_mut() else { return container };
    let image = members.get("image").and_then(Value::as_str).unwrap_or_default();
    // An image that is always to be looked for anew: with the tag `latest`, or none.
    let name = image.rsplit('/').next().unwrap_or_default();
    let is_latest = !image.contains('@') && (!name.contains(':') || name.ends_with(":latest"));
    default(members, "imagePullPolicy", json!(if is_latest { "Always" } else { "IfNotPresent" }));
    default(members, "terminationMessagePath", json!("/dev/termination-log"));
    default(members, "terminationMessagePolicy", json!("File"));
    each(members, "ports", |port| default(port, "protocol", json!("TCP")));
    each(members, "env", |entry| {
        if let Some(Value::Object(field)) =
            entry.get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef"))
        {
            default(field, "apiVersion", json!("v1"));
        }
        if let Some(Value::Object(field)) =
            entry.get_mut("valueFrom").and_then(|from| from.get_mut("resourceFieldRef"))
        {
            default(field, "divisor", json!("0"));
            if let Some(divisor) = field.get_mut("divisor") {
                by_value(divisor);
            }
        }
    });
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(Value::Object(probe)) = members.get_mut(probe) {
            default_probe(probe);
        }
    }
    for hook in ["postStart", "preStop"] {
        if let Some(action) = members.get_mut("lifecycle").and_then(|lifecycle| lifecycle.get_mut(hook)) {
            default_get(action);
        }
    }
    if let Some(Value::Array(mounts)) = members.get_mut("volumeMounts") {
        mounts.retain(|mount| mount.get("mountPath").and_then(Value::as_str) != Some(TOKEN));
    }
    default_resources(members);
    without_empty(container)
}

fn default_probe(probe: &mut Map<String, Value>) {
    let numbers =
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)];
    for (name, number) in numbers {
        if probe.get(name).and_then(Value::as_i64) == Some(0) {
            probe.remove(name);
        }
        default(probe, name, json!(number));
    }
    if let Some(Value::Object(grpc)) = probe.get_mut("grpc") {
        default(grpc, "service", json!(""));
    }
    if probe.get("initialDelaySeconds").and_then(Value::as_i64) == Some(0) {
        probe.remove("initialDelaySeconds");
    }
    if let Some(Value::Object(get)) = probe.get_mut("httpGet") {
        default(get, "path", json!("/"));
        default(get, "scheme", json!("HTTP"));
    }
}

fn default_get(action: &mut Value) {
    if let Some(Value::Object(get)) = action.get_mut("httpGet") {
        default(get, "path", json!("/"));
        default(get, "scheme", json!("HTTP"));
    }
}

/// Quantities as their values are; a limit without a request is one.
fn default_resources(members: &mut Map<String, Value>) {
    let Some(Value::Object(resources)) = members.get_mut("resources") else { return };
    let limits = resources.get("limits").and_then(Value::as_object).cloned().unwrap_or_default();
    if !limits.is_empty() {
        let requests = resources.entry("requests").or_insert_with(|| json!({}));
        for (name, limit) in limits {
            if let Some(requests) = requests.as_object_mut() {
                default(requests, &name, limit);
            }
        }
    }
    for list in ["limits", "requests"] {
        if let Some(Value::Object(amounts)) = resources.get_mut(list) {
            amounts.values_mut().for_each(by_value);
        }
    }
}

fn by_value(amount: &mut Value) {
    if let Ok(quantity) = Quantity::from_json(amount) {
        *amount = json!(quantity.nanos().to_string());
    }
}

fn default(members: &mut Map<String, Value>, name: &str, value: Value) {
    let is_absent = members.get(name).is_none_or(|value| value.is_null() || value == "");
    if is_absent {
        members.insert(name.to_owned(), value);
    }
}

fn each(members: &mut Map<String, Value>, list: &str, change: impl Fn(&mut Map<String, Value>)) {
    let items = members.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    items.filter_map(Value::as_object_mut).for_each(change);
}

/// Without members that say nothing.
fn without_empty(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().map(|(name, value)| (name, without_empty(value)));
            Value::Object(kept.filter(|(_, value)| !says_nothing(value)).collect())
        }
        Value::Array(items) => items.into_iter().map(without_empty).collect(),
        other => other,
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered() -> Value {
        json!({
            "name": "proxy", "image": "mesh.example/proxy:1", "args": ["run"], "command": null, "ports": [{ "containerPort": 1 }],
            "env": [{ "name": "A", "valueFrom": { "fieldRef": { "fieldPath": "metadata.name" } } }],
            "resources": { "limits": { "cpu": "2", "memory": "1024Mi" }, "requests": { "cpu": "100m" } },
            "readinessProbe": { "httpGet": { "port": 2 }, "periodSeconds": 15 },
            "lifecycle": { "preStop": { "httpGet": { "port": 3 } } }, "securityContext": { "privileged": false }
        })
    }

    #[test]
    fn what_an_api_server_writes_makes_no_difference() {
        let stored = json!({
            "name": "proxy", "image": "mesh.example/proxy:1", "args": ["run"],
            "ports": [{ "containerPort": 1, "protocol": "TCP" }], "imagePullPolicy": "IfNotPresent",
            "env": [{ "name": "A", "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.name" } } }],
            "resources": { "limits": { "cpu": "2000m", "memory": "1Gi" }, "requests": { "cpu": "0.1", "memory": "1Gi" } },
            "readinessProbe": {
                "httpGet": { "port": 2, "path": "/", "scheme": "HTTP" }, "periodSeconds": 15,
                "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3
            },
            "lifecycle": { "preStop": { "httpGet": { "port": 3, "path": "/", "scheme": "HTTP" } } },
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
            "volumeMounts": [{ "name": "kube-api-access", "mountPath": TOKEN, "readOnly": true }],
            "securityContext": { "privileged": false }
        });
        assert!(equal(&rendered(), &stored));
        assert!(equal(&stored, &rendered()));
    }

    #[test]
    fn whatever_else_differs_makes_another_container() {
        let changes = [
            ("/image", json!("mesh.example/proxy:2")),
            ("/image", json!("mesh.example/proxy:1@sha256:aa")),
            ("/args/0", json!("sleep")),
            ("/securityContext/privileged", json!(true)),
            ("/securityContext/privileged", Value::Null),
            ("/resources/limits/cpu", json!("3")),
            ("/readinessProbe/periodSeconds", json!(10)),
            ("/env/0/valueFrom/fieldRef/fieldPath", json!("metadata.namespace")),
            ("/ports/0/containerPort", json!(2)),
        ];
        for (pointer, value) in changes {
            let mut other = rendered();
            *other.pointer_mut(pointer).unwrap() = value.clone();
            assert!(!equal(&rendered(), &other), "{pointer} {value}");
        }
    }
}
