//! What of a Pod makes its sidecar another than the mesh alone would have it: each of them is for policies to allow.

use serde_json::Value;

use crate::mesh::istio::pod::{self, CONFIG, INIT, OVERRIDES, PROXY, VALIDATION};

/// Annotations that change containers of the mesh, or the volumes of the Pod.
const ANNOTATIONS: [&str; 8] = [
    "inject.istio.io/templates",
    CONFIG,
    OVERRIDES,
    "sidecar.istio.io/bootstrapOverride",
    "sidecar.istio.io/proxyImage",
    "sidecar.istio.io/proxyImageType",
    "sidecar.istio.io/userVolume",
    "sidecar.istio.io/userVolumeMount",
];

/// The powers that a Pod uses, by name.
pub(super) fn used(pod: &Value) -> Vec<String> {
    let annotations = ANNOTATIONS.iter().filter(|name| pod::annotation(pod, name).is_some());
    let annotations = annotations.map(|name| format!("annotation {name}"));
    let all = ["containers", "initContainers"].into_iter().flat_map(|list| pod::containers(pod, list));
    let own = all.filter(|container| [PROXY, INIT, VALIDATION].contains(&pod::name(container)));
    // REDIRECT is the mesh's own way, and a template may write it down.
    let mode = pod::annotation(pod, "sidecar.istio.io/interceptionMode").filter(|mode| *mode != "REDIRECT");
    let mode = mode.map(|mode| format!("interception mode {mode}"));
    annotations
        .chain(mode)
        .chain(own.map(|container| format!("a container named {}", pod::name(container))))
        .collect()
}
