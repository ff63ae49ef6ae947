//! `match` of a policy and of a binding: names and semantics of admissionregistration.k8s.io rules.

mod rule;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use rule::{Rule, RuleOperation, Scope};

use crate::admission::Request;
use crate::kubernetes::label_selector::LabelSelector;

/// Labels that controllers add to the Pods that they make (well-known labels; pkg/controller).
const ADDED_BY_CONTROLLERS: [&str; 9] = [
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "controller-uid",
    "job-name",
    "pod-template-generation",
    "pod-template-hash",
    "statefulset.kubernetes.io/pod-name",
];

/// Which requests a policy is asked about.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// One of them has to match; a binding without rules leaves them to its policy.
    pub rules: Vec<Rule>,
    /// Over the labels of the request's namespace (a Namespace object's own labels for itself);
    /// cluster-scoped objects always match.
    pub namespace_selector: Option<LabelSelector>,
    /// Over the labels of the object or of the old object.
    pub object_selector: Option<LabelSelector>,
}

/// The wire form of [`Match`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct MatchFields {
    #[serde(default)]
    rules: Vec<Rule>,
    namespace_selector: Option<Value>,
    object_selector: Option<Value>,
    match_policy: Option<MatchPolicy>,
}

/// `matchPolicy`: meshgate registers Equivalent, so the other word would be a promise that nobody keeps.
#[derive(Clone, Copy, Debug, Deserialize)]
enum MatchPolicy {
    Equivalent,
}

impl MatchFields {
    /// The typed form, or what is wrong and where, as a JSON pointer.
    pub(super) fn read(self) -> Result<Match, (String, String)> {
        let Self {
            rules,
            namespace_selector,
            object_selector,
            match_policy: None | Some(MatchPolicy::Equivalent),
        } = self;
        for (index, rule) in rules.iter().enumerate() {
            if let Some((member, message)) = rule.fault() {
                return Err((
                    format!("/rules/{index}/{member}"),
                    format!("rules[{index}].{member}: {message}"),
                ));
            }
        }
        let selector = |name: &str, value: Option<Value>| {
            let read = value.as_ref().map(LabelSelector::from_value).transpose();
            read.map_err(|error| (format!("/{name}"), format!("{name}: {error}")))
        };
        Ok(Match {
            rules,
            namespace_selector: selector("namespaceSelector", namespace_selector)?,
            object_selector: selector("objectSelector", object_selector)?,
        })
    }
}

impl Match {
    /// Whether the request's resource, operation and scope are meant. No rules: yes.
    pub fn covers(&self, request: &Request) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|rule| rule.covers(request))
    }

    /// Whether the object's or the old object's labels are meant (as the API server's object matcher).
    pub fn selects_object(&self, request: &Request) -> bool {
        let Some(selector) = &self.object_selector else { return true };
        [request.object(), request.old_object()]
            .into_iter()
            .flatten()
            .any(|object| selector.matches(object.pointer("/metadata/labels").and_then(Value::as_object)))
    }

    /// Whether there can be a request that both mean. Without rules: all that the other means.
    pub fn meets(&self, other: &Self) -> bool {
        self.rules.is_empty()
            || other.rules.is_empty()
            || self.rules.iter().any(|rule| other.rules.iter().any(|other| rule.meets(other)))
    }

    /// Whether Pods that a controller makes with these labels are sure to be meant.
    pub fn covers_pods(&self, labels: &Map<String, Value>) -> bool {
        let is_sure = |selector: &LabelSelector| {
            // What a controller adds can't be told here.
            selector.matches(Some(labels)) && !selector.keys().any(|key| ADDED_BY_CONTROLLERS.contains(&key))
        };
        (self.rules.is_empty() || self.rules.iter().any(Rule::covers_pods))
            && self.object_selector.as_ref().is_none_or(is_sure)
    }
}
