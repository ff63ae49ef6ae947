//! The three entries of each configuration: workloads, guard, own (docs/cluster.md). Every defaulted member is written, so
//! that what is desired is what an API server shows.

use serde_json::{Value, json};

use super::rules::Rules;
use super::{Wanted, conditions};
use crate::config::{NAMESPACE, SERVICE};
use crate::context::KUBE_SYSTEM;
use crate::policy::{EXEMPT_LABEL, RuleOperation, Scope};

/// What is compared of an entry: all that is written, and `rules` and `matchConditions` also where they are not.
pub(super) const MEMBERS: [&str; 12] = [
    "name",
    "admissionReviewVersions",
    "clientConfig",
    "failurePolicy",
    "matchConditions",
    "matchPolicy",
    "namespaceSelector",
    "objectSelector",
    "reinvocationPolicy",
    "rules",
    "sideEffects",
    "timeoutSeconds",
];

/// The name that an API server gives each namespace as a label.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Mutate, mutate again, validate: 30 s of the 34 s that a request has (k8s.io/apiserver, endpoints/handlers).
const TIMEOUT: u8 = 10;

/// What swallows packets must not hold up the start of those that would answer.
const OWN_TIMEOUT: u8 = 2;

/// The phase of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Mutating,
    Validating,
}

/// What makes an entry different from the others.
struct Entry {
    name: &'static str,
    rules: Rules,
    namespaces: Value,
    conditions: Vec<Value>,
    fails: bool,
    timeout: u8,
    /// IfNeeded, where it mutates.
    again: bool,
}

pub(super) fn mutating(wanted: &Wanted<'_>) -> Vec<Value> {
    let workloads = wanted.needs.map(|needs| Entry {
        conditions: vec![
            conditions::never(),
            conditions::controllers(),
            conditions::apiserver(),
            conditions::mirror(),
        ],
        ..workloads(wanted, needs.mutating.clone())
    });
    let own = own(probe(), Vec::new());
    // A change that nobody signs is refused later, by validation: nothing is let through.
    let guard = guard(wanted, false);
    let entries = workloads.into_iter().chain([guard, own]);
    entries.map(|entry| entry.to_value(Phase::Mutating, wanted)).collect()
}

pub(super) fn validating(wanted: &Wanted<'_>) -> Vec<Value> {
    let workloads = wanted.needs.map(|needs| workloads(wanted, needs.validating.clone()));
    let ours = wanted.needs.map(|needs| needs.validating.namespaced()).unwrap_or_default();
    let own = own(probe().union(&ours), vec![conditions::never(), conditions::controllers()]);
    // Not before workloads are sent as well: nobody knows yet whether anybody answers.
    let guard = guard(wanted, !wanted.guard_stands && wanted.needs.is_some());
    let entries = workloads.into_iter().chain([guard, own]);
    entries.map(|entry| entry.to_value(Phase::Validating, wanted)).collect()
}

fn workloads(wanted: &Wanted<'_>, rules: Rules) -> Entry {
    let mut excluded = wanted.configuration.excluded_namespaces.clone();
    excluded.extend([KUBE_SYSTEM, NAMESPACE].map(str::to_owned));
    Entry {
        name: "workloads.meshgate.io",
        rules,
        namespaces: json!({ "matchExpressions": [
            { "key": NAME_LABEL, "operator": "NotIn", "values": excluded },
            { "key": EXEMPT_LABEL, "operator": "NotIn", "values": ["true"] },
        ] }),
        conditions: vec![conditions::never(), conditions::controllers(), conditions::apiserver()],
        fails: true,
        timeout: TIMEOUT,
        again: true,
    }
}

fn guard(wanted: &Wanted<'_>, fails: bool) -> Entry {
    let paths = ["namespaces", "namespaces/finalize", "namespaces/status"];
    let operations = [RuleOperation::Create, RuleOperation::Update];
    Entry {
        name: "guard.meshgate.io",
        rules: Rules::default().with("", &paths, &operations, Scope::Cluster),
        // A selector looks at the labels that the request itself sets.
        namespaces: json!({}),
        conditions: vec![conditions::guard(wanted.configuration)],
        fails,
        timeout: TIMEOUT,
        again: false,
    }
}

fn own(rules: Rules, conditions: Vec<Value>) -> Entry {
    Entry {
        name: "own.meshgate.io",
        rules,
        namespaces: json!({ "matchExpressions": [
            { "key": NAME_LABEL, "operator": "In", "values": [NAMESPACE] },
        ] }),
        conditions,
        fails: false,
        timeout: OWN_TIMEOUT,
        again: false,
    }
}

/// What the leader asks, to see whether answers come.
fn probe() -> Rules {
    Rules::default().with("", &["configmaps"], &[RuleOperation::Create], Scope::Namespaced)
}

impl Entry {
    fn to_value(&self, phase: Phase, wanted: &Wanted<'_>) -> Value {
        let path = if phase == Phase::Mutating { "/mutate" } else { "/validate" };
        let mut value = json!({
            "name": self.name,
            "admissionReviewVersions": ["v1"],
            "clientConfig": {
                "caBundle": wanted.ca_bundle.encode(),
                "service": {
                    "name": SERVICE,
                    "namespace": NAMESPACE,
                    "path": path,
                    "port": wanted.configuration.service_port,
                },
            },
            "failurePolicy": if self.fails { "Fail" } else { "Ignore" },
            "matchPolicy": "Equivalent",
            "namespaceSelector": self.namespaces,
            "objectSelector": {},
            "sideEffects": "None",
            "timeoutSeconds": self.timeout,
        });
        let Some(members) = value.as_object_mut() else { return value };
        // An API server shows neither of these where it is empty.
        if !self.rules.is_empty() {
            members.insert("rules".to_owned(), self.rules.to_value());
        }
        if !self.conditions.is_empty() {
            members.insert("matchConditions".to_owned(), self.conditions.clone().into());
        }
        if phase == Phase::Mutating {
            let policy = if self.again { "IfNeeded" } else { "Never" };
            members.insert("reinvocationPolicy".to_owned(), policy.into());
        }
        value
    }
}
