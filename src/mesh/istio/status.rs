//! What an injection writes down about itself: `sidecar.istio.io/status`.

use serde_json::Value;

use super::json;
use super::pod;

/// The lists of which it names what was added.
const LISTS: [&str; 4] = ["initContainers", "containers", "volumes", "imagePullSecrets"];

/// The annotation's text. `template_pod`: what the templates alone give.
pub(super) fn text(template_pod: &Value, revision: &str) -> String {
    let lists = LISTS.iter().map(|list| {
        let names: Vec<&str> = pod::containers(template_pod, list).iter().map(pod::name).collect();
        let names = if names.is_empty() { Value::Null } else { Value::from(names) };
        (*list, json::encode(&names))
    });
    let revision = if revision.is_empty() { "default" } else { revision };
    json::object(lists.chain([("revision", json::encode(&Value::from(revision)))]))
}

/// The Pod without what an earlier injection added to it, and with the containers of a user that it took in. Templates see
/// this Pod.
pub(super) fn stripped(original: &Value, status_port: &str) -> Result<Value, String> {
    let mut stripped = original.clone();
    let status =
        pod::annotation(original, pod::STATUS).and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(status) = status.filter(Value::is_object) {
        for list in ["containers", "initContainers"] {
            let named = status.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
            if let Some(Value::Array(containers)) =
                stripped.get_mut("spec").and_then(|spec| spec.get_mut(list))
            {
                containers
                    .retain(|container| !container.get("name").is_some_and(|name| named.contains(name)));
            }
        }
        super::prometheus::forget(&mut stripped, status_port);
        if let Some(annotations) = pod::texts_mut(&mut stripped, "annotations") {
            annotations.remove(pod::STATUS);
        }
    }
    let overrides = super::overrides::read(original)?;
    for list in ["containers", "initContainers"] {
        for container in overrides.get(list).and_then(Value::as_array).into_iter().flatten() {
            let is_there = pod::find(&stripped, list, pod::name(container)).is_some();
            if let (false, Some(containers)) = (is_there, pod::containers_mut(&mut stripped, list)) {
                containers.push(container.clone());
            }
        }
    }
    Ok(stripped)
}
