//! Istio's own functions (pkg/kube/inject/template.go).

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::arguments::{any, count, list, map, text, texts};
use super::{ENRICHES, Function};
use crate::mesh::istio::json;
use crate::mesh::template::{Value, plain};
use crate::yaml;

/// The function of that name.
pub(super) fn found(name: &str) -> Option<Function> {
    Some(match name {
        "annotation" => annotation,
        "isset" => |arguments| {
            let [members, key] = any(arguments)?;
            Ok(Value::Bool(map(members)?.contains_key(&*text(key)?)))
        },
        "valueOrDefault" => |arguments| {
            let [value, default] = any(arguments)?;
            let is_missing = matches!(value, Value::Absent | Value::Null)
                || matches!(value, Value::Text(text) if text.is_empty());
            Ok(if is_missing { default.clone() } else { value.clone() })
        },
        "excludeInboundPort" => exclude_inbound_port,
        "includeInboundPorts" => |arguments| container_ports(arguments, false),
        "applicationPorts" => |arguments| container_ports(arguments, true),
        "kubevirtInterfaces" | "excludeInterfaces" => {
            |arguments| Ok(Value::text(&*texts::<1>(arguments)?[0]))
        }
        "contains" => |arguments| {
            let [needle, haystack] = texts(arguments)?;
            Ok(Value::Bool(haystack.contains(&*needle)))
        },
        "indent" => |arguments| {
            let [spaces, block] = any(arguments)?;
            let pad = format!("\n{}", " ".repeat(count(spaces)?));
            Ok(Value::text(text(block)?.replace('\n', &pad)))
        },
        "toYaml" => |arguments| Ok(Value::text(yaml::write(&document(&any::<1>(arguments)?[0])?))),
        "toJSON" | "toJsonMap" => {
            |arguments| merged(arguments).map(|members| Value::text(json::encode(&members)))
        }
        "mergeMaps" => |arguments| strings(&merged(arguments)?),
        "omit" => omit,
        "strdict" => strdict,
        "fromJSON" => |arguments| {
            let [text] = texts(arguments)?;
            Ok(serde_json::from_str(&text).map_or_else(|_| Value::text("{}"), |read| Value::from_json(&read)))
        },
        "structToJSON" | "protoToJSON" => encoded,
        "omitNil" => |arguments| {
            Ok(Value::from_json(&without_nulls(document(&any::<1>(arguments)?[0])?).unwrap_or_default()))
        },
        "otelResourceAttributes" => attributes,
        "directory" => |arguments| {
            let [path] = texts(arguments)?;
            let end = path.rfind('/').map_or(0, |at| at.saturating_add(1));
            Ok(Value::text(path.get(..end).unwrap_or_default()))
        },
        "toLower" => |arguments| Ok(Value::text(texts::<1>(arguments)?[0].to_lowercase())),
        "formatDuration" => |arguments| Ok(any::<1>(arguments)?[0].clone()),
        _ => return None,
    })
}

/// An annotation where there is one, be it empty; else the default, printed.
fn annotation(arguments: &[Value]) -> Result<Value, String> {
    let [metadata, name, default] = any(arguments)?;
    let name = text(name)?;
    let Value::Record(record) = metadata else { return Err("annotation of something else".to_owned()) };
    let found = match record.fields.get("Annotations") {
        Some(Value::Texts(annotations)) => annotations.get(&name),
        _ => None,
    };
    Ok(found.cloned().unwrap_or_else(|| Value::text(plain(default))))
}

fn exclude_inbound_port(arguments: &[Value]) -> Result<Value, String> {
    let [port, ports] = any(arguments)?;
    let (port, ports) = (plain(port), text(ports)?);
    let port = port.trim();
    if matches!(port, "" | "0") || ports.split(',').any(|one| one == port) {
        return Ok(Value::Text(ports));
    }
    let others = ports.split(',').map(str::trim).filter(|one| !one.is_empty());
    Ok(Value::text(others.chain([port]).collect::<Vec<_>>().join(",")))
}

