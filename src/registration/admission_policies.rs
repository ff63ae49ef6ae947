//! The two ValidatingAdmissionPolicies (KEP-3488) that hold while meshgate is away, with their bindings.
//!
//! `meshgate-guard`: what loosens anything in a namespace is changed by the configured subjects only (R38, R60).
//! `meshgate-own`: whoever may write Pods, Secrets or workloads everywhere does not thereby run meshgate's (R36).
//! The API server never shows admission policies to admission: RBAC alone protects these.

use serde_json::{Value, json};

use super::conditions::{guarded, guarded_labels};
use crate::config::{Configuration, NAMESPACE};

/// The policy of what is guarded of Namespaces.
pub const GUARD_POLICY: &str = "meshgate-guard";

/// The policy of the namespace of the installation.
pub const OWN_POLICY: &str = "meshgate-own";

/// Who writes in any namespace because it is his task: the control plane under its own names. Its controllers are
/// service accounts of kube-system where each has its own (kube-controller-manager, use-service-account-credentials).
const CONTROL_PLANE: &str = "['system:apiserver', 'system:kube-controller-manager', 'system:kube-scheduler']";

/// The lists of the configuration that stand in the expressions, each as a list of CEL. JSON is one: what is escaped in
/// its texts CEL escapes the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists {
    /// Users who may change what is guarded.
    pub users: String,
    /// Groups whose members may.
    pub groups: String,
    /// The guarded labels, meshgate's own among them.
    pub labels: String,
}

impl Lists {
    /// As the configuration says.
    pub fn of(configuration: &Configuration) -> Self {
        Self {
            users: json!(configuration.subjects.users()).to_string(),
            groups: json!(configuration.subjects.groups()).to_string(),
            labels: guarded_labels(configuration),
        }
    }
}

/// Both policies and their bindings, as they are when the API server has defaulted them: what is live is compared with it.
pub fn admission_policies(lists: &Lists) -> [Value; 4] {
    [
        policy(GUARD_POLICY, guard(lists)),
        binding(GUARD_POLICY),
        policy(OWN_POLICY, own(lists)),
        binding(OWN_POLICY),
    ]
}

fn guard(lists: &Lists) -> Value {
    json!({
        "failurePolicy": "Fail",
        "matchConditions": [{
            "name": "guarded",
            "expression": format!("{}\n", guarded(&lists.labels)),
        }],
        "matchConstraints": constraints(&json!({}), &json!([rule(
            "",
            // Labels and annotations of a Namespace can be written through all three.
            &["namespaces", "namespaces/status", "namespaces/finalize"],
            &["CREATE", "UPDATE"],
            "*",
        )])),
        "validations": [{
            "expression": format!("{}\n", subjects(lists)),
            "message": "what meshgate guards of a Namespace is set, changed and removed only by the subjects of its configuration",
            "reason": "Forbidden",
        }],
    })
}

fn own(lists: &Lists) -> Value {
    let written = ["CREATE", "UPDATE", "DELETE"];
    let core = [
        "configmaps",
        "endpoints",
        "limitranges",
        "pods",
        "pods/ephemeralcontainers",
        "replicationcontrollers",
        "replicationcontrollers/scale",
        "resourcequotas",
        "secrets",
        "serviceaccounts",
        "serviceaccounts/token",
        "services",
    ];
    let rules = json!([
        rule("", &core, &written, "Namespaced"),
        rule("", &["pods/attach", "pods/exec", "pods/portforward"], &["CONNECT"], "Namespaced"),
        rule("", &["namespaces"], &["DELETE"], "Cluster"),
        rule("apps", &["*", "*/scale"], &written, "Namespaced"),
        // A Job's Pods are made by a controller, which may: who writes the Job would run what he likes here.
        rule("batch", &["*"], &written, "Namespaced"),
        rule("coordination.k8s.io", &["leases"], &written, "Namespaced"),
        // Who cuts the way to our Pods closes the cluster.
        rule("discovery.k8s.io", &["endpointslices"], &written, "Namespaced"),
        rule("networking.k8s.io", &["networkpolicies"], &written, "Namespaced"),
        rule("policy", &["poddisruptionbudgets"], &written, "Namespaced"),
        rule("rbac.authorization.k8s.io", &["rolebindings", "roles"], &written, "Namespaced"),
    ]);
    let selector = json!({
        "matchExpressions": [{ "key": "kubernetes.io/metadata.name", "operator": "In", "values": [NAMESPACE] }],
    });
    let expression = format!(
        "{} ||\n\
         request.userInfo.username in {CONTROL_PLANE} ||\n\
         request.userInfo.username.startsWith('system:serviceaccount:kube-system:') ||\n\
         request.userInfo.username.startsWith('system:serviceaccount:{NAMESPACE}:') ||\n\
         (has(request.userInfo.groups) && 'system:nodes' in request.userInfo.groups)\n",
        subjects(lists)
    );
    json!({
        "failurePolicy": "Fail",
        "matchConstraints": constraints(&selector, &rules),
        "validations": [{
            "expression": expression,
            "message": "the namespace of meshgate is written by the subjects of its configuration only",
            "reason": "Forbidden",
        }],
    })
}

/// Whether who asks is a subject.
fn subjects(lists: &Lists) -> String {
    format!(
        "request.userInfo.username in {} ||\n\
         (has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in {}))",
        lists.users, lists.groups
    )
}

fn constraints(namespaces: &Value, rules: &Value) -> Value {
    json!({
        "matchPolicy": "Equivalent",
        "namespaceSelector": namespaces,
        "objectSelector": {},
        "resourceRules": rules,
    })
}

fn rule(group: &str, resources: &[&str], operations: &[&str], scope: &str) -> Value {
    json!({
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": operations,
        "resources": resources,
        "scope": scope,
    })
}

fn policy(name: &str, spec: Value) -> Value {
    object("ValidatingAdmissionPolicy", name, spec)
}

fn binding(name: &str) -> Value {
    let spec = json!({ "policyName": name, "validationActions": ["Deny"] });
    object("ValidatingAdmissionPolicyBinding", name, spec)
}

#[expect(clippy::needless_pass_by_value, reason = "json! takes it")]
fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    })
}
