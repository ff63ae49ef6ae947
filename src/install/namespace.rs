//! The namespace, and what holds for all that is in it.

use serde_json::{Value, json};

use super::objects::{labels, namespaced, object};
use super::slots::Slots;
use crate::config::{ADMIN_PORT, NAMESPACE, SERVICE, WEBHOOK_PORT};

/// A cluster may refuse Pods of a critical priority outside kube-system unless a quota of the namespace admits them
/// (K/plugin/pkg/admission/resourcequota, limitedResources). More than the Pods of a rollout of ten replicas.
const CRITICAL_PODS: u32 = 25;

/// The ports of API servers: 6443 where Kubernetes' own tools set it up, 443 as providers offer it.
const API_SERVER_PORTS: [u16; 2] = [443, 6443];

/// What the Deployment asks to be scheduled as.
pub(super) const PRIORITY_CLASS: &str = "system-cluster-critical";

pub(super) fn objects(slots: &Slots) -> Vec<Value> {
    let metadata = json!({ "name": NAMESPACE, "labels": {
        "app.kubernetes.io/name": SERVICE,
        // The webhook does not judge its own Pods: Pod Security does (R36, R49).
        "pod-security.kubernetes.io/enforce": "restricted",
    }});
    vec![object("v1", "Namespace", metadata, []), quota(), network_policy(slots)]
}

fn quota() -> Value {
    let scope = json!({ "scopeName": "PriorityClass", "operator": "In", "values": [PRIORITY_CLASS] });
    let spec = json!({
        "hard": { "pods": CRITICAL_PODS.to_string() },
        "scopeSelector": { "matchExpressions": [scope] },
    });
    namespaced("v1", "ResourceQuota", "meshgate-critical-pods", [("spec", spec)])
}

/// In: the API server, which no selector can name, and whoever reads metrics. Out: the API server, and the other
/// replicas, whose certificates the leader looks at before it takes an old authority away. Servers of repositories and
/// registries have names, which have to be looked up; they are asked at the port of https.
fn network_policy(slots: &Slots) -> Value {
    let port = |port: u16| json!({ "protocol": "TCP", "port": port });
    let selector = json!({ "matchLabels": labels() });
    let names = json!({ "ports": [{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }] });
    let mut egress = vec![
        json!({ "ports": API_SERVER_PORTS.map(port) }),
        json!({ "ports": [port(WEBHOOK_PORT), port(ADMIN_PORT)], "to": [{ "podSelector": selector }] }),
    ];
    egress.extend(slots.names.element(names));
    let spec = json!({
        "podSelector": selector,
        "policyTypes": ["Egress", "Ingress"],
        "ingress": [{ "ports": [port(WEBHOOK_PORT), port(ADMIN_PORT)] }],
        "egress": egress,
    });
    namespaced("networking.k8s.io/v1", "NetworkPolicy", SERVICE, [("spec", spec)])
}
