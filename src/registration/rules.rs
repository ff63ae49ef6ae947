//! `rules` of a webhook: what policies are to be asked about, sorted, merged, and without what an API server refuses
//! beside a star (k8s.io/kubernetes, pkg/apis/admissionregistration/validation).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::engine::Bundle;
use crate::policy::{Rule, RuleOperation, Scope};

/// What a bundle's policies are to be asked about, by phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// By `/mutate`: of policies that patch, inject or pin.
    pub mutating: Rules,
    /// By `/validate`: of all policies.
    pub validating: Rules,
}

/// Rules, as a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(BTreeMap<Selection, BTreeSet<(String, String)>>);

/// All of a rule but its resources.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Selection {
    groups: BTreeSet<String>,
    versions: BTreeSet<String>,
    operations: BTreeSet<String>,
    scope: String,
}

impl Coverage {
    /// Those of a bundle.
    pub fn of(bundle: &Bundle) -> Self {
        let mut needs = Self::default();
        for bound in &bundle.bound {
            let rules = &bound.policy.metadata.matches.rules;
            needs.validating.extend(rules);
            if bound.mutates() || bound.injects() || bound.pins() {
                needs.mutating.extend(rules);
            }
        }
        needs
    }

    /// What either needs.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self {
            mutating: self.mutating.union(&other.mutating),
            validating: self.validating.union(&other.validating),
        }
    }

    /// Whether nothing of the other is missing here.
    pub fn covers(&self, other: &Self) -> bool {
        self.union(other) == *self
    }
}

impl Rules {
    /// Reads `rules` of an entry; a rule that can't be read means nothing.
    pub fn read(rules: &Value) -> Self {
        let mut all = Self::default();
        for rule in rules.as_array().into_iter().flatten() {
            let rule: Option<Rule> = serde_json::from_value(rule.clone()).ok();
            let Some(rule) = rule else { continue };
            // What is written there is meant to the letter.
            let written =
                rule.resources.iter().map(|pattern| pattern.split_once('/').unwrap_or((pattern, "")));
            all.add(Selection::of(&rule), written);
        }
        all
    }

    /// The same and one rule.
    #[must_use]
    pub fn with(
        mut self,
        group: &str,
        resources: &[&str],
        operations: &[RuleOperation],
        scope: Scope,
    ) -> Self {
        let selection = Selection {
            groups: [group.to_owned()].into(),
            versions: ["v1".to_owned()].into(),
            operations: words(operations),
            scope: scope.as_str().to_owned(),
        };
        self.add(selection, resources.iter().map(|pattern| pattern.split_once('/').unwrap_or((pattern, ""))));
        self
    }

    /// What of them is about objects in a namespace.
    #[must_use]
    pub fn namespaced(&self) -> Self {
        let mut all = Self::default();
        for (selection, resources) in &self.0 {
            if selection.scope != Scope::Cluster.as_str() {
                let selection =
                    Selection { scope: Scope::Namespaced.as_str().to_owned(), ..selection.clone() };
                all.add(selection, resources.iter().map(|(of, sub)| (of.as_str(), sub.as_str())));
            }
        }
        all
    }

    /// Both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (selection, resources) in &other.0 {
            all.add(selection.clone(), resources.iter().map(|(of, sub)| (of.as_str(), sub.as_str())));
        }
        all
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As an entry has them.
    pub fn to_value(&self) -> Value {
        let rule = |(selection, resources): (&Selection, &BTreeSet<(String, String)>)| {
            let resource = |(of, sub): &(String, String)| match sub.as_str() {
                "" => of.clone(),
                sub => format!("{of}/{sub}"),
            };
            json!({
                "apiGroups": selection.groups,
                "apiVersions": selection.versions,
                "operations": selection.operations,
                "resources": resources.iter().map(resource).collect::<BTreeSet<_>>(),
                "scope": selection.scope,
            })
        };
        self.0.iter().map(rule).collect()
    }

    fn extend(&mut self, rules: &[Rule]) {
        for rule in rules {
            self.add(Selection::of(rule), rule.named());
        }
    }

    fn add<'a>(&mut self, selection: Selection, resources: impl Iterator<Item = (&'a str, &'a str)>) {
        let all = self.0.entry(selection).or_default();
        all.extend(resources.map(|(of, sub)| (of.to_owned(), sub.to_owned())));
        let named = all.clone();
        let has = |of: &str, sub: &str| named.contains(&(of.to_owned(), sub.to_owned()));
        all.retain(|(of, sub)| {
            let is_star = of == "*" && sub == "*";
            let is_covered =
                (of != "*" && has("*", sub)) || (sub != "*" && has(of, "*")) || (!is_star && has("*", "*"));
            !is_covered
        });
    }
}

impl Selection {
    fn of(rule: &Rule) -> Self {
        let star = |words: BTreeSet<String>| {
            if words.contains("*") { BTreeSet::from(["*".to_owned()]) } else { words }
        };
        Self {
            groups: star(rule.api_groups.iter().cloned().collect()),
            versions: star(rule.api_versions.iter().cloned().collect()),
            operations: star(words(&rule.operations)),
            scope: rule.scope.as_str().to_owned(),
        }
    }
}

fn words(operations: &[RuleOperation]) -> BTreeSet<String> {
    operations.iter().map(|operation| operation.as_str().to_owned()).collect()
}
