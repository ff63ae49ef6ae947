//! One rule of a `match`: `RuleWithOperations` of admissionregistration.k8s.io/v1, read as the API server's matcher
//! reads it (k8s.io/apiserver, pkg/admission/plugin/webhook/predicates/rules).

use serde::Deserialize;

use super::{misspelt, never};
use crate::admission::{Operation, Request};
use crate::kubernetes::kinds;

/// The subresources through which the containers of a running Pod change.
const CONTAINERS: [(&str, &str); 2] = [("pods", "ephemeralcontainers"), ("pods", "resize")];

/// `admissionregistration.k8s.io/v1` RuleWithOperations. `*` matches everything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    /// Groups; `""` is the core group.
    pub api_groups: Vec<String>,
    /// Versions.
    pub api_versions: Vec<String>,
    /// `pods`, `pods/resize`, `pods/*` (also `pods` itself), `*`, `*/*`. A rule that names `pods` also matches the
    /// subresources through which a Pod's containers change, unless it names one of those.
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

/// What keeps a request out of a rule: the first of these that does not fit. A later one is nearer to a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mismatch {
    /// The API group.
    Group,
    /// The resource or its subresource.
    Resource,
    /// The scope.
    Scope,
    /// The operation.
    Operation,
    /// Nothing but the version: with `matchPolicy: Equivalent` the request is meant, in a version that it did not come in.
    Version,
}

impl Rule {
    /// What keeps the request out; None where it is meant.
    pub(super) fn mismatch(&self, request: &Request) -> Option<Mismatch> {
        let resource = request.resource();
        if !contains(&self.api_groups, &resource.group) {
            Some(Mismatch::Group)
        } else if !self.names(&resource.resource, request.sub_resource()) {
            Some(Mismatch::Resource)
        } else if !self.scope.covers(request) {
            Some(Mismatch::Scope)
        } else if !self.operations.iter().any(|operation| operation.covers(request.operation())) {
            Some(Mismatch::Operation)
        } else {
            (!contains(&self.api_versions, &resource.version)).then_some(Mismatch::Version)
        }
    }

    /// Whether objects of that resource are meant, in some version.
    pub(super) fn means(&self, group: &str, resource: &str) -> bool {
        contains(&self.api_groups, group) && self.names(resource, None)
    }

    /// Whether the creation of Pods is meant.
    pub(super) fn covers_pods(&self) -> bool {
        contains(&self.api_groups, "")
            && contains(&self.api_versions, "v1")
            && self.names("pods", None)
            && self.operations.iter().any(|operation| operation.covers(Operation::Create))
            && self.scope != Scope::Cluster
    }

    /// Whether there can be a request that both rules mean.
    pub(super) fn meets(&self, other: &Self) -> bool {
        let share = |ours: &[String], theirs: &[String]| {
            ours.iter().any(|one| theirs.iter().any(|two| are_alike(one, two)))
        };
        let operations = |one: &RuleOperation| {
            other.operations.iter().any(|two| one == two || [*one, *two].contains(&RuleOperation::All))
        };
        let resources = |(of, sub): &(&str, &str)| {
            other.named().any(|(their_of, their_sub)| are_alike(of, their_of) && are_alike(sub, their_sub))
        };
        share(&self.api_groups, &other.api_groups)
            && share(&self.api_versions, &other.api_versions)
            && self.named().any(|one| resources(&one))
            && self.operations.iter().any(operations)
            && (self.scope == other.scope || [self.scope, other.scope].contains(&Scope::All))
    }

