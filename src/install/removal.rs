//! What Helm runs before it deletes an installation: the webhook configurations go first, so that nothing is asked of Pods
//! that go next.

use serde_json::{Value, json};

use super::deployment::{container_security, pod_security};
use super::objects::{labels, object};
use super::slots::Slots;
use crate::config::{NAMESPACE, SERVICE};

const NAME: &str = "meshgate-removal";

/// Longer than it takes; Helm itself waits for five minutes.
const SECONDS: u32 = 120;

pub(super) fn job(slots: &Slots) -> Value {
    let pod = json!({
        "serviceAccountName": SERVICE,
        "automountServiceAccountToken": true,
        "restartPolicy": "Never",
        "securityContext": pod_security(),
        "containers": [{
            "name": "removal",
            "image": slots.image,
            "args": ["install", "--remove=registration"],
            "resources": {
                "requests": { "cpu": "10m", "memory": "64Mi" },
                "limits": { "memory": "128Mi" },
            },
            "securityContext": container_security(),
        }],
    });
    let spec = json!({
        "activeDeadlineSeconds": SECONDS,
        "backoffLimit": 3,
        // Not the label by which the Service and the budget find the Pods that serve.
        "template": { "spec": pod },
    });
    let metadata = json!({
        "name": NAME,
        "namespace": NAMESPACE,
        "labels": labels(),
        "annotations": {
            "helm.sh/hook": "pre-delete",
            "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
        },
    });
    object("batch/v1", "Job", metadata, [("spec", spec)])
}
