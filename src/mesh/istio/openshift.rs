//! What is done on OpenShift before anything else.

use serde_json::Value;

use super::pod::{self, INIT, PROXY, VALIDATION};
use super::version::Version;

/// OpenShift gives all containers of a Pod the same user; the sidecar's is not one that somebody chose. Since 1.27 init
/// containers count, too.
pub(super) fn forget_user(original: &mut Value, version: Version) {
    let user = |container: &Value| container.get("securityContext")?.get("runAsUser")?.as_i64();
    let lists = if version.since(27) { &["containers", "initContainers"][..] } else { &["containers"] };
    let all: Vec<&Value> = lists.iter().flat_map(|list| pod::containers(original, list)).collect();
    let last = |wanted: &dyn Fn(&str) -> bool| {
        all.iter().rev().filter(|one| wanted(pod::name(one))).find_map(|one| user(one)).unwrap_or_default()
    };
    let is_same = last(&|name| name == PROXY) == last(&|name| ![PROXY, INIT, VALIDATION].contains(&name));
    let Some(proxy) = pod::proxy_mut(original).filter(|_| is_same) else { return };
    if let Some(context) = proxy.get_mut("securityContext").and_then(Value::as_object_mut) {
        context.remove("runAsUser");
        context.remove("runAsGroup");
    }
}
