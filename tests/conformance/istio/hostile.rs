//! Every annotation that Istio's own template, or what is done around it, reads, with every way out of a text: none of them
//! changes a container but for a text in it.

use std::collections::BTreeSet;

use meshgate::mesh::Mesh;
use meshgate::mesh::istio::Istio;
use regex::Regex;
use serde_json::{Value, json};

use super::cases::{cases, shipped};
use super::command::installed;
use super::recognised::creation;
use crate::corpus;

/// Ways out of a plain or quoted scalar, of a line, of a flow, of a template, of JSON in YAML.
const PAYLOADS: [&str; 16] = [
    "a\n    securityContext: {privileged: true}",
    "a\n  - name: evil\n    image: evil",
    "a\r\n    image: evil",
    "a\u{85}    image: evil",
    "a\u{2028}    image: evil",
    "a\" # ",
    "a\"\n    image: \"evil",
    "a\", \"b\": \"evil",
    "a' # ",
    "a', evil: 'b",
    "a: evil",
    "a # evil",
    "a]} evil",
    "{{ .Values }} evil",
    "{\"a\\\"\\n    image: evil\": {}}",
    "*evil",
];

/// A value without its texts.
fn shape(value: &Value) -> Value {
    match value {
        Value::String(_) => json!("text"),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        other => other.clone(),
    }
}

/// The containers, without their texts, and the images and capabilities as they are.
fn seen(pod: &Value) -> Vec<Value> {
    let lists = ["initContainers", "containers"].into_iter().filter_map(|list| pod["spec"][list].as_array());
    let one = |container: &Value| {
        json!([
            shape(container),
            container["name"],
            container["image"],
            container["command"],
            container["securityContext"]
        ])
    };
    lists.flatten().map(one).collect()
}

/// Whether something is called so, or is nothing else.
fn is_evil(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "evil",
        Value::Array(items) => items.iter().any(is_evil),
        Value::Object(members) => members.iter().any(|(name, value)| name == "evil" || is_evil(value)),
        _ => false,
    }
}

fn pod(annotations: &Value) -> Value {
    json!({
        "metadata": { "name": "web", "annotations": annotations },
        "spec": { "containers": [{ "name": "web", "image": "web:1", "ports": [{ "containerPort": 80 }] }] },
    })
}

fn rendered(mesh: &Istio, pod: Value) -> Option<Value> {
    let request = creation(pod);
    let proposal = mesh.propose(&request, None).ok()??;
    mesh.render(&proposal, &request, None).ok().map(|rendering| rendering.object)
}

#[test]
fn no_annotation_is_more_than_a_text() {
    let Some(root) = corpus("istio-inject") else { return };
    let shipped = shipped(&root);
    let template = shipped["sidecar"].as_str().unwrap();
    let name = Regex::new(r"[a-z0-9.]+\.(?:istio\.io|datadoghq\.com|cncf\.io|opentelemetry\.io)/[A-Za-z.-]+")
        .unwrap();
    let mut names: BTreeSet<&str> = name.find_iter(template).map(|found| found.as_str()).collect();
    names.extend(["sidecar.istio.io/status", "proxy.istio.io/overrides", "k8s.v1.cni.cncf.io/networks"]);
    names.extend(["prometheus.io/port", "prometheus.io/path", "sidecar.istio.io/nativeSidecar"]);
    let (mut refused, mut harmless, mut broken_out) = (0, 0, Vec::new());
    for golden in ["release-1.30/inject/hello.yaml.injected", "release-1.30/inject/hello.yaml.cni.injected"] {
        let all = cases(&root);
        let case = all.iter().find(|case| case["golden"] == golden).unwrap();
        let mesh = installed(&root, case, &shipped);
        let baseline = seen(&rendered(&mesh, pod(&json!({}))).unwrap());
        for name in &names {
            for payload in PAYLOADS {
                match rendered(&mesh, pod(&json!({ *name: payload }))) {
                    None => refused += 1,
                    Some(pod) => {
                        let is_same = seen(&pod)
                            .iter()
                            .zip(&baseline)
                            .all(|(one, other)| of_names(one) == of_names(other));
                        let has_no_more = seen(&pod).len() == baseline.len() && !is_evil(&pod["spec"]);
                        if is_same && has_no_more {
                            harmless += 1
                        } else {
                            broken_out.push(format!("{name}: {payload:?}"))
                        }
                    }
                }
            }
        }
    }
    println!(
        "hostile annotations: {} names, {} payloads each: {refused} refused, {harmless} a text, {} broken out",
        names.len(),
        PAYLOADS.len(),
        broken_out.len()
    );
    assert!(names.len() > 20, "{names:?}");
    assert_eq!(broken_out, Vec::<String>::new());
}

/// What of a container no annotation may change by being a text: all but how many variables and arguments there are.
fn of_names(seen: &Value) -> Value {
    let mut seen = seen.clone();
    if let Some(members) = seen[0].as_object_mut() {
        for list in ["args", "env"] {
            members.remove(list);
        }
    }
    seen
}
