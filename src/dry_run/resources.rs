//! What a manifest's kind is called as a resource, and whether it has a namespace.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::engine::Bundle;
use crate::kubernetes::kinds::{self, Resource};

/// The resources that are known without a cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Resources {
    defined: BTreeMap<(String, String), Resource>,
    /// `group/resource` of all rules in force, to guess by.
    named_in_rules: BTreeSet<(String, String)>,
}

impl Resources {
    /// Learns from the CustomResourceDefinitions among `objects` and from the rules of `bundle`.
    pub(super) fn learn<'a>(objects: impl Iterator<Item = &'a Value>, bundle: &Bundle) -> Self {
        let definitions = objects
            .filter(|object| object.get("kind").and_then(Value::as_str) == Some("CustomResourceDefinition"));
        let defined = definitions.flat_map(kinds::defined_by).map(|resource| {
            let api_version = format!("{}/{}", resource.group, resource.version);
            ((api_version, resource.kind.clone()), resource)
        });
        let rules = bundle
            .bound
            .iter()
            .flat_map(|b| b.policy.metadata.matches.rules.iter().chain(&b.binding.matches.rules));
        let named = rules.flat_map(|rule| {
            rule.api_groups.iter().flat_map(|group| {
                let plain = rule.resources.iter().filter(|resource| !resource.contains(['/', '*']));
                plain.map(|resource| (group.clone(), resource.clone()))
            })
        });
        Self { defined: defined.collect(), named_in_rules: named.collect() }
    }

    /// The resource of a kind, and whether it is a guess that nothing confirms: no rule in force names it either.
    pub(super) fn of(&self, api_version: &str, kind: &str) -> (Resource, bool) {
        let defined = self.defined.get(&(api_version.to_owned(), kind.to_owned())).cloned();
        // No CustomResourceDefinition can take a built-in kind's place.
        match kinds::built_in(api_version, kind).or(defined) {
            Some(resource) => (resource, false),
            None => {
                let resource = self.guess(api_version, kind);
                let is_named = self.is_named(&resource);
                (resource, !is_named)
            }
        }
    }

    /// Whether a CustomResourceDefinition defines the kind.
    pub(super) fn defines(&self, api_version: &str, kind: &str) -> bool {
        self.defined.contains_key(&(api_version.to_owned(), kind.to_owned()))
    }

    fn is_named(&self, resource: &Resource) -> bool {
        self.named_in_rules.contains(&(resource.group.clone(), resource.plural.clone()))
    }

    /// A version that Kubernetes no longer serves is the resource that took its place, so that the same rules match;
    /// of other kinds the name in a rule that looks like it, else kubectl's plural.
    fn guess(&self, api_version: &str, kind: &str) -> Resource {
        if let Some(successor) = kinds::successor(api_version, kind) {
            return successor;
        }
        let mut resource = kinds::guess(api_version, kind);
        let lower = kind.to_lowercase();
        let stem = lower.strip_suffix('y').unwrap_or(&lower);
        let alike = |name: &&(String, String)| {
            name.0 == resource.group
                && name.1.starts_with(stem)
                && name.1.len() <= lower.len().saturating_add(3)
        };
        if let (false, Some((_, plural))) = (self.is_named(&resource), self.named_in_rules.iter().find(alike))
        {
            resource.plural.clone_from(plural);
        }
        resource
    }
}
