//! The rows of the data, as requests with what the world knows.

use std::path::{Path, PathBuf};

use meshgate::context::{Fact, pods};
use serde_json::{Map, Value, json};

/// What stands for an object that can't be decoded: a text where the spec should be. We say why in words of our own.
const UNDECODED: &str = "spec is not an object";

/// A request, under which parameters it is asked, what is known, and the reference's response.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) parameters: Value,
    pub(crate) request: Value,
    pub(crate) namespace: Fact,
    pub(crate) pods: Fact,
    pub(crate) response: Value,
}

/// The lines of a file of the data, as JSON; none without the data, which CI does not accept.
pub(crate) fn lines(name: &str) -> Option<Vec<Value>> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let directory = std::env::var_os("MESHGATE_CONFORMANCE").map_or_else(beside, PathBuf::from);
    let path = directory.join("pss/unit").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("CI").is_none(), "no {}; set MESHGATE_CONFORMANCE", path.display());
        println!("left out: no {}; set MESHGATE_CONFORMANCE", path.display());
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// A request about a Pod, a workload, or something that is neither.
pub(crate) fn of_object(row: &Value) -> Row {
    let (name, kind) = (text(row, "name"), &row["kind"]);
    let namespace = text(row, "namespace");
    // Objects of these rows are of another kind than the request says; all others of that.
    let typed = |end: &str, object: &Value| match object.as_object() {
        Some(members) if !name.ends_with(end) => of_kind(members, kind),
        _ => object.clone(),
    };
    let undecoded = |error: &str| of_kind(json!({ "spec": text(row, error) }).as_object().unwrap(), kind);
    let object = match row["objectDecodeError"].is_null() {
        true => typed("invalid object", &row["object"]),
        false => undecoded("objectDecodeError"),
    };
    let old = match row["oldObjectDecodeError"].is_null() {
        true => typed("invalid old object", &row["oldObject"]),
        false => undecoded("oldObjectDecodeError"),
    };
    // An API server sends the old object with every UPDATE; the first of these rows does not get that far.
    let is_without = old.is_null() && row["operation"] == "UPDATE";
    let request = json!({
        "uid": "7", "operation": row["operation"], "namespace": namespace,
        "name": row["objName"].as_str().unwrap_or("p"),
        "kind": { "group": kind["Group"], "version": kind["Version"], "kind": kind["Kind"] },
        "resource": { "group": row["resource"]["Group"], "version": kind["Version"], "resource": row["resource"]["Resource"] },
        "subResource": row["subresource"], "userInfo": { "username": row["username"] },
        "object": object, "oldObject": if is_without { json!({}) } else { old },
    });
    let labels = if row["namespaceLabels"].is_null() { json!({}) } else { row["namespaceLabels"].clone() };
    let known = match row["namespaceMissing"] == json!(true) {
        true => Fact::Unknown(format!("namespaces \"{namespace}\" not found")),
        false => Fact::Known(json!({ "name": namespace, "labels": labels, "annotations": {} })),
    };
    let response = ["objectDecodeError", "oldObjectDecodeError"].into_iter().fold(
        row["response"].to_string(),
        |response, error| match row[error].as_str() {
            Some(error) => response.replace(error, UNDECODED),
            None => response,
        },
    );
    Row {
        name,
        parameters: parameters(&row["defaults"], &row["exemptions"], 3_000),
        request,
        namespace: known,
        pods: Fact::Known(pods(&[])),
        response: serde_json::from_str(&response).unwrap(),
    }
}

/// A request about a Namespace. `name` is its name.
pub(crate) fn of_namespace(row: &Value, name: &str) -> Row {
    let number = |member: &str| row[member].as_u64().unwrap_or_default();
    let found = if number("delayListMs") > number("podCheckTimeoutMs") {
        Fact::Unknown("the list took too long".to_owned())
    } else {
        Fact::Known(pods(&listed(&row["pods"])))
    };
    // Where the reference ran out of time, it had looked at so many Pods.
    let in_time = match number("delayEvaluateMs") {
        0 => u64::MAX,
        delay => number("podCheckTimeoutMs").div_ceil(delay),
    };
    let most = row["maxPodsToCheck"].as_u64().unwrap_or(3_000).min(in_time);
    let exemptions =
        json!({ "namespaces": row["exemptNamespaces"], "runtimeClasses": row["exemptRuntimeClasses"] });
    let object = |labels: &Value| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } });
    let is_update = row["operation"] == "UPDATE";
    let request = json!({
        "uid": "7", "operation": row["operation"], "name": name, "namespace": name,
        "kind": { "group": "", "version": "v1", "kind": "Namespace" },
        "resource": { "group": "", "version": "v1", "resource": "namespaces" },
        "subResource": row["subresource"].as_str().unwrap_or_default(), "userInfo": { "username": "u" },
        "object": object(&row["newLabels"]),
        "oldObject": if is_update { object(&row["oldLabels"]) } else { Value::Null },
    });
    Row {
        name: text(row, "name"),
        parameters: parameters(&row["defaultPolicy"], &exemptions, most),
        request,
        namespace: Fact::Unknown("a Namespace is in none".to_owned()),
        pods: found,
        response: row["response"].clone(),
    }
}

/// A Namespace that is made with those labels and is exempt.
pub(crate) fn of_exempt_namespace(row: &Value) -> Row {
    let name = text(row, "name");
    let mut response = json!({ "uid": "", "allowed": true });
    if row["warning"] != "" {
        response["warnings"] = json!([row["warning"]]);
    }
    let asked = json!({
        "name": name, "operation": "CREATE", "newLabels": row["labels"], "defaultPolicy": row["default"],
        "exemptNamespaces": [name], "pods": [], "response": response,
    });
    of_namespace(&asked, &name)
}

/// Pods of rows with an evaluator that only reads an annotation, which is here one that the fact `pods` tells.
fn listed(pods: &Value) -> Vec<Value> {
    let renamed = |pod: &Value| {
        let mut pod = pod.clone();
        if let Some(annotations) = pod["metadata"]["annotations"].as_object_mut()
            && let Some(error) = annotations.remove("error")
        {
            annotations.insert("container.apparmor.security.beta.kubernetes.io/error".to_owned(), error);
        }
        pod
    };
    pods.as_array().into_iter().flatten().map(renamed).collect()
}

fn parameters(defaults: &Value, exemptions: &Value, most: u64) -> Value {
    let mut written = Map::new();
    for (mode, text) in defaults.as_object().into_iter().flatten() {
        let (level, version) = text.as_str().unwrap().split_once(':').unwrap();
        // A mode that a row leaves out has neither, which no configuration can say; privileged is as good.
        let mode_of = |level: &str, version: &str| [json!(level), json!(version)];
        let [level, version] =
            if level.is_empty() { mode_of("privileged", "latest") } else { mode_of(level, version) };
        written.insert(mode.clone(), level);
        written.insert(format!("{mode}-version"), version);
    }
    let exemptions: Map<String, Value> = exemptions
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, names)| !names.is_null())
        .map(|(name, names)| (name.clone(), names.clone()))
        .collect();
    json!({ "defaults": written, "exemptions": exemptions, "existingPods": most })
}

fn of_kind(members: &Map<String, Value>, kind: &Value) -> Value {
    let (group, version) = (text(kind, "Group"), text(kind, "Version"));
    let api_version = if group.is_empty() { version } else { format!("{group}/{version}") };
    let mut object = members.clone();
    object.entry("apiVersion").or_insert(json!(api_version));
    object.entry("kind").or_insert(kind["Kind"].clone());
    Value::Object(object)
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no text {member} in {value}")).to_owned()
}