    /// Why no request can ever be meant, if so: the member and what is wrong with it.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let lists = [
            ("apiGroups", self.api_groups.is_empty()),
            ("apiVersions", self.api_versions.is_empty()),
            ("resources", self.resources.is_empty()),
            ("operations", self.operations.is_empty()),
        ];
        if let Some((member, _)) = lists.into_iter().find(|(_, is_empty)| *is_empty) {
            return Some((member, "empty, so nothing would ever be matched; name some, or `*`".to_owned()));
        }
        if self.api_groups.iter().any(|group| group == "core") {
            return Some(("apiGroups", "the core group is written `\"\"`".to_owned()));
        }
        if let Some(fault) = misspelt::fault(&self.api_groups, &self.api_versions).or_else(|| self.never()) {
            return Some(fault);
        }
        let unknown = self.resources.iter().find_map(|pattern| self.unknown(split(pattern).0))?;
        Some(("resources", unknown))
    }

    /// What is wrong with a rule that names, by more than a star, what no policy is ever asked about.
    fn never(&self) -> Option<(&'static str, String)> {
        let why = "is never sent to webhooks, so that the cluster can start and heal; remove it";
        if let Some(group) = self.api_groups.iter().find(|group| never::is_never(group, "", None)) {
            return Some(("apiGroups", format!("`{group}` {why}")));
        }
        let is_named = |pattern: &&String| {
            let (of, sub) = split(pattern);
            self.api_groups.iter().any(|group| never::is_never(group, of, Some(sub)))
        };
        self.resources.iter().find(is_named).map(|pattern| ("resources", format!("`{pattern}` {why}")))
    }

    /// Whether the rule means connections and nothing else.
    pub(super) fn only_connects(&self) -> bool {
        self.operations.iter().all(|operation| *operation == RuleOperation::Connect)
    }

    /// What is wrong with a resource that none of the groups has, where all groups are Kubernetes' own.
    fn unknown(&self, resource: &str) -> Option<String> {
        let known: Vec<&str> = self.api_groups.iter().map(|group| kinds::plurals(group)).try_fold(
            Vec::new(),
            |mut all: Vec<&str>, plurals| {
                if plurals.is_empty() {
                    return None;
                }
                all.extend(plurals);
                Some(all)
            },
        )?;
        if resource == "*" || known.contains(&resource) {
            return None;
        }
        let lower = resource.to_lowercase();
        let alike = known.iter().find(|plural| {
            let rest = plural.strip_prefix(lower.trim_end_matches('y'));
            **plural == lower || rest.is_some_and(|rest| ["s", "es", "ies"].contains(&rest))
        });
        let hint = alike.map_or_else(
            || "resources are written in the plural and in lower case".to_owned(),
            |plural| format!("did you mean `{plural}`?"),
        );
        Some(format!("Kubernetes has no resource `{resource}` in these groups; {hint}"))
    }

    fn names(&self, resource: &str, sub_resource: Option<&str>) -> bool {
        let wanted = sub_resource.unwrap_or_default();
        let names =
            |(of, sub): &(&str, &str)| (*of == "*" || *of == resource) && (*sub == "*" || *sub == wanted);
        self.named().any(|one| names(&one))
    }

    /// Resources with their subresources, which are empty where there is none. Containers of a running Pod are changed
    /// through two subresources whose object is the whole Pod: who names Pods means them (R10).
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        let written = || self.resources.iter().map(|pattern| split(pattern));
        let means_pods = written().any(|one| [("pods", ""), ("*", "")].contains(&one));
        let is_named = means_pods && written().any(|one| CONTAINERS.contains(&one));
        written().chain(CONTAINERS.into_iter().filter(move |_| means_pods && !is_named))
    }
}

impl RuleOperation {
    /// The word that is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::All => "*",
        }
    }

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
    /// The word that is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "*",
            Self::Cluster => "Cluster",
            Self::Namespaced => "Namespaced",
        }
    }

    fn covers(self, request: &Request) -> bool {
        // The API server sends a Namespace's own name as the request's namespace; the object is cluster-scoped.
        let is_cluster = request.namespace().is_none() || request.is_about_a_namespace();
        match self {
            Self::All => true,
            Self::Namespaced => !is_cluster,
            Self::Cluster => is_cluster,
        }
    }
}

/// A resource and its subresource, which is empty where there is none.
fn split(pattern: &str) -> (&str, &str) {
    pattern.split_once('/').unwrap_or((pattern, ""))
}

/// Whether two names, of which each may be a star, can be of the same thing.
fn are_alike(one: &str, two: &str) -> bool {
    one == two || [one, two].contains(&"*")
}

fn contains(patterns: &[String], value: &str) -> bool {
    patterns.iter().any(|pattern| pattern == "*" || pattern == value)
}

