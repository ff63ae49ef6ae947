//! What is done on OpenShift before anything else.

use serde_json::Value;

use super::pod::{self, INIT, PROXY, VALIDATION};

/// OpenShift gives all containers of a Pod the same user; the sidecar's is not one that somebody chose.
pub(super) fn forget_user(original: &mut Value) {
    let user = |container: &Value| {
        container.get("securityContext").and_then(|context| context.get("runAsUser")?.as_i64())
    };
    let mut others = pod::containers(original, "containers")
        .iter()
        .rev()
        .filter(|container| ![PROXY, INIT, VALIDATION].contains(&pod::name(container)));
    let last = others.find_map(|one| one.get("securityContext").map(|_| user(one).unwrap_or_default()));
    let Some(proxy) = pod::find_mut(original, "containers", PROXY) else { return };
    if proxy.get("securityContext").is_none_or(Value::is_null) || user(proxy) != last {
        return;
    }
    if let Some(context) = proxy.get_mut("securityContext").and_then(Value::as_object_mut) {
        context.remove("runAsUser");
        context.remove("runAsGroup");
    }
}
