//! Probes and hooks of the application, led through the proxy's agent, which can reach the application where mutual TLS is
//! asked of everybody else.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::json;
use super::pod::{self, PROXY};
use super::version::Version;

const ENV: &str = "ISTIO_KUBE_APP_PROBERS";
const PROBES: [(&str, &str); 3] =
    [("readinessProbe", "readyz"), ("livenessProbe", "livez"), ("startupProbe", "startupz")];
const HOOKS: [(&str, &str); 2] = [("preStop", "prestopz"), ("postStart", "poststartz")];

/// Rewrites them, where there is a proxy. `default_port`: the agent's port by the mesh's configuration. Hooks are led
/// through the agent since 1.25.
pub(super) fn rewrite(merged: &mut Value, default_port: u64, version: Version) {
    let hooks = if version.since(25) { &HOOKS[..] } else { &[] };
    let found = collect(merged, default_port, hooks);
    let again = pod::annotation(merged, pod::STATUS).is_some();
    let Some(proxy) = pod::proxy_mut(merged) else { return };
    if !found.is_empty() {
        write(proxy, found, again, version);
    }
    // Istio lets blanks around the number pass and reads 0 then.
    let own = pod::annotation(merged, "status.sidecar.istio.io/port").map(|port| port.parse().unwrap_or(0));
    let port = own.unwrap_or(default_port);
    for list in ["initContainers", "containers"] {
        let containers =
            merged.get_mut("spec").and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut);
        let others = containers.into_iter().flatten().filter(|container| pod::name(container) != PROXY);
        for container in others {
            redirect(container, port, hooks);
        }
    }
}

/// Puts the application's own probes and hooks back, as the proxy was told of them.
pub(super) fn restore(injected: &mut Value) {
    let env =
        pod::proxy_mut(injected).and_then(|proxy| proxy.get("env")?.as_array().cloned()).unwrap_or_default();
    let told = env.iter().find(|one| pod::name(one) == ENV).and_then(|one| one.get("value")?.as_str());
    let told: Map<String, Value> = told.and_then(|told| serde_json::from_str(told).ok()).unwrap_or_default();
    for list in ["initContainers", "containers"] {
        let containers =
            injected.get_mut("spec").and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let name = pod::name(container).to_owned();
            for (field, word) in PROBES {
                let path = format!("/app-health/{name}/{word}");
                put_back(container.get_mut(field), &path, &told);
            }
            for (field, word) in HOOKS {
                let path = format!("/app-lifecycle/{name}/{word}");
                put_back(container.get_mut("lifecycle").and_then(|all| all.get_mut(field)), &path, &told);
            }
        }
    }
}

/// An action that leads to the agent by that path becomes what the proxy was told of it.
fn put_back(action: Option<&mut Value>, path: &str, told: &Map<String, Value>) {
    let is_led = |action: &&mut Value| action.pointer("/httpGet/path").and_then(Value::as_str) == Some(path);
    let Some(members) = action.filter(is_led).and_then(Value::as_object_mut) else { return };
    let Some(own) = told.get(path).and_then(Value::as_object) else { return };
    members.remove("httpGet");
    for name in ["httpGet", "tcpSocket", "grpc"] {
        members.extend(own.get(name).map(|action| (name.to_owned(), action.clone())));
    }
}

fn collect(merged: &Value, default_port: u64, hooks: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let all = ["initContainers", "containers"].into_iter().flat_map(|list| pod::containers(merged, list));
    for container in all.filter(|container| pod::name(container) != PROXY) {
        let name = pod::name(container);
        for (field, word) in PROBES {
            let action = container.get(field).filter(|probe| probe.is_object());
            let text = action.and_then(|action| of_action(action, container, default_port, true));
            found.extend(text.map(|text| (format!("/app-health/{name}/{word}"), text)));
        }
        for (field, word) in hooks {
            let action = container.get("lifecycle").and_then(|lifecycle| lifecycle.get(field));
            let text = action.and_then(|action| of_action(action, container, default_port, false));
            found.extend(text.map(|text| (format!("/app-lifecycle/{name}/{word}"), text)));
        }
    }
    found
}

fn present<'a>(action: &'a Value, name: &str) -> Option<&'a Map<String, Value>> {
    action.get(name).and_then(Value::as_object)
}

