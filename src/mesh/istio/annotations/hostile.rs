//! A template is a text: a value with a line break, a quote or `: ` in it could change the structure of what is rendered.
//! Every text of a Pod that a template can put somewhere has the form that it is meant to have, or nothing is rendered.
//! An API server looks at some of these texts, too, but after it has called webhooks.

use serde_json::{Map, Value};

use super::grammar::{has_control, is_quotable, of};
use crate::mesh::istio::pod;

/// Checks annotations, labels, names, owners and ports.
///
/// # Errors
/// All texts that are not what they should be, each with what it should be.
pub(in crate::mesh::istio) fn check(pod: &Value) -> Result<(), String> {
    let mut faults = Vec::new();
    for (name, text) in pod::texts(pod, "annotations") {
        if let Some(wanted) = annotation(name, text) {
            faults.push(format!("annotation '{name}' is not {wanted}"));
        }
    }
    for (name, text) in pod::texts(pod, "labels") {
        if text.len() > 63 || !of(text, "_.-") {
            faults.push(format!("label '{name}' is not letters, digits and _.-, at most 63"));
        }
    }
    names(pod, &mut faults);
    if faults.is_empty() {
        Ok(())
    } else {
        Err(format!("{}; nothing is rendered with it", faults.join("; ")))
    }
}

/// What an annotation should be and is not.
fn annotation(name: &str, text: &str) -> Option<&'static str> {
    let unless = |fits: bool, wanted: &'static str| if fits { None } else { Some(wanted) };
    match name {
        "sidecar.istio.io/logLevel"
        | "sidecar.istio.io/componentLogLevel"
        | "sidecar.istio.io/agentLogLevel" => {
            unless(of(text, "_.:,-"), "log levels: letters, digits and _.:,-")
        }
        "sidecar.istio.io/proxyImage" => {
            unless(of(text, "_.:/@-"), "an image reference: letters, digits and _.:/@-")
        }
        "sidecar.istio.io/proxyImageType" => unless(of(text, "_.-"), "letters, digits and _.-"),
        "sidecar.istio.io/bootstrapOverride" => {
            let is_name = text.split('.').all(|part| !part.is_empty() && of(part, "-"));
            unless(is_name && text.len() <= 253, "the name of a ConfigMap")
        }
        "traffic.sidecar.istio.io/includeOutboundPorts" => {
            unless(text == "*" || of(text, "-, "), "* or a list of ports")
        }
        "sidecar.istio.io/userVolume" | "sidecar.istio.io/userVolumeMount" => {
            let keys = object(text).map(|members| members.keys().all(|key| of(key, "_.-")));
            unless(keys == Some(true), "a JSON object by names of letters, digits and _.-")
        }
        "apm.datadoghq.com/env" => unless(
            object(text).is_some_and(|members| variables(&members)),
            "a JSON object of plain variables",
        ),
        pod::OVERRIDES | pod::STATUS => unless(object(text).is_some(), "a JSON object"),
        "k8s.v1.cni.cncf.io/networks" => {
            let is_list =
                !text.trim_start().starts_with('[') || serde_json::from_str::<Vec<Value>>(text).is_ok();
            unless(is_list && !text.contains('\''), "names of networks, or a JSON list, without '")
        }
        pod::CONFIG => {
            let config = crate::yaml::read_last_wins(text).ok();
            unless(config.is_some_and(|config| configuration(&config)), "a plain ProxyConfig")
        }
        _ if name.starts_with("resource.opentelemetry.io/") => unless(
            is_quotable(text) && !text.contains(','),
            "a text without control characters, quotes, \\ and commas",
        ),
        _ if is_istio(name) => unless(!has_control(text), "a text without control characters"),
        _ => None,
    }
}

fn is_istio(name: &str) -> bool {
    let domain = name.split('/').next().unwrap_or_default();
    domain == "istio.io" || domain.ends_with(".istio.io")
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// Names and values that stand for themselves in a list of variables.
fn variables(members: &Map<String, Value>) -> bool {
    members.iter().all(|(name, value)| {
        let is_name =
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && of(name, "_.-");
        let is_value = match value {
            Value::String(text) => is_quotable(text),
            Value::Array(_) | Value::Object(_) => false,
            _ => true,
        };
        is_name && is_value
    })
}

/// Whether nothing in a proxy's own configuration is more than a text.
fn configuration(config: &Value) -> bool {
    let metadata = ["proxyMetadata", "proxy_metadata"].into_iter().filter_map(|name| config.get(name));
    let are_variables = metadata.clone().all(|metadata| match metadata {
        Value::Object(members) => variables(members),
        other => other.is_null(),
    });
    let image =
        ["imageType", "image_type"].into_iter().filter_map(|name| config.get("image")?.get(name)?.as_str());
    are_variables && image.clone().all(|kind| of(kind, "_.-")) && is_plain(config)
}

/// No control character anywhere, and no path that is more than one.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::String(text) => !has_control(text),
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(members) => members.iter().all(|(name, value)| {
            let is_path = matches!(name.as_str(), "caCertificates" | "ca_certificates");
            let fits = value.as_str().is_none_or(|text| !is_path || of(text, "_./-"));
            !has_control(name) && fits && is_plain(value)
        }),
        _ => true,
    }
}

