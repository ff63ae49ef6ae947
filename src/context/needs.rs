//! What facts need of a cluster: the kinds to watch, and the rights to. Derived from what policies declare, nothing else.

use std::collections::{BTreeMap, BTreeSet};

use super::objects::Keep;
use crate::admission::GroupVersionKind;
use crate::kubernetes::kinds;

/// What is needed, as the policies in force declare it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The kinds, and how much of their objects.
    pub kinds: BTreeMap<GroupVersionKind, Keep>,
    /// Kinds of which a namespace alone is looked at.
    pub namespaced: BTreeMap<(GroupVersionKind, String), Keep>,
    /// Whether the version of the cluster is read.
    pub version: bool,
}

/// A rule of a ClusterRole or Role (rbac.authorization.k8s.io/v1 PolicyRule). The verbs are get, list and watch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadRule {
    /// Empty for the core group.
    pub group: String,
    /// As in `limitranges`.
    pub resource: String,
    /// The namespace of the Role; None: it is one of a ClusterRole.
    pub namespace: Option<String>,
}

impl ReadRule {
    /// What may be done.
    pub const VERBS: [&str; 3] = ["get", "list", "watch"];
}

impl Needs {
    /// Adds a kind.
    pub fn add(&mut self, kind: GroupVersionKind, keep: Keep) {
        let kept = self.kinds.entry(kind).or_insert(keep);
        *kept = kept.and(keep);
    }

    /// Adds a kind in one namespace.
    pub fn add_in(&mut self, namespace: &str, kind: GroupVersionKind, keep: Keep) {
        let kept = self.namespaced.entry((kind, namespace.to_owned())).or_insert(keep);
        *kept = kept.and(keep);
    }

    /// All that is looked at: the kind, the namespace where it is one alone, and how much.
    pub fn places(&self) -> impl Iterator<Item = (&GroupVersionKind, Option<&str>, Keep)> {
        let all = self.kinds.iter().map(|(kind, keep)| (kind, None, *keep));
        let own = self.namespaced.iter();
        all.chain(own.map(|((kind, namespace), keep)| (kind, Some(namespace.as_str()), *keep)))
    }

    /// All that is in one of the two.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (kind, keep) in &other.kinds {
            both.add(kind.clone(), *keep);
        }
        for ((kind, namespace), keep) in &other.namespaced {
            both.add_in(namespace, kind.clone(), *keep);
        }
        Self { version: self.version || other.version, ..both }
    }

    /// The rights that reading them takes; of a kind that is not Kubernetes' own the resource is guessed, as kubectl does.
    pub fn rules(&self) -> BTreeSet<ReadRule> {
        self.places()
            .map(|(kind, namespace, _)| {
                let api_version = kind.api_version();
                let built_in = kinds::built_in(&api_version, &kind.kind);
                let resource = built_in.unwrap_or_else(|| kinds::guess(&api_version, &kind.kind));
                let namespace = namespace.map(str::to_owned);
                ReadRule { group: resource.group, resource: resource.plural, namespace }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_add_up_and_name_their_rights() {
        let kind = |group: &str, kind: &str| GroupVersionKind::new(group, "v1", kind);
        let mut one = Needs::default();
        one.add(kind("apps", "ReplicaSet"), Keep::Owner);
        let mut other = Needs { version: true, ..Needs::default() };
        other.add(kind("apps", "ReplicaSet"), Keep::Whole);
        other.add(kind("example.com", "Policy"), Keep::Whole);
        let both = one.and(&other);
        assert_eq!(both, other);
        let rule = |group: &str, resource: &str, namespace: Option<&str>| ReadRule {
            group: group.into(),
            resource: resource.into(),
            namespace: namespace.map(str::to_owned),
        };
        let rules = [rule("apps", "replicasets", None), rule("example.com", "policies", None)];
        assert_eq!(both.rules(), BTreeSet::from(rules.clone()));
        let mut there = Needs::default();
        there.add_in("mesh", kind("", "ConfigMap"), Keep::Whole);
        let with_there = BTreeSet::from_iter(rules.into_iter().chain([rule("", "configmaps", Some("mesh"))]));
        assert_eq!(both.and(&there).rules(), with_there);
    }
}
