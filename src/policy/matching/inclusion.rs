//! Whether one `match` means all that another means: true is sure, false is not.

use super::{Match, Rule, RuleOperation, Scope};
use crate::kubernetes::label_selector::LabelSelector;

impl Match {
    /// Whether every request that `other` means is meant here. A match without rules leaves them to the policy, which
    /// is the same policy for both.
    pub fn covers(&self, other: &Self) -> bool {
        let is_covered = |rule: &Rule| self.rules.iter().any(|own| own.covers(rule));
        let rules = self.rules.is_empty() || (!other.rules.is_empty() && other.rules.iter().all(is_covered));
        let selectors = [
            (&self.namespace_selector, &other.namespace_selector),
            (&self.object_selector, &other.object_selector),
        ];
        let none = LabelSelector::default();
        let are_covered = |(own, theirs): (&Option<LabelSelector>, &Option<LabelSelector>)| {
            own.as_ref().is_none_or(|own| own.covers(theirs.as_ref().unwrap_or(&none)))
        };
        rules && selectors.into_iter().all(are_covered)
    }
}

impl Rule {
    fn covers(&self, other: &Self) -> bool {
        let all = |own: &[String], theirs: &[String]| {
            own.iter().any(|one| one == "*") || theirs.iter().all(|one| own.contains(one))
        };
        let operations = |one: &RuleOperation| {
            self.operations.contains(&RuleOperation::All) || self.operations.contains(one)
        };
        let resources = |(of, sub): (&str, &str)| {
            self.named().any(|(own, own_sub)| (own == "*" || own == of) && (own_sub == "*" || own_sub == sub))
        };
        all(&self.api_groups, &other.api_groups)
            && all(&self.api_versions, &other.api_versions)
            && other.operations.iter().all(operations)
            && other.named().all(resources)
            && (self.scope == Scope::All || self.scope == other.scope)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::MatchFields;
    use super::*;

    fn read(value: Value) -> Match {
        serde_json::from_value::<MatchFields>(value).unwrap().read().unwrap()
    }

    /// Pods, with these members.
    fn pods(members: Value) -> Match {
        let mut rule = json!({ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"] });
        rule.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        read(json!({ "rules": [rule] }))
    }

    #[test]
    fn what_is_wider_covers_what_is_narrower_and_not_the_reverse() {
        let labels = |labels: Value| read(json!({ "namespaceSelector": { "matchLabels": labels } }));
        let among = |operator: &str, values: Value| {
            let expression = json!({ "key": "a", "operator": operator, "values": values });
            read(json!({ "objectSelector": { "matchExpressions": [expression] } }))
        };
        for (wide, narrow) in [
            (pods(json!({})), pods(json!({ "operations": ["CREATE"] }))),
            (pods(json!({ "operations": ["*"] })), pods(json!({}))),
            (pods(json!({ "resources": ["*"] })), pods(json!({}))),
            (pods(json!({ "resources": ["pods/*"] })), pods(json!({}))),
            (pods(json!({ "resources": ["pods", "services"] })), pods(json!({}))),
            (pods(json!({ "apiGroups": ["*"] })), pods(json!({}))),
            (pods(json!({ "apiVersions": ["v1", "v2"] })), pods(json!({}))),
            (pods(json!({})), pods(json!({ "scope": "Namespaced" }))),
            (read(json!({})), pods(json!({}))),
            (read(json!({})), labels(json!({ "a": "1" }))),
            (labels(json!({ "a": "1" })), labels(json!({ "a": "1", "b": "2" }))),
            (among("In", json!(["x", "y"])), among("In", json!(["x"]))),
            (among("NotIn", json!(["x"])), among("NotIn", json!(["x", "y"]))),
            (among("NotIn", json!(["x"])), among("In", json!(["y"]))),
            (among("Exists", json!([])), among("In", json!(["y"]))),
            (among("NotIn", json!(["x"])), among("DoesNotExist", json!([]))),
        ] {
            assert!(
                wide.covers(&narrow) && wide.covers(&wide) && narrow.covers(&narrow),
                "{wide:?} {narrow:?}"
            );
            assert!(!narrow.covers(&wide), "{wide:?} {narrow:?}");
        }
        let (creates, updates) =
            (pods(json!({ "operations": ["CREATE"] })), pods(json!({ "operations": ["UPDATE"] })));
        assert!(!creates.covers(&updates) && !updates.covers(&creates));
    }
}
