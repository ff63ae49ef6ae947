//! What the API server is to be told: both webhook configurations, as the bundle in force and the process's configuration
//! want them (docs/cluster.md), and the admission policies that hold while nobody answers. Pure: equal input gives equal bytes, so that what is registered can be compared.
//!
//! Called by `cluster`, which writes them, and by `install`, which prints the admission policies.

mod admission_policies;
mod ca_bundle;
mod conditions;
mod entries;
mod rules;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use admission_policies::{GUARD_POLICY, Lists, OWN_POLICY, admission_policies};
pub use ca_bundle::{CaBundle, NoCaBundle, pem};
pub use conditions::{guarded, guarded_labels};
pub use rules::{Coverage, Rules};

use crate::config::Configuration;

/// The name of the MutatingWebhookConfiguration (contracts: server, names).
pub const MUTATING: &str = "meshgate-mutating";

/// The name of the ValidatingWebhookConfiguration (contracts: server, names).
pub const VALIDATING: &str = "meshgate-validating";

/// What is to be registered.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What policies are to be asked about. None: not yet, so that the entry for workloads is left out.
    pub needs: Option<&'a Coverage>,
    /// How the process is set up.
    pub configuration: &'a Configuration,
    /// What the serving certificate leads to.
    pub ca_bundle: &'a CaBundle,
    /// Whether the admission policy is in place that holds while nobody answers: then the guard may fail open.
    pub guard_stands: bool,
}

/// Both configurations: mutating, validating. Their owner and other metadata are the writer's.
pub fn desired(wanted: &Wanted<'_>) -> [Value; 2] {
    [
        configuration("MutatingWebhookConfiguration", MUTATING, entries::mutating(wanted)),
        configuration("ValidatingWebhookConfiguration", VALIDATING, entries::validating(wanted)),
    ]
}

/// Where a live configuration is not as desired, in words for a log; None where it is. What an API server adds to an entry
/// that meshgate does not write is no difference; a foreign entry, or another order, is.
pub fn difference(desired: &Value, live: &Value) -> Option<String> {
    let entries = |of: &Value| of.get("webhooks").and_then(Value::as_array).cloned().unwrap_or_default();
    let name = |entry: &Value| entry.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (desired, live) = (entries(desired), entries(live));
    let names = |all: &[Value]| all.iter().map(name).collect::<Vec<_>>();
    if names(&desired) != names(&live) {
        return Some(format!("entries are {:?}, not {:?}", names(&live), names(&desired)));
    }
    let member = |(desired, live): (&Value, &Value)| {
        let wanted = entries::MEMBERS.iter().find(|member| desired.get(member) != live.get(member));
        wanted.map(|member| format!("{member} of {} is another", name(desired)))
    };
    desired.iter().zip(&live).find_map(member)
}

/// Of what [`difference`] compares: the configurations of equal ones differ in nothing. Absent is [`Value::Null`].
pub fn fingerprint(configuration: &Value) -> String {
    let entries = configuration.get("webhooks").and_then(Value::as_array).into_iter().flatten();
    let compared =
        |entry: &Value| entries::MEMBERS.map(|member| entry.get(member).cloned().unwrap_or_default());
    let all: Vec<_> = entries.map(compared).collect();
    let digest = Sha256::digest(json!(all).to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn configuration(kind: &str, name: &str, webhooks: Vec<Value>) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": { "name": name },
        "webhooks": webhooks,
    })
}
