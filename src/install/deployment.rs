//! The Pods, how they are reached, and what keeps enough of them running (cluster.md, section 7).

use serde_json::{Value, json};

use super::namespace::PRIORITY_CLASS;
use super::objects::{labels, namespaced};
use super::slots::Slots;
use super::volumes::{arguments, mounts, volumes};
use crate::config::{ADMIN_PORT, SERVICE, WEBHOOK_PORT};

/// The user of the image (Dockerfile), which owns no file of it.
const USER: u32 = 65532;

/// Draining takes 15 s until nobody connects any more, up to 95 s until API servers have closed what they don't use, and 10 s
/// for what is in flight; the rest is in reserve.
const TERMINATION_SECONDS: u32 = 130;

/// What changes with `meshgate.yaml`, so that the Pods are replaced: it is read once, at their start.
const FINGERPRINT: &str = "meshgate.io/configuration-sha256";

pub(super) fn objects(slots: &Slots) -> Vec<Value> {
    let selector = json!({ "matchLabels": labels() });
    let service = json!({
        "selector": labels(),
        "ports": [
            { "name": "webhook", "protocol": "TCP", "port": slots.service_port, "targetPort": WEBHOOK_PORT },
            { "name": "admin", "protocol": "TCP", "port": ADMIN_PORT, "targetPort": ADMIN_PORT },
        ],
    });
    let budget = json!({
        "maxUnavailable": 1,
        "selector": selector,
        // A Pod that is not ready answers nobody: it must not keep a node from being drained.
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    });
    let deployment = json!({
        "replicas": slots.replicas,
        "selector": selector,
        "minReadySeconds": 10,
        "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } },
        "template": {
            "metadata": { "labels": labels(), "annotations": { FINGERPRINT: slots.fingerprint } },
            "spec": pod(slots),
        },
    });
    vec![
        namespaced("v1", "Service", SERVICE, [("spec", service)]),
        namespaced("policy/v1", "PodDisruptionBudget", SERVICE, [("spec", budget)]),
        namespaced("apps/v1", "Deployment", SERVICE, [("spec", deployment)]),
    ]
}

fn pod(slots: &Slots) -> Value {
    json!({
        "serviceAccountName": SERVICE,
        "automountServiceAccountToken": true,
        "priorityClassName": PRIORITY_CLASS,
        "terminationGracePeriodSeconds": TERMINATION_SECONDS,
        "securityContext": pod_security(),
        "affinity": { "podAntiAffinity": { "preferredDuringSchedulingIgnoredDuringExecution":
            APART.map(|(key, weight)| json!({ "weight": weight, "podAffinityTerm": {
                "labelSelector": { "matchLabels": labels() }, "topologyKey": key,
            }}))
        }},
        "topologySpreadConstraints": APART.map(|(key, _)| json!({
            "labelSelector": { "matchLabels": labels() },
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
        })),
        "containers": [container(slots)],
        "volumes": volumes(slots),
    })
}

/// What replicas are kept apart by, and how much it is worth: a node fails more often than a zone.
const APART: [(&str, u32); 2] = [("kubernetes.io/hostname", 100), ("topology.kubernetes.io/zone", 50)];

fn container(slots: &Slots) -> Value {
    let probe = |path: &str, seconds: u32, failures: u32| {
        json!({
            "httpGet": { "path": path, "port": ADMIN_PORT, "scheme": "HTTPS" },
            "periodSeconds": seconds,
            "failureThreshold": failures,
        })
    };
    json!({
        "name": SERVICE,
        "image": slots.image,
        "args": arguments(slots),
        "ports": [
            { "name": "webhook", "containerPort": WEBHOOK_PORT, "protocol": "TCP" },
            { "name": "admin", "containerPort": ADMIN_PORT, "protocol": "TCP" },
        ],
        "startupProbe": probe("/livez", 2, 30),
        "livenessProbe": probe("/livez", 10, 6),
        "readinessProbe": probe("/readyz", 2, 2),
        "resources": slots.resources,
        "securityContext": container_security(),
        "volumeMounts": mounts(slots),
    })
}

/// The Pod Security Standard `restricted`.
pub(super) fn pod_security() -> Value {
    json!({
        "runAsNonRoot": true,
        "runAsUser": USER,
        "runAsGroup": USER,
        "seccompProfile": { "type": "RuntimeDefault" },
    })
}

pub(super) fn container_security() -> Value {
    json!({
        "allowPrivilegeEscalation": false,
        "capabilities": { "drop": ["ALL"] },
        "readOnlyRootFilesystem": true,
    })
}
