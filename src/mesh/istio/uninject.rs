//! A Pod as it was before an injection, as far as the injection wrote that down: which of its containers are the mesh's is
//! found out by injecting into this again.

use serde_json::{Map, Value};

use super::pod::{self, OVERRIDES, STATUS};
use super::{overrides, probes, prometheus};
use crate::mesh::proof;

/// What comes with an injection, and no injection writes down.
const ADDED: [&str; 6] = [
    "istio.io/rev",
    "kubectl.kubernetes.io/default-container",
    "kubectl.kubernetes.io/default-logs-container",
    STATUS,
    OVERRIDES,
    proof::ANNOTATION,
];

/// Takes an injection out of a Pod. A Pod without the annotation of one stays as it is.
///
/// # Errors
/// That the annotation, or that of a user's own containers, can't be read.
pub(super) fn uninject(injected: &Value) -> Result<Value, String> {
    let mut pod = injected.clone();
    let Some(status) = pod::annotation(injected, STATUS) else { return Ok(pod) };
    let status: Map<String, Value> =
        serde_json::from_str(status).map_err(|_| format!("annotation {STATUS} is no JSON object"))?;
    let kept = overrides::read(injected)?;
    probes::restore(&mut pod);
    prometheus::restore(&mut pod);
    for list in ["containers", "initContainers", "volumes", "imagePullSecrets"] {
        let named = status.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
        let Some(Value::Array(items)) = pod.get_mut("spec").and_then(|spec| spec.get_mut(list)) else {
            continue;
        };
        items.retain(|item| !item.get("name").is_some_and(|name| named.contains(name)));
    }
    for list in ["containers", "initContainers"] {
        for container in kept.get(list).and_then(Value::as_array).into_iter().flatten() {
            if let Some(containers) = pod::containers_mut(&mut pod, list) {
                containers.push(container.clone());
            }
        }
    }
    if let Some(annotations) = pod::texts_mut(&mut pod, "annotations") {
        annotations.retain(|name, _| !ADDED.contains(&name.as_str()));
    }
    Ok(pod)
}