/// What the agent needs to know of a probe or hook. None: nothing to lead through it.
fn of_action(action: &Value, container: &Value, default_port: u64, is_probe: bool) -> Option<String> {
    let encoded = |value: &Value| json::encode(value);
    let mut members = Vec::new();
    if let Some(get) = present(action, "httpGet") {
        let port = port(get, container, default_port)?;
        let mut inner = Vec::new();
        for name in ["path", "port", "host", "scheme", "httpHeaders"] {
            match get.get(name) {
                _ if name == "port" => inner.push((name, encoded(&port))),
                Some(Value::Array(headers)) if !headers.is_empty() => inner.push((name, of_headers(headers))),
                Some(Value::String(text)) if !text.is_empty() => inner.push((name, encoded(&json!(text)))),
                _ => {}
            }
        }
        members.push(("httpGet", json::object(inner)));
    } else if let Some(socket) = present(action, "tcpSocket") {
        let mut inner = vec![("port", encoded(&port(socket, container, default_port)?))];
        let host = socket.get("host").filter(|host| host.as_str().is_some_and(|host| !host.is_empty()));
        inner.extend(host.map(|host| ("host", encoded(host))));
        members.push(("tcpSocket", json::object(inner)));
    } else if let Some(grpc) = present(action, "grpc").filter(|_| is_probe) {
        let member = |name: &str, default: Value| encoded(grpc.get(name).unwrap_or(&default));
        let inner = [("port", member("port", json!(0))), ("service", member("service", Value::Null))];
        members.push(("grpc", json::object(inner)));
    } else {
        return None;
    }
    let timeout = action.get("timeoutSeconds").filter(|timeout| is_probe && timeout.as_i64() != Some(0));
    members.extend(
        timeout.filter(|timeout| !timeout.is_null()).map(|timeout| ("timeoutSeconds", encoded(timeout))),
    );
    Some(json::object(members))
}

fn of_headers(headers: &[Value]) -> String {
    let member = |header: &Value, name: &str| json::encode(header.get(name).unwrap_or(&json!("")));
    let header = |one: &Value| json::object([("name", member(one, "name")), ("value", member(one, "value"))]);
    format!("[{}]", headers.iter().map(header).collect::<Vec<_>>().join(","))
}

/// The number of an action's port. None: the agent's own, because the action was led through it before, or a name that no
/// port of the container has.
fn port(action: &Map<String, Value>, container: &Value, default_port: u64) -> Option<Value> {
    match action.get("port") {
        Some(Value::String(name)) => {
            let ports = container.get("ports").and_then(Value::as_array)?;
            ports
                .iter()
                .rfind(|port| !name.is_empty() && pod::name(port) == name)?
                .get("containerPort")
                .cloned()
        }
        Some(number) if number.as_u64() == Some(default_port) => None,
        Some(number) if number.is_number() => Some(number.clone()),
        _ => Some(json!(0)),
    }
}

fn write(proxy: &mut Value, mut found: BTreeMap<String, String>, again: bool, version: Version) {
    let env = proxy.get_mut("env").and_then(Value::as_array_mut);
    let known = env.into_iter().flatten().find(|one| pod::name(one) == ENV).filter(|_| again);
    let text = |found: BTreeMap<String, String>| {
        json::object(found.iter().map(|(name, text)| (name.as_str(), text.clone())))
    };
    match known {
        // Until 1.26 a Pod that was injected before and has no such variable gets none.
        None if again && !version.since(27) => {}
        None => pod::add_env(proxy, ENV, &text(found)),
        Some(known) => {
            let value = known.get("value").and_then(Value::as_str).unwrap_or_default();
            let Ok(Value::Object(earlier)) = serde_json::from_str(value) else { return };
            found.extend(earlier.iter().map(|(name, prober)| (name.clone(), prober_text(prober))));
            if let Some(members) = known.as_object_mut() {
                members.insert("value".to_owned(), Value::from(text(found)));
            }
        }
    }
}

/// A prober that an earlier injection wrote, in the order of its fields.
fn prober_text(prober: &Value) -> String {
    let container = json!({});
    match of_action(prober, &container, u64::MAX, true) {
        Some(text) => text,
        None => json::encode(prober),
    }
}

fn redirect(container: &mut Value, port: u64, hooks: &[(&str, &str)]) {
    let name = pod::name(container).to_owned();
    for (field, word) in PROBES {
        if let Some(action) = container.get_mut(field) {
            to_agent(action, &format!("/app-health/{name}/{word}"), port, true);
        }
    }
    for (field, word) in hooks {
        if let Some(action) = container.get_mut("lifecycle").and_then(|lifecycle| lifecycle.get_mut(field)) {
            to_agent(action, &format!("/app-lifecycle/{name}/{word}"), port, false);
        }
    }
}

fn to_agent(action: &mut Value, path: &str, port: u64, is_probe: bool) {
    // Of several, which an API server refuses, the first.
    let handlers = if is_probe { &["httpGet", "tcpSocket", "grpc"][..] } else { &["httpGet", "tcpSocket"] };
    let Some(first) = handlers.iter().find(|name| present(action, name).is_some()) else { return };
    let Some(members) = action.as_object_mut() else { return };
    let own = members.remove(*first).filter(|_| *first == "httpGet");
    let mut get = own.and_then(|get| get.as_object().cloned()).unwrap_or_default();
    get.insert("path".to_owned(), json!(path));
    get.insert("port".to_owned(), json!(port));
    if get.get("scheme") == Some(&json!("HTTPS")) {
        get.insert("scheme".to_owned(), json!("HTTP"));
    }
    members.insert("httpGet".to_owned(), Value::Object(get));
}
