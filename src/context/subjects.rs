//! Who may loosen what holds in a namespace, what of it is guarded beside meshgate's own words, and which namespaces
//! policies leave alone. The process's own configuration, handed on with the facts.

use std::collections::BTreeSet;

use serde_json::Value;

/// The group that no authorizer asks about (k8s.io/apiserver, pkg/authentication/user, SystemPrivilegedGroup).
const MASTERS: &str = "system:masters";

/// The namespace of the control plane's own Pods: without them there is no cluster to admit anything to.
pub const KUBE_SYSTEM: &str = "kube-system";

/// Users and groups, by their exact names, and what they are the masters of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    labels: BTreeSet<String>,
    excluded: BTreeSet<String>,
}

impl Subjects {
    /// These and nobody else.
    pub fn new(users: BTreeSet<String>, groups: BTreeSet<String>) -> Self {
        Self { users, groups, labels: BTreeSet::new(), excluded: BTreeSet::new() }
    }

    /// The same, with further labels of Namespaces that are guarded.
    #[must_use]
    pub fn guarding(mut self, labels: &BTreeSet<String>) -> Self {
        self.labels.extend(labels.iter().cloned());
        self
    }

    /// The same, with further namespaces that policies leave alone.
    #[must_use]
    pub fn excluding(mut self, namespaces: &BTreeSet<String>) -> Self {
        self.excluded.extend(namespaces.iter().cloned());
        self
    }

    /// The same and a user.
    #[must_use]
    pub fn with_user(mut self, user: &str) -> Self {
        self.users.insert(user.to_owned());
        self
    }

    /// The users, by name.
    pub fn users(&self) -> &BTreeSet<String> {
        &self.users
    }

    /// The groups whose members are meant, by name.
    pub fn groups(&self) -> &BTreeSet<String> {
        &self.groups
    }

    /// The labels of Namespaces that are guarded beside meshgate's own.
    pub fn labels(&self) -> &BTreeSet<String> {
        &self.labels
    }

    /// Whether policies leave a namespace alone.
    pub fn exclude(&self, namespace: &str) -> bool {
        namespace == KUBE_SYSTEM || self.excluded.contains(namespace)
    }

    /// Whether who asks (authentication.k8s.io/v1 UserInfo) is one of them.
    pub fn include(&self, user: &Value) -> bool {
        let has = |all: &BTreeSet<String>, name: &Value| name.as_str().is_some_and(|name| all.contains(name));
        let groups = user.get("groups").and_then(Value::as_array);
        user.get("username").is_some_and(|name| has(&self.users, name))
            || groups.is_some_and(|groups| groups.iter().any(|group| has(&self.groups, group)))
    }
}

impl Default for Subjects {
    /// Whoever is above all authorization anyway.
    fn default() -> Self {
        Self::new(BTreeSet::new(), BTreeSet::from([MASTERS.to_owned()]))
    }
}
