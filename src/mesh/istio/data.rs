//! What a template reads: `.ObjectMeta`, `.Spec` and the rest.

mod fields;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::json;
use crate::mesh::template::{Record, Value};
use fields::{CONTAINER_PORT, Field, Kind, METADATA, SPEC, go_name};

/// A Pod's `.ObjectMeta`.
pub(super) fn metadata(pod: &Json) -> Value {
    object(METADATA, pod.get("metadata").and_then(Json::as_object).unwrap_or(&Map::new()))
}

/// A Pod's `.Spec`.
pub(super) fn spec(pod: &Json) -> Value {
    object(SPEC, pod.get("spec").and_then(Json::as_object).unwrap_or(&Map::new()))
}

/// `.DeploymentMeta`.
pub(super) fn named(name: &str, namespace: &str) -> Value {
    let members = json!({ "name": name, "namespace": namespace });
    object(METADATA, members.as_object().unwrap_or(&Map::new()))
}

fn object(fields: &'static [Field], members: &Map<String, Json>) -> Value {
    let mut seen: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for Field { name, kind } in fields {
        seen.insert(Arc::from(go_name(name)), typed(kind, members.get(*name)));
    }
    let encoded = std::ptr::eq(fields, CONTAINER_PORT).then(|| Arc::from(port(members)));
    let document = Some(Json::Object(members.clone()));
    Value::Record(Arc::new(Record { fields: seen, encoded, document, is_nil: false }))
}

fn typed(kind: &Kind, value: Option<&Json>) -> Value {
    match kind {
        Kind::Text => Value::text(value.and_then(Json::as_str).unwrap_or_default()),
        Kind::Bool => Value::Bool(value.and_then(Json::as_bool).unwrap_or_default()),
        Kind::Integer => Value::Int(value.and_then(Json::as_i64).unwrap_or_default()),
        Kind::Texts => {
            let members = value.and_then(Json::as_object).into_iter().flatten();
            Value::texts(members.filter_map(|(name, text)| Some((name.as_str(), text.as_str()?))))
        }
        Kind::List(fields) => {
            let items = value.and_then(Json::as_array).into_iter().flatten();
            let empty = Map::new();
            Value::list(items.map(|item| object(fields, item.as_object().unwrap_or(&empty))))
        }
        Kind::Any => value.map_or(Value::Absent, generic),
    }
}

/// What no template is known to read: under the names of Go, without the fields that are absent.
fn generic(value: &Json) -> Value {
    match value {
        Json::Object(members) => {
            let fields =
                members.iter().map(|(name, value)| (Arc::from(go_name(name)), generic(value))).collect();
            Value::Record(Arc::new(Record { fields, document: Some(value.clone()), ..Record::default() }))
        }
        Json::Array(items) => Value::list(items.iter().map(generic)),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::from_json(value), Value::Int),
        other => Value::from_json(other),
    }
}

/// A port as Go's encoder writes it.
fn port(members: &Map<String, Json>) -> String {
    let written =
        ["name", "hostPort", "containerPort", "protocol", "hostIP"].into_iter().filter_map(|name| {
            let zero = json!(0);
            let value = members.get(name).filter(|value| !value.is_null());
            let value = if name == "containerPort" { value.or(Some(&zero)) } else { value };
            let value = value.filter(|value| {
                name == "containerPort" || !matches!(value.as_i64(), Some(0)) && **value != ""
            })?;
            Some((name, json::encode(value)))
        });
    json::object(written)
}