/// The ports of containers, joined by commas; without those of the proxy where `of_others`.
fn container_ports(arguments: &[Value], of_others: bool) -> Result<Value, String> {
    let [containers] = any(arguments)?;
    let mut ports: Vec<String> = Vec::new();
    for container in list(containers)? {
        let Value::Record(container) = container else { continue };
        let is_proxy =
            matches!(container.fields.get("Name"), Some(Value::Text(name)) if &**name == "istio-proxy");
        let Some(Value::List(own)) = container.fields.get("Ports") else { continue };
        for port in own.iter().filter(|_| !(of_others && is_proxy)) {
            let Value::Record(port) = port else { continue };
            let protocol = port.fields.get("Protocol").map(plain).unwrap_or_default();
            let number = port.fields.get("ContainerPort").map(plain).unwrap_or_default();
            if !matches!(protocol.as_str(), "UDP" | "SCTP") {
                ports.push(number);
            }
        }
    }
    Ok(Value::text(ports.join(",")))
}

fn document(value: &Value) -> Result<Json, String> {
    value.to_json().ok_or_else(|| format!("a {} can't be written", value.kind()))
}

fn encoded(arguments: &[Value]) -> Result<Value, String> {
    match &any::<1>(arguments)?[0] {
        Value::Absent | Value::Null => Ok(Value::text("{}")),
        Value::Record(record) if record.is_nil => Ok(Value::text("{}")),
        Value::Record(record) => {
            let text = record.encoded.clone();
            text.map(Value::Text)
                .ok_or_else(|| "only ports and .ProxyConfig can be written as JSON".to_owned())
        }
        other => Ok(Value::text(json::encode(&document(other)?))),
    }
}

fn merged(maps: &[Value]) -> Result<Json, String> {
    let mut members = serde_json::Map::new();
    for one in maps.iter().filter(|one| !matches!(one, Value::Absent | Value::Null)) {
        for (name, value) in map(one)? {
            members.insert(name.to_string(), Json::from(&*text(value)?));
        }
    }
    Ok(Json::Object(members))
}

fn strings(members: &Json) -> Result<Value, String> {
    let members = members.as_object().into_iter().flatten();
    Ok(Value::texts(members.filter_map(|(name, text)| Some((name.as_str(), text.as_str()?)))))
}

fn omit(arguments: &[Value]) -> Result<Value, String> {
    let (members, names) = arguments.split_first().ok_or("wrong number of args: want at least 1")?;
    let names: Vec<Arc<str>> = names.iter().map(text).collect::<Result<_, _>>()?;
    let mut kept = map(members)?.clone();
    kept.retain(|name, _| !names.contains(name));
    Ok(Value::Texts(Arc::new(kept)))
}

fn strdict(arguments: &[Value]) -> Result<Value, String> {
    let texts: Vec<Arc<str>> = arguments.iter().map(text).collect::<Result<_, _>>()?;
    let pairs = texts.chunks(2).filter_map(|pair| match pair {
        [name, value] => Some((&**name, &**value)),
        [name] => Some((&**name, "")),
        _ => None,
    });
    Ok(Value::texts(pairs))
}

/// Without nulls at every depth, and without what became empty by that. None: nothing is left.
fn without_nulls(document: Json) -> Option<Json> {
    match document {
        Json::Null => None,
        Json::Object(members) => {
            let was_empty = members.is_empty();
            let kept: serde_json::Map<_, _> =
                members.into_iter().filter_map(|(name, value)| Some((name, without_nulls(value)?))).collect();
            (was_empty || !kept.is_empty()).then_some(Json::Object(kept))
        }
        Json::Array(items) => {
            let was_empty = items.is_empty();
            let kept: Vec<Json> = items.into_iter().filter_map(without_nulls).collect();
            (was_empty || !kept.is_empty()).then_some(Json::Array(kept))
        }
        other => Some(other),
    }
}

