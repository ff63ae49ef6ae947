//! `match` of a policy and of a binding: names and semantics of admissionregistration.k8s.io rules.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::admission::{Operation, Request};
use crate::kubernetes::label_selector::{LabelSelector, LabelSelectorError};

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

/// `admissionregistration.k8s.io/v1` RuleWithOperations. `*` matches everything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    /// Groups; `""` is the core group.
    pub api_groups: Vec<String>,
    /// Versions.
    pub api_versions: Vec<String>,
    /// `pods`, `pods/resize`, `pods/*`, `*`, `*/*`. A rule that names `pods` and no subresource of it also matches
    /// the subresources through which a Pod's containers change.
    pub resources: Vec<String>,
    /// Default: CREATE and UPDATE.
    #[serde(default = "writes")]
    pub operations: Vec<RuleOperation>,
    /// Default: both.
    #[serde(default)]
    pub scope: Scope,
}

/// An operation of a rule, or `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RuleOperation {
    /// Objects made.
    Create,
    /// Objects changed.
    Update,
    /// Objects deleted.
    Delete,
    /// exec, attach, port-forward, proxy.
    Connect,
    /// All of them.
    #[serde(rename = "*")]
    All,
}

/// Which objects, by scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Scope {
    /// Both.
    #[default]
    #[serde(rename = "*")]
    All,
    /// Objects without a namespace, Namespaces among them.
    Cluster,
    /// Objects in a namespace.
    Namespaced,
}

/// The wire form of [`Match`].
#[derive(Debug, Default, Deserialize)]
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
    /// The typed form.
    pub(super) fn read(self) -> Result<Match, LabelSelectorError> {
        let Self {
            rules,
            namespace_selector,
            object_selector,
            match_policy: None | Some(MatchPolicy::Equivalent),
        } = self;
        let selector = |value: Option<Value>| value.as_ref().map(LabelSelector::from_value).transpose();
        Ok(Match {
            rules,
            namespace_selector: selector(namespace_selector)?,
            object_selector: selector(object_selector)?,
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

    /// Whether Pods with these labels are meant when they are made.
    pub fn covers_pods(&self, labels: &Map<String, Value>) -> bool {
        let covers = |rule: &Rule| {
            contains(&rule.api_groups, "")
                && contains(&rule.api_versions, "v1")
                && rule.names("pods", None)
                && rule.operations.iter().any(|operation| operation.covers(Operation::Create))
                && rule.scope != Scope::Cluster
        };
        (self.rules.is_empty() || self.rules.iter().any(covers))
            && self.object_selector.as_ref().is_none_or(|selector| selector.matches(Some(labels)))
    }
}

impl Rule {
    fn covers(&self, request: &Request) -> bool {
        let resource = request.resource();
        contains(&self.api_groups, &resource.group)
            && contains(&self.api_versions, &resource.version)
            && self.names(&resource.resource, request.sub_resource())
            && self.operations.iter().any(|operation| operation.covers(request.operation()))
            && self.scope.covers(request)
    }

    fn names(&self, resource: &str, sub_resource: Option<&str>) -> bool {
        let said = self.resources.iter().any(|pattern| match (pattern.split_once('/'), sub_resource) {
            (None, None) => pattern == "*" || pattern == resource,
            (Some((of, sub)), Some(wanted)) => (of == "*" || of == resource) && (sub == "*" || sub == wanted),
            // `*/*` is everything, also what is no subresource (admissionregistration RuleWithOperations).
            (Some(("*", "*")), None) => true,
            _ => false,
        });
        said || self.implies(resource, sub_resource)
    }

    /// Containers of a running Pod are changed through two subresources whose object is the whole Pod (R10).
    fn implies(&self, resource: &str, sub_resource: Option<&str>) -> bool {
        resource == "pods"
            && matches!(sub_resource, Some("ephemeralcontainers" | "resize"))
            && self.resources.iter().any(|pattern| pattern == "pods" || pattern == "*")
            && !self.resources.iter().any(|pattern| pattern.starts_with("pods/"))
    }
}

impl RuleOperation {
    fn covers(self, operation: Operation) -> bool {
        matches!(
            (self, operation),
            (Self::All, _)
                | (Self::Create, Operation::Create)
                | (Self::Update, Operation::Update)
                | (Self::Delete, Operation::Delete)
                | (Self::Connect, Operation::Connect)
        )
    }
}

impl Scope {
    fn covers(self, request: &Request) -> bool {
        // The API server sends a Namespace's own name as the request's namespace; the object is cluster-scoped.
        let resource = request.resource();
        let is_namespace = resource.group.is_empty() && resource.resource == "namespaces";
        match self {
            Self::All => true,
            Self::Namespaced => request.namespace().is_some() && !is_namespace,
            Self::Cluster => request.namespace().is_none() || is_namespace,
        }
    }
}

fn contains(patterns: &[String], value: &str) -> bool {
    patterns.iter().any(|pattern| pattern == "*" || pattern == value)
}

fn writes() -> Vec<RuleOperation> {
    vec![RuleOperation::Create, RuleOperation::Update]
}
