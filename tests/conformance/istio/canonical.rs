//! Manifests as they are compared: what a typed round trip leaves behind, or leaves out, does not count.

use meshgate::kubernetes::quantity::Quantity;
use serde_json::{Map, Value, json};

/// Variables that are compared byte for byte.
const VERBATIM: [&str; 4] =
    ["PROXY_CONFIG", "ISTIO_META_POD_PORTS", "ISTIO_KUBE_APP_PROBERS", "ISTIO_PROMETHEUS_ANNOTATIONS"];

const STATUS: &str = "sidecar.istio.io/status";

/// The texts of a document that are compared byte for byte, in their order.
pub(super) fn verbatim(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(document, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            if members.get("name").and_then(Value::as_str).is_some_and(|name| VERBATIM.contains(&name)) {
                found.push(format!("{}={}", members["name"], members.get("value").unwrap_or(&Value::Null)));
            }
            found.extend(members.get(STATUS).map(Value::to_string));
            members.values().for_each(|member| collect(member, found));
        }
        _ => {}
    }
}

/// The document without what does not count.
pub(super) fn canonical(document: &Value) -> Value {
    let mut document = document.clone();
    if document["kind"] == "List" {
        let items = document["items"].as_array().unwrap().iter().map(canonical).collect();
        document["items"] = Value::Array(items);
    } else if document.get("spec").and_then(|spec| spec.get("template")).is_some() {
        let members = document.as_object_mut().unwrap();
        members.remove("status");
        let spec = members["spec"].as_object_mut().unwrap();
        let zero = |value: &Value| *value == json!(0) || *value == json!(false) || *value == json!({});
        for name in ["strategy", "minReadySeconds", "paused", "updateStrategy", "test"] {
            if spec.get(name).is_some_and(zero) {
                spec.remove(name);
            }
        }
    } else if let Some(members) = document.as_object_mut() {
        members.remove("status");
    }
    let mut value = shrunk("", &document).unwrap_or(Value::Null);
    if let Some(members) = value.as_object_mut() {
        members.entry("metadata").or_insert_with(|| json!({}));
    }
    value
}

/// A value without what is null, empty or zero by a round trip; None where nothing is left.
fn shrunk(name: &str, value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(members) => {
            let mut kept = Map::new();
            for (member, value) in members {
                kept.extend(shrunk_member(name, member, value).map(|value| (member.clone(), value)));
            }
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let kept: Vec<Value> = items.iter().map(|item| shrunk("", item).unwrap_or(Value::Null)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => Some(value.clone()),
    }
}

fn shrunk_member(of: &str, member: &str, value: &Value) -> Option<Value> {
    let is_dropped = match member {
        "initialDelaySeconds"
        | "timeoutSeconds"
        | "periodSeconds"
        | "successThreshold"
        | "failureThreshold"
        | "hostPort" => *value == json!(0),
        "hostNetwork" | "hostPID" | "hostIPC" | "stdin" | "tty" | "readOnly" => *value == json!(false),
        "serviceName" => *value == "",
        "divisor" => *value == "0" || *value == json!(0),
        "service" => of == "grpc" && *value == "",
        "value" => *value == "",
        _ => false,
    };
    if is_dropped {
        return None;
    }
    match (of, member, value) {
        (_, "proxy.istio.io/overrides", Value::String(text)) => {
            serde_json::from_str(text).ok().and_then(|read| shrunk("", &read))
        }
        ("limits" | "requests", ..) | (_, "divisor", _) => Some(
            Quantity::from_json(value)
                .map_or_else(|_| value.clone(), |amount| json!(amount.nanos().to_string())),
        ),
        _ => shrunk(member, value),
    }
}

/// The first place in which two values differ, with what each has there.
pub(super) fn difference(ours: &Value, theirs: &Value, path: &str) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            names.into_iter().find_map(|name| {
                let member = |members: &Map<String, Value>| members.get(name).cloned().unwrap_or(Value::Null);
                difference(&member(one), &member(other), &format!("{path}/{name}"))
            })
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(index, (one, other))| difference(one, other, &format!("{path}/{index}")))
        }
        _ if ours == theirs => None,
        _ => Some(format!("{path}: ours {ours}, theirs {theirs}")),
    }
}
