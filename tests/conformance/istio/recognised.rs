//! What was injected is known again: its containers are equal to what is rendered of the Pod without them, and nothing is
//! injected a second time.

use meshgate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use meshgate::kubernetes::rendering;
use meshgate::mesh::Mesh;
use meshgate::mesh::istio::Istio;
use serde_json::{Value, json};

use super::cases::{cases, documents, shipped};
use super::command::installed;
use crate::{Tally, corpus};

/// The Pods of a document, as a webhook sees them.
pub(super) fn pods(document: &Value) -> Vec<Value> {
    if let Some(items) = document.get("items").and_then(Value::as_array) {
        return items.iter().flat_map(pods).collect();
    }
    let place = match document["kind"].as_str() {
        Some("Pod") => "",
        Some("CronJob") => "/spec/jobTemplate/spec/template",
        _ => "/spec/template",
    };
    let Some(pod) = document.pointer(place).filter(|pod| pod.get("spec").is_some()) else {
        return Vec::new();
    };
    let mut pod =
        json!({ "metadata": pod.get("metadata").cloned().unwrap_or(json!({})), "spec": pod["spec"] });
    if !place.is_empty() {
        let name = document["metadata"]["name"].as_str().unwrap();
        pod["metadata"]["generateName"] = json!(format!("{name}-fake-"));
        pod["metadata"]["labels"]["pod-template-hash"] = json!("fake");
        pod["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{name}-fake"), "controller": true,
        }]);
    }
    vec![pod]
}

pub(super) fn creation(pod: Value) -> Request {
    Request::new(RequestParts {
        uid: "1".to_owned(),
        kind: GroupVersionKind::new("", "v1", "Pod"),
        resource: GroupVersionResource::new("", "v1", "pods"),
        sub_resource: None,
        name: String::new(),
        namespace: Some("shop".to_owned()),
        operation: Operation::Create,
        user_info: json!({}),
        object: Some(pod),
        old_object: None,
        dry_run: false,
    })
}

/// What is not known again; None where nothing is injected.
fn lost(istio: &Istio, pod: Value) -> Option<Vec<String>> {
    let request = creation(pod);
    let proposal = istio.propose(&request, None).unwrap().unwrap();
    if !proposal.inject {
        return None;
    }
    let rendering = match istio.render(&proposal, &request, None) {
        Ok(rendering) => rendering,
        Err(why) => return Some(vec![why]),
    };
    let again = creation(rendering.object.clone());
    let seen = istio.propose(&again, None).unwrap().unwrap();
    assert!(seen.inject, "{seen:?}");
    let rendered = istio.rendered(&again, None);
    let is_there = |one: &Value| {
        let same = |other: &Value| other["name"] == one["name"] && rendering::equal(one, other);
        rendered.iter().any(|other| same(&other.container))
    };
    let lost = rendering.containers.iter().filter(|one| !is_there(&one.container));
    let names: Vec<String> = lost.map(|one| one.container["name"].to_string()).collect();
    Some(names)
}

#[test]
fn what_was_injected_is_known_again() {
    let Some(root) = corpus("istio-inject") else { return };
    let shipped = shipped(&root);
    let mut tally = Tally::new("istio-inject, known again");
    for (number, case) in cases(&root).iter().enumerate().filter(|(_, case)| case["golden"].is_string()) {
        let istio = installed(&root, case, &shipped);
        for document in documents(&root.join(case["input"].as_str().unwrap())) {
            for pod in pods(&document) {
                let has_status = pod["metadata"]["annotations"].get("sidecar.istio.io/status").is_some();
                let Some(lost) = lost(&istio, pod) else { continue };
                // Who writes the annotation of an injection gets none.
                let refused = lost.iter().any(|why| why.contains("remove the annotation"));
                let lost = if has_status && refused { Vec::new() } else { lost };
                tally.compare(format!("{number} {}", case["input"]), lost, Vec::new());
            }
        }
    }
    println!("istio-inject, Pods known again: {}", tally.equal);
    let expected = tally.equal.saturating_add(tally.different.len());
    assert!(expected > 115, "{expected}");
    tally.finish(expected);
}
