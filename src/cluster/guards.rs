//! Whether the admission policy is in place that guards Namespaces while nobody answers: then the guard entry may fail open.

use std::time::Duration;

use kube::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::watched::{api, resource};
use crate::config::Configuration;
use crate::registration::{GUARD_POLICY, Lists, admission_policies};

/// How often to look.
const LOOKS: Duration = Duration::from_secs(10);

/// What was seen last.
#[derive(Default)]
pub(super) struct Looked(Option<(bool, Instant)>);

/// Whether policy and binding stand as this configuration wants them, as it was seen a moment ago. What can't be read
/// does not stand.
pub(super) async fn stand(client: &Client, configuration: &Configuration, looked: &mut Looked) -> bool {
    if let Some((stands, when)) = looked.0
        && when.elapsed() < LOOKS
    {
        return stands;
    }
    let wanted = admission_policies(&Lists::of(configuration));
    let of_guard =
        |object: &&Value| object.pointer("/metadata/name").is_some_and(|name| name == GUARD_POLICY);
    let mut stands = true;
    for wanted in wanted.iter().filter(of_guard) {
        let kind = wanted.get("kind").and_then(Value::as_str).unwrap_or_default();
        let plural = match kind {
            "ValidatingAdmissionPolicy" => "validatingadmissionpolicies",
            _ => "validatingadmissionpolicybindings",
        };
        let kind = resource("admissionregistration.k8s.io", "v1", kind, plural);
        let live = api(client, &kind, None).get_opt(GUARD_POLICY).await;
        let spec = live.ok().flatten().and_then(|live| live.data.get("spec").cloned());
        stands &= spec.as_ref() == wanted.get("spec");
    }
    looked.0 = Some((stands, Instant::now()));
    stands
}
