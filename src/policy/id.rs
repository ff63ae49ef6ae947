//! The name of a policy.

use std::fmt;

/// `<category>/<policy>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyId(String);

impl PolicyId {
    /// Of its folders; a tenant's policies have `tenant_<name>` for a category.
    pub(super) fn new(category: &str, policy: &str) -> Self {
        Self(format!("{category}/{policy}"))
    }

    /// Under which meshgate's own guard of Namespaces speaks. No tree has a policy of this category.
    pub fn guard() -> Self {
        Self::new(Self::RESERVED, "guard")
    }

    /// The category of what is no policy of a tree.
    pub(super) const RESERVED: &str = "meshgate";

    /// The id as written: `<category>/<policy>`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder of the tree that holds its category.
    pub fn category(&self) -> &str {
        self.0.split('/').next().unwrap_or_default()
    }

    /// The Rego package: `policies.<category>.<policy>`.
    pub fn package(&self) -> String {
        format!("policies.{}", self.0.replace('/', "."))
    }

    /// Whether a binding's `policy` means this one: its id, `<category>/*` or `*`.
    pub(super) fn is_meant_by(&self, pattern: &str) -> bool {
        pattern == self.0
            || pattern == "*"
            || pattern
                .strip_suffix('*')
                .is_some_and(|category| category.ends_with('/') && self.0.starts_with(category))
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