fn writes() -> Vec<RuleOperation> {
    vec![RuleOperation::Create, RuleOperation::Update]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(members: Value) -> Rule {
        let mut all = json!({ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"] });
        all.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        serde_json::from_value(all).unwrap()
    }

    /// The table of the API server's own test (rules_test.go, TestResource), and ours for Pods' containers.
    #[test]
    fn resources_match_as_in_the_api_server() {
        let all =
            [("pods", ""), ("pods", "exec"), ("services", ""), ("services", "proxy"), ("services", "status")];
        let table: [(&[&str], &[usize]); 9] = [
            (&["services"], &[2]),
            (&["services/*"], &[2, 3, 4]),
            (&["services/proxy"], &[3]),
            (&["*/proxy"], &[3]),
            (&["*/*"], &[0, 1, 2, 3, 4]),
            (&["*"], &[0, 2]),
            (&["*/"], &[0, 2]),
            (&["*", "*/exec"], &[0, 1, 2]),
            (&["endpoints/*", "services/status"], &[4]),
        ];
        for (resources, expected) in table {
            let rule = rule(json!({ "resources": resources }));
            let matched: Vec<usize> = all
                .iter()
                .enumerate()
                .filter(|(_, (of, sub))| rule.names(of, Some(*sub).filter(|sub| !sub.is_empty())))
                .map(|(index, _)| index)
                .collect();
            assert_eq!(matched, expected, "{resources:?}");
        }
        for (resources, expected) in [
            (&["pods"][..], true),
            (&["*"], true),
            (&["pods", "pods/resize"], false),
            (&["pods", "pods/exec"], true),
            (&["pods/status"], false),
        ] {
            let rule = rule(json!({ "resources": resources }));
            assert_eq!(rule.names("pods", Some("ephemeralcontainers")), expected, "{resources:?}");
            assert!(!rule.names("pods", Some("eviction")), "{resources:?}");
        }
    }

    #[test]
    fn rules_that_can_never_match_say_why() {
        let table = [
            (json!({ "resources": [] }), "resources", "nothing would ever be matched"),
            (json!({ "apiGroups": [] }), "apiGroups", "nothing would ever be matched"),
            (json!({ "apiVersions": [] }), "apiVersions", "nothing would ever be matched"),
            (json!({ "operations": [] }), "operations", "nothing would ever be matched"),
            (json!({ "apiGroups": ["core"] }), "apiGroups", "is written `\"\"`"),
            (json!({ "apiGroups": ["", "app"] }), "apiGroups", "no group `app`; did you mean `apps`?"),
            (json!({ "apiGroups": ["Apps"] }), "apiGroups", "no group `Apps`; did you mean `apps`?"),
            (json!({ "apiGroups": ["apps/v1"] }), "apiGroups", "write `apps`, and the version below"),
            (json!({ "apiGroups": ["Example.org"] }), "apiGroups", "in lower case"),
            (json!({ "apiVersions": ["v1", "apps/v1"] }), "apiVersions", "no version `apps/v1`"),
            (json!({ "apiVersions": ["V1"] }), "apiVersions", "no version `V1`"),
            (json!({ "resources": ["pod"] }), "resources", "did you mean `pods`?"),
            (json!({ "resources": ["Pods"] }), "resources", "did you mean `pods`?"),
            (
                json!({ "resources": ["pods", "ingress"], "apiGroups": ["", "networking.k8s.io"] }),
                "resources",
                "`ingresses`",
            ),
            (json!({ "resources": ["deployments"] }), "resources", "in the plural"),
            (json!({ "resources": ["nodes"] }), "resources", "`nodes` is never sent"),
            (json!({ "resources": ["pods", "pods/binding"] }), "resources", "`pods/binding` is never sent"),
            (
                json!({ "apiGroups": ["*"], "resources": ["*/status"] }),
                "resources",
                "`*/status` is never sent",
            ),
            (
                json!({ "apiGroups": ["coordination.k8s.io"], "resources": ["leases"] }),
                "apiGroups",
                "`coordination.k8s.io` is never sent",
            ),
        ];
        for (members, member, needle) in table {
            let (found, text) = rule(members.clone()).fault().unwrap_or_else(|| panic!("{members}"));
            assert_eq!(found, member, "{members}");
            assert!(text.contains(needle), "{members}: {text}");
        }
        let fine = [
            json!({}),
            json!({ "resources": ["pods/exec", "*/scale", "*"] }),
            json!({ "apiGroups": ["*"], "resources": ["anything"] }),
            json!({ "apiGroups": ["", "example.org"], "resources": ["widgets"] }),
            json!({ "apiGroups": ["apps", "batch"], "resources": ["deployments", "jobs"] }),
        ];
        for members in fine {
            assert_eq!(rule(members.clone()).fault(), None, "{members}");
        }
    }

    #[test]
    fn rules_meet_where_one_request_is_meant_by_both() {
        let pods = rule(json!({}));
        let table = [
            (json!({}), true),
            (json!({ "resources": ["*"] }), true),
            (json!({ "resources": ["*/*"], "apiGroups": ["*"] }), true),
            (json!({ "resources": ["pods/*"] }), true),
            (json!({ "resources": ["pods/resize"] }), true),
            (json!({ "resources": ["services"] }), false),
            (json!({ "apiGroups": ["apps"] }), false),
            (json!({ "apiVersions": ["v2", "*"] }), true),
            (json!({ "operations": ["DELETE"] }), false),
            (json!({ "operations": ["*"] }), true),
            (json!({ "scope": "Cluster" }), true),
        ];
        for (members, expected) in table {
            let other = rule(members.clone());
            assert_eq!((pods.meets(&other), other.meets(&pods)), (expected, expected), "{members}");
        }
        let namespaced = rule(json!({ "scope": "Namespaced" }));
        assert!(!namespaced.meets(&rule(json!({ "scope": "Cluster" }))));
    }
}
