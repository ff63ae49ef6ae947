//! What meshgate may ask of the API server: as little as there is use for, each use beside its rule.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::objects::{cluster_wide, labels, namespaced, object};
use super::slots::Slots;
use crate::config::{NAMESPACE, SERVICE};
use crate::context;
use crate::registration::{GUARD_POLICY, MUTATING, VALIDATING};

const AUTHORIZATION: &str = "rbac.authorization.k8s.io";

/// A rule, as RBAC has it.
struct Rule {
    group: &'static str,
    resources: &'static [&'static str],
    /// Empty: whatever their name.
    names: &'static [&'static str],
    verbs: &'static [&'static str],
}

/// In the whole cluster.
const CLUSTER: &[Rule] = &[
    // The fact `namespace`: labels and annotations decide modes, selectors, suspensions.
    Rule { group: "", resources: &["namespaces"], names: &[], verbs: &["get", "list", "watch"] },
    // The registration is watched to be repaired. A name can't limit these verbs.
    Rule {
        group: "admissionregistration.k8s.io",
        resources: &["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
        names: &[],
        verbs: &["create", "list", "watch"],
    },
    // It is written, repaired and, when meshgate is uninstalled, removed, and looked at whether it is gone.
    Rule {
        group: "admissionregistration.k8s.io",
        resources: &["mutatingwebhookconfigurations"],
        names: &[MUTATING],
        verbs: &["delete", "get", "patch", "update"],
    },
    Rule {
        group: "admissionregistration.k8s.io",
        resources: &["validatingwebhookconfigurations"],
        names: &[VALIDATING],
        verbs: &["delete", "get", "patch", "update"],
    },
    // Whether the admission policy is in place decides the failurePolicy of the guard entry.
    Rule {
        group: "admissionregistration.k8s.io",
        resources: &["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
        names: &[GUARD_POLICY],
        verbs: &["get"],
    },
    // The owner of the webhook configurations, with which they go: its uid is looked up.
    Rule { group: AUTHORIZATION, resources: &["clusterroles"], names: &[SERVICE], verbs: &["get"] },
];

/// In the namespace of the installation.
const OWN: &[Rule] = &[
    // The state of the registration; its probe, as a dry run.
    Rule { group: "", resources: &["configmaps"], names: &[], verbs: &["create"] },
    Rule {
        group: "",
        resources: &["configmaps"],
        names: &["meshgate-state"],
        verbs: &["get", "list", "patch", "watch"],
    },
    // What each replica has in force, and the commit accepted last.
    Rule {
        group: "",
        resources: &["configmaps"],
        names: &["meshgate-bundle"],
        verbs: &["list", "patch", "watch"],
    },
    // The certificates, and the keys of proofs. A name can't limit `create`.
    Rule { group: "", resources: &["secrets"], names: &[], verbs: &["create"] },
    Rule {
        group: "",
        resources: &["secrets"],
        names: &["meshgate-certificates", "meshgate-proof"],
        verbs: &["list", "patch", "watch"],
    },
    // Who leads.
    Rule { group: "coordination.k8s.io", resources: &["leases"], names: &[], verbs: &["create"] },
    Rule {
        group: "coordination.k8s.io",
        resources: &["leases"],
        names: &["meshgate-leader"],
        verbs: &["get", "update"],
    },
    // What operators are to learn of.
    Rule { group: "events.k8s.io", resources: &["events"], names: &[], verbs: &["create"] },
    // Every ready replica must show the new certificate before the old authority goes.
    Rule { group: "discovery.k8s.io", resources: &["endpointslices"], names: &[], verbs: &["list"] },
    // A replica that ends looks whether it is uninstalled.
    Rule { group: "apps", resources: &["deployments"], names: &[SERVICE], verbs: &["get"] },
];

/// The pull secrets of Pods, by their names alone, where the configuration asks for them.
const PULLED: Rule =
    Rule { group: "", resources: &["secrets", "serviceaccounts"], names: &[], verbs: &["get"] };

/// The bundle in force, for new Pods, where policies come from a repository.
const ARCHIVE: Rule = Rule {
    group: "",
    resources: &["configmaps"],
    names: &["meshgate-bundle-archive"],
    verbs: &["get", "patch"],
};

pub(super) fn objects(slots: &Slots) -> Vec<Value> {
    let account = json!([{ "kind": "ServiceAccount", "name": SERVICE, "namespace": NAMESPACE }]);
    let role = |kind: &str| json!({ "apiGroup": AUTHORIZATION, "kind": kind, "name": SERVICE });
    let binding = |kind: &str| [("roleRef", role(kind)), ("subjects", account.clone())];
    let version = "rbac.authorization.k8s.io/v1";
    let mut own: Vec<Value> = OWN.iter().map(Rule::written).collect();
    own.extend(slots.state.element(ARCHIVE.written()));
    let read = slots.rules.iter().cloned().chain(slots.pulls.element(PULLED.written()));
    let cluster: Vec<Value> = CLUSTER.iter().map(Rule::written).chain(read).collect();
    let all = [
        // Only the Pods themselves say that they want a token.
        namespaced("v1", "ServiceAccount", SERVICE, [("automountServiceAccountToken", false.into())]),
        cluster_wide(version, "ClusterRole", SERVICE, [("rules", cluster.into())]),
        cluster_wide(version, "ClusterRoleBinding", SERVICE, binding("ClusterRole")),
        namespaced(version, "Role", SERVICE, [("rules", own.into())]),
        namespaced(version, "RoleBinding", SERVICE, binding("Role")),
    ];
    all.into_iter().chain(slots.roles.iter().cloned()).collect()
}

/// Roles in the namespaces that facts are read from alone, and that meshgate has them.
pub(super) fn elsewhere(facts: &BTreeSet<context::ReadRule>) -> Vec<Value> {
    of_namespaces(facts).flat_map(|(namespace, rules)| in_namespace(namespace, &rules.into())).collect()
}

/// The same as values of the chart.
pub(super) fn read_in(facts: &BTreeSet<context::ReadRule>) -> Vec<Value> {
    of_namespaces(facts).map(|(namespace, rules)| json!({ "namespace": namespace, "rules": rules })).collect()
}

/// The namespaces that facts are read from alone, and the rules for it.
fn of_namespaces(facts: &BTreeSet<context::ReadRule>) -> impl Iterator<Item = (&str, Vec<Value>)> {
    let namespaces: BTreeSet<&str> = facts.iter().filter_map(|fact| fact.namespace.as_deref()).collect();
    namespaces.into_iter().map(|namespace| {
        let of_namespace = facts.iter().filter(move |fact| fact.namespace.as_deref() == Some(namespace));
        (namespace, grouped(of_namespace))
    })
}

/// A Role with these rules in that namespace, and that meshgate has it.
pub(super) fn in_namespace(namespace: &str, rules: &Value) -> [Value; 2] {
    let metadata = || json!({ "name": SERVICE, "namespace": namespace, "labels": labels() });
    let version = "rbac.authorization.k8s.io/v1";
    let role = json!({ "apiGroup": AUTHORIZATION, "kind": "Role", "name": SERVICE });
    let account = json!([{ "kind": "ServiceAccount", "name": SERVICE, "namespace": NAMESPACE }]);
    [
        object(version, "Role", metadata(), [("rules", rules.clone())]),
        object(version, "RoleBinding", metadata(), [("roleRef", role), ("subjects", account)]),
    ]
}

/// What facts are read from, a rule a group, but for what meshgate reads anyway.
pub(super) fn of_facts(facts: &BTreeSet<context::ReadRule>) -> Vec<Value> {
    let is_read_anyway = |fact: &context::ReadRule| {
        let of = |rule: &Rule| rule.group == fact.group && rule.resources.contains(&fact.resource.as_str());
        CLUSTER
            .iter()
            .any(|rule| of(rule) && context::ReadRule::VERBS.iter().all(|verb| rule.verbs.contains(verb)))
    };
    grouped(facts.iter().filter(|fact| fact.namespace.is_none() && !is_read_anyway(fact)))
}

fn grouped<'a>(facts: impl Iterator<Item = &'a context::ReadRule>) -> Vec<Value> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for fact in facts {
        groups.entry(&fact.group).or_default().push(&fact.resource);
    }
    let rule = |(group, resources): (&str, Vec<&str>)| json!({ "apiGroups": [group], "resources": resources, "verbs": context::ReadRule::VERBS });
    groups.into_iter().map(rule).collect()
}

impl Rule {
    fn written(&self) -> Value {
        let (group, resources, verbs) = (self.group, self.resources, self.verbs);
        match self.names {
            [] => json!({ "apiGroups": [group], "resources": resources, "verbs": verbs }),
            names => {
                json!({ "apiGroups": [group], "resources": resources, "resourceNames": names, "verbs": verbs })
            }
        }
    }
}
