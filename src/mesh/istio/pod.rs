//! Places of a Pod that the steps of an injection read and write.

use serde_json::{Map, Value, json};

/// The sidecar's name.
pub(super) const PROXY: &str = "istio-proxy";
/// The init container that sets up the redirection.
pub(super) const INIT: &str = "istio-init";
/// The init container that checks it, where a CNI plugin sets it up.
pub(super) const VALIDATION: &str = "istio-validation";

/// What an injection did.
pub(super) const STATUS: &str = "sidecar.istio.io/status";
/// What a user's own containers said of the sidecar.
pub(super) const OVERRIDES: &str = "proxy.istio.io/overrides";
/// A Pod's own configuration of its proxy.
pub(super) const CONFIG: &str = "proxy.istio.io/config";

/// The containers of a list; none where there is no such list.
pub(super) fn containers<'a>(pod: &'a Value, list: &str) -> &'a [Value] {
    let found = pod.get("spec").and_then(|spec| spec.get(list)).and_then(Value::as_array);
    found.map(Vec::as_slice).unwrap_or_default()
}

/// The list itself, made where it is missing.
pub(super) fn containers_mut<'a>(pod: &'a mut Value, list: &str) -> Option<&'a mut Vec<Value>> {
    let list = object(object_of(pod)?, "spec")?.entry(list).or_insert_with(|| json!([]));
    if list.is_null() {
        *list = json!([]);
    }
    list.as_array_mut()
}

fn object_of(value: &mut Value) -> Option<&mut Map<String, Value>> {
    value.as_object_mut()
}

fn object<'a>(members: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    let member = members.entry(name).or_insert_with(|| json!({}));
    if member.is_null() {
        *member = json!({});
    }
    member.as_object_mut()
}

/// A container's name.
pub(super) fn name(container: &Value) -> &str {
    container.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// The container of that name in a list.
pub(super) fn find<'a>(pod: &'a Value, list: &str, wanted: &str) -> Option<&'a Value> {
    containers(pod, list).iter().find(|container| name(container) == wanted)
}

/// The same, to be changed.
pub(super) fn find_mut<'a>(pod: &'a mut Value, list: &str, wanted: &str) -> Option<&'a mut Value> {
    let found = pod.get_mut("spec")?.get_mut(list)?.as_array_mut()?;
    found.iter_mut().find(|container| name(container) == wanted)
}

/// The sidecar: among the containers, else among the init containers.
pub(super) fn proxy_mut(pod: &mut Value) -> Option<&mut Value> {
    let list = if find(pod, "containers", PROXY).is_some() { "containers" } else { "initContainers" };
    find_mut(pod, list, PROXY)
}

/// A text of `metadata.annotations` or `metadata.labels`.
pub(super) fn text<'a>(pod: &'a Value, map: &str, name: &str) -> Option<&'a str> {
    pod.get("metadata")?.get(map)?.get(name)?.as_str()
}

/// An annotation.
pub(super) fn annotation<'a>(pod: &'a Value, name: &str) -> Option<&'a str> {
    text(pod, "annotations", name)
}

/// The annotations or labels, made where they are missing.
pub(super) fn texts_mut<'a>(pod: &'a mut Value, map: &str) -> Option<&'a mut Map<String, Value>> {
    object(object(object_of(pod)?, "metadata")?, map)
}

/// Sets an annotation.
pub(super) fn annotate(pod: &mut Value, name: &str, text: String) {
    if let Some(annotations) = texts_mut(pod, "annotations") {
        annotations.insert(name.to_owned(), Value::from(text));
    }
}

/// All annotations or labels that are texts.
pub(super) fn texts<'a>(pod: &'a Value, map: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let found = pod.get("metadata").and_then(|metadata| metadata.get(map)).and_then(Value::as_object);
    found.into_iter().flatten().filter_map(|(name, text)| Some((name.as_str(), text.as_str()?)))
}

/// Appends a variable to a container.
pub(super) fn add_env(container: &mut Value, name: &str, value: &str) {
    let Some(members) = container.as_object_mut() else { return };
    let env = members.entry("env").or_insert_with(|| json!([]));
    if env.is_null() {
        *env = json!([]);
    }
    if let Some(env) = env.as_array_mut() {
        env.push(json!({ "name": name, "value": value }));
    }
}

/// A bool, as Go's `strconv.ParseBool` reads it.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}