/// The networks of a Pod, and one more, as `namespace/name`, which is the name alone unless it `is_qualified`.
pub(super) fn append_network(existing: &str, network: &str, is_qualified: bool) -> String {
    if existing.is_empty() {
        return network.to_owned();
    }
    let Some(at) = existing.rfind(']') else {
        let is_there = existing.split(',').any(|one| one.trim() == network);
        return if is_there { existing.to_owned() } else { format!("{existing}, {network}") };
    };
    let Ok(networks) = serde_json::from_str::<Vec<serde_json::Map<String, Json>>>(existing) else {
        return existing.to_owned();
    };
    let parts = network.split_once('/').filter(|_| is_qualified);
    let (namespace, name) = parts.unwrap_or(("", network));
    let member =
        |one: &serde_json::Map<String, Json>, member: &str| one.get(member).cloned().unwrap_or(json!(""));
    let is_in = |one| !is_qualified || member(one, "namespace") == namespace;
    if networks.iter().any(|one| member(one, "name") == name && is_in(one)) {
        return existing.to_owned();
    }
    let (before, behind) = existing.split_at_checked(at).unwrap_or((existing, ""));
    let text = |text: &str| json::encode(&Json::from(text));
    match namespace {
        "" => format!("{before}, {{\"name\": {}}}{behind}", text(name)),
        _ => format!("{before}, {{\"name\": {}, \"namespace\": {}}}{behind}", text(name), text(namespace)),
    }
}

/// The resource attributes of OpenTelemetry's conventions, where the mesh asks for them.
fn attributes(arguments: &[Value]) -> Result<Value, String> {
    let [mesh, annotations, labels, namespace, containers] = any(arguments)?;
    let wanted = match mesh {
        Value::Record(record) => matches!(record.fields.get(ENRICHES), Some(Value::Bool(true))),
        _ => false,
    };
    if !wanted {
        return Ok(Value::text(""));
    }
    let member = |members: &Value, name: &str| -> Result<Option<String>, String> {
        Ok(map(members)?.get(name).map(plain).filter(|text| !text.is_empty()))
    };
    let own = |name: &str| member(annotations, &format!("resource.opentelemetry.io/service.{name}"));
    let (namespace, containers) = (text(namespace)?, list(containers)?);
    let of_container = |container: Option<&Value>, field: &str| match container {
        Some(Value::Record(record)) => record.fields.get(field).map(plain).unwrap_or_default(),
        _ => String::new(),
    };
    let version = match own("version")? {
        Some(version) => version,
        None => match (member(labels, "app.kubernetes.io/version")?, containers) {
            (Some(version), _) => version,
            (None, [only]) => image_version(&of_container(Some(only), "Image")),
            (None, _) => String::new(),
        },
    };
    let instance = match (own("instance.id")?, containers.first()) {
        (Some(instance), _) => instance,
        (None, first @ Some(_)) => format!("{namespace}.$(POD_NAME).{}", of_container(first, "Name")),
        (None, None) => String::new(),
    };
    let parts = [
        ("service.namespace", own("namespace")?.unwrap_or_else(|| namespace.to_string())),
        ("service.version", version),
        ("service.instance.id", instance),
    ];
    let parts =
        parts.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("{name}={text}"));
    Ok(Value::text(parts.collect::<Vec<_>>().join(",")))
}

/// The tag, the digest, or both.
fn image_version(image: &str) -> String {
    let (name, digest) = image.split_once('@').unwrap_or((image, ""));
    let last = name.rsplit('/').next().unwrap_or_default();
    let tag = last.rsplit_once(':').map(|(_, tag)| tag).unwrap_or_default();
    let is_both = !tag.is_empty() && !digest.is_empty();
    if is_both { format!("{tag}@{digest}") } else { format!("{tag}{digest}") }
}