/// Names that templates put somewhere.
fn names(pod: &Value, faults: &mut Vec<String>) {
    let mut check = |place: &str, text: Option<&Value>, others: &str| {
        let fits = match text {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => of(text, others),
            Some(_) => false,
        };
        if !fits {
            faults.push(format!("{place} has other characters than letters, digits and {others}"));
        }
    };
    for name in ["name", "generateName", "namespace"] {
        check(&format!("metadata.{name}"), pod.pointer(&format!("/metadata/{name}")), ".-");
    }
    check("spec.serviceAccountName", pod.pointer("/spec/serviceAccountName"), ".-");
    let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array).into_iter().flatten();
    for owner in owners {
        for (name, others) in [("apiVersion", "./-"), ("kind", ".-"), ("name", ".:-")] {
            check(&format!("metadata.ownerReferences.{name}"), owner.get(name), others);
        }
    }
    for list in ["initContainers", "containers"] {
        for container in pod::containers(pod, list) {
            check(&format!("spec.{list}.name"), container.get("name"), "-");
            for port in container.get("ports").and_then(Value::as_array).into_iter().flatten() {
                for (name, others) in [("name", "-"), ("protocol", ""), ("hostIP", ".:")] {
                    check(&format!("spec.{list}.ports.{name}"), port.get(name), others);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Attempts to be more than a text: each would change what the template of Istio gives, or has a form of its own.
    const ATTEMPTS: [(&str, &str); 21] = [
        ("sidecar.istio.io/logLevel", "debug\n    securityContext: {privileged: true}"),
        ("sidecar.istio.io/componentLogLevel", "a: b"),
        ("sidecar.istio.io/agentLogLevel", "x\"\n    - \"--evil"),
        ("sidecar.istio.io/proxyImage", "evil/proxy\"\n    command: [\"sh\"]\n    #"),
        ("sidecar.istio.io/proxyImageType", "x\" #"),
        ("sidecar.istio.io/bootstrapOverride", "a\n      optional: true"),
        ("traffic.sidecar.istio.io/includeOutboundPorts", "80\"\n    - \"-x"),
        ("sidecar.istio.io/userVolume", "{\"a\\\"\\n  hostPath: {path: /}\": {}}"),
        ("sidecar.istio.io/userVolumeMount", "[1"),
        ("apm.datadoghq.com/env", "{\"A: b\": \"c\"}"),
        ("apm.datadoghq.com/env", "{\"A\": \"c\\\"\\n    - name: B\"}"),
        ("proxy.istio.io/overrides", "[]"),
        ("sidecar.istio.io/status", "none"),
        ("k8s.v1.cni.cncf.io/networks", "a', evil: 'b"),
        ("k8s.v1.cni.cncf.io/networks", "[{"),
        ("proxy.istio.io/config", "proxyMetadata: {\"A\\nB\": c}"),
        ("proxy.istio.io/config", "proxyMetadata: {A: \"c\\\"\"}"),
        ("proxy.istio.io/config", "image: {imageType: \"a\\\" #\"}"),
        ("proxy.istio.io/config", "discoveryAddress: \"a\\Nb\""),
        ("resource.opentelemetry.io/service.version", "1\",service.namespace=other"),
        ("sidecar.istio.io/unheardOf", "a\u{85}b"),
    ];

    #[test]
    fn what_is_more_than_a_text_is_refused() {
        for (name, text) in ATTEMPTS {
            let pod = json!({ "metadata": { "annotations": { name: text } } });
            let why = check(&pod).unwrap_err();
            assert!(why.starts_with(&format!("annotation '{name}' is not ")), "{text:?}: {why}");
        }
        let port = |member: &str, text: &str| json!({ "spec": { "containers": [{ "name": "a", "ports": [{ member: text }] }] } });
        let owner =
            |member: &str, text: &str| json!({ "metadata": { "ownerReferences": [{ member: text }] } });
        let others = [
            (json!({ "metadata": { "labels": { "app": "a\"" } } }), "label 'app'"),
            (json!({ "metadata": { "name": "a\nb" } }), "metadata.name"),
            (json!({ "metadata": { "generateName": "a: " } }), "metadata.generateName"),
            (json!({ "spec": { "serviceAccountName": "a b" } }), "spec.serviceAccountName"),
            (json!({ "spec": { "containers": [{ "name": "a\"b" }] } }), "spec.containers.name"),
            (json!({ "spec": { "initContainers": [{ "name": 5 }] } }), "spec.initContainers.name"),
            (port("name", "a\u{85}b"), "spec.containers.ports.name"),
            (port("protocol", "T P"), "spec.containers.ports.protocol"),
            (port("hostIP", "1\n2"), "spec.containers.ports.hostIP"),
            (owner("kind", "A\nB"), "metadata.ownerReferences.kind"),
            (owner("apiVersion", "v1 #"), "metadata.ownerReferences.apiVersion"),
            (owner("name", "a\"b"), "metadata.ownerReferences.name"),
        ];
        for (pod, place) in others {
            let why = check(&pod).unwrap_err();
            assert!(why.starts_with(place), "{why}");
        }
    }

    #[test]
    fn what_is_meant_passes() {
        for (name, text) in [
            ("sidecar.istio.io/logLevel", "debug"),
            ("sidecar.istio.io/componentLogLevel", "ext_authz:trace,filter:debug"),
            ("sidecar.istio.io/proxyImage", "registry.example:5000/proxy@sha256:0a"),
            ("sidecar.istio.io/userVolume", "{\"a\": {\"hostPath\": {\"path\": \"/\"}}}"),
            ("apm.datadoghq.com/env", "{\"DD_ENV\": \"prod\", \"N\": 5}"),
            ("k8s.v1.cni.cncf.io/networks", "a, b"),
            ("proxy.istio.io/config", "{\"proxyMetadata\": {\"A.b\": \"c d\"}, \"concurrency\": 2}"),
            ("example.com/any", "a\nb\"c"),
        ] {
            let pod = json!({ "metadata": { "annotations": { name: text } } });
            assert_eq!(check(&pod), Ok(()), "{name}");
        }
    }
}
