//! Who may loosen what holds in a namespace. The process's own configuration, handed on with the facts.

use std::collections::BTreeSet;

use serde_json::Value;

/// The group that no authorizer asks about (k8s.io/apiserver, pkg/authentication/user, SystemPrivilegedGroup).
const MASTERS: &str = "system:masters";

/// Users and groups, by their exact names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
}

impl Subjects {
    /// These and nobody else.
    pub fn new(users: BTreeSet<String>, groups: BTreeSet<String>) -> Self {
        Self { users, groups }
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
        Self { users: BTreeSet::new(), groups: BTreeSet::from([MASTERS.to_owned()]) }
    }
}
