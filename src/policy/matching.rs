//! `match` of a policy and of a binding: names and semantics of admissionregistration.k8s.io rules.

mod inclusion;
mod misspelt;
mod never;
mod rule;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use never::{CONTROLLERS, NEVER_GROUPS, NEVER_RESOURCES, NEVER_SUB_RESOURCES, is_never};
pub use rule::{Mismatch, Rule, RuleOperation, Scope};

use crate::admission::{Operation, Request};
use crate::kubernetes::label_selector::LabelSelector;

/// The resources of Kubernetes' own kinds that are or make Pods.
const WORKLOADS: [(&str, &str); 9] = [
    ("", "pods"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
];

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
        let namespace_selector = selector("namespaceSelector", namespace_selector)?;
        let object_selector = selector("objectSelector", object_selector)?;
        if object_selector.as_ref().is_some_and(|selector| !selector.is_empty())
            && let Some(index) = rules.iter().position(Rule::only_connects)
        {
            let what = "a connection has no labels, so with an objectSelector nothing would ever be matched; remove it";
            let member = format!("rules[{index}].operations");
            return Err((format!("/rules/{index}/operations"), format!("{member}: {what}")));
        }
        Ok(Match { rules, namespace_selector, object_selector })
    }
}

impl Match {
    /// What keeps the request out of the rule that it is nearest to; None where its resource, operation and scope are
    /// meant, or where there are no rules.
    pub fn mismatch(&self, request: &Request) -> Option<Mismatch> {
        let mut nearest = None;
        for rule in &self.rules {
            nearest = nearest.max(Some(rule.mismatch(request)?));
        }
        nearest
    }

    /// The versions that the rules name which mean the request but for its version.
    pub fn versions(&self, request: &Request) -> Vec<&str> {
        let other = self.rules.iter().filter(|rule| rule.mismatch(request) == Some(Mismatch::Version));
        other.flat_map(|rule| rule.api_versions.iter().map(String::as_str)).collect()
    }

    /// Whether the object's or the old object's labels are meant, as the API server's object matcher has it
    /// (k8s.io/apiserver, pkg/admission/plugin/webhook/predicates/object): what a connection is about has no metadata,
    /// so it is selected by nothing but an empty selector.
    pub fn selects_object(&self, request: &Request) -> bool {
        let Some(selector) = self.object_selector.as_ref().filter(|selector| !selector.is_empty()) else {
            return true;
        };
        let has_labels =
            |object: &&Value| request.operation() != Operation::Connect || object.get("metadata").is_some();
        [request.object(), request.old_object()]
            .into_iter()
            .flatten()
            .filter(has_labels)
            .any(|object| selector.matches(object.pointer("/metadata/labels").and_then(Value::as_object)))
    }

    /// Means resources, by group, of other kinds that make Pods, as it means Deployments: where it means all of Kubernetes'
    /// own and does not name the others itself.
    pub(super) fn extend_to(&mut self, workloads: &[(String, String)]) {
        let means = |group: &str, resource: &str| self.rules.iter().any(|rule| rule.means(group, resource));
        if !WORKLOADS.into_iter().all(|(group, resource)| means(group, resource)) {
            return;
        }
        let others = workloads.iter().filter(|(group, resource)| !means(group, resource));
        let alike = |(group, resource): &(String, String)| {
            let rules = self.rules.iter().filter(|rule| rule.means("apps", "deployments"));
            let as_other = |rule: &Rule| Rule {
                api_groups: vec![group.clone()],
                api_versions: vec!["*".to_owned()],
                resources: vec![resource.clone()],
                ..rule.clone()
            };
            rules.map(as_other).collect::<Vec<_>>()
        };
        let added: Vec<Rule> = others.flat_map(alike).collect();
        self.rules.extend(added);
    }

    /// Whether there can be a request that both mean. Without rules: all that the other means.
    pub fn meets(&self, other: &Self) -> bool {
        self.rules.is_empty()
            || other.rules.is_empty()
            || self.rules.iter().any(|rule| other.rules.iter().any(|other| rule.meets(other)))
    }

    /// Whether Pods that a controller makes with these labels are sure to be meant; None: their labels are not known.
    pub fn covers_pods(&self, labels: Option<&Map<String, Value>>) -> bool {
        let is_sure = |selector: &LabelSelector| {
            // What a controller adds can't be told here.
            let is_meant = |labels| {
                selector.matches(Some(labels))
                    && !selector.keys().any(|key| ADDED_BY_CONTROLLERS.contains(&key))
            };
            selector.is_empty() || labels.is_some_and(is_meant)
        };
        (self.rules.is_empty() || self.rules.iter().any(Rule::covers_pods))
            && self.object_selector.as_ref().is_none_or(is_sure)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::admission::{GroupVersionKind, GroupVersionResource, RequestParts};

    fn read(fields: Value) -> Result<Match, (String, String)> {
        serde_json::from_value::<MatchFields>(fields).unwrap().read()
    }

    fn rules(rules: &Value) -> Match {
        read(json!({ "rules": rules })).unwrap()
    }

    /// About `group/version/resource[/subresource]`.
    fn parts(operation: Operation, path: &str, namespace: Option<&str>) -> RequestParts {
        let parts: Vec<&str> = path.split('/').collect();
        RequestParts {
            uid: "7".to_owned(),
            kind: GroupVersionKind::new(parts[0], parts[1], "Any"),
            resource: GroupVersionResource::new(parts[0], parts[1], parts[2]),
            sub_resource: parts.get(3).map(|name| (*name).to_owned()),
            name: "a".to_owned(),
            namespace: namespace.map(str::to_owned),
            operation,
            user_info: Value::Null,
            object: None,
            old_object: None,
            dry_run: false,
        }
    }

    fn request(operation: Operation, path: &str, namespace: Option<&str>) -> Request {
        Request::new(parts(operation, path, namespace))
    }

    #[test]
    fn what_keeps_a_request_out_is_told_for_the_nearest_rule() {
        let scales = json!([
            { "apiGroups": ["autoscaling"], "apiVersions": ["v2"], "resources": ["horizontalpodautoscalers"], "scope": "Namespaced" },
            { "apiGroups": ["apps"], "apiVersions": ["*"], "resources": ["*/scale"], "operations": ["UPDATE"] },
        ]);
        let matches = rules(&scales);
        let shop = Some("shop");
        for (operation, path, namespace, expected) in [
            (Operation::Create, "autoscaling/v2/horizontalpodautoscalers", shop, None),
            (Operation::Create, "autoscaling/v1/horizontalpodautoscalers", shop, Some(Mismatch::Version)),
            (Operation::Delete, "autoscaling/v1/horizontalpodautoscalers", shop, Some(Mismatch::Operation)),
            (Operation::Create, "autoscaling/v2/horizontalpodautoscalers", None, Some(Mismatch::Scope)),
            (Operation::Create, "autoscaling/v2/others", shop, Some(Mismatch::Resource)),
            (Operation::Update, "apps/v1/deployments/scale", shop, None),
            (Operation::Create, "apps/v1/deployments/scale", shop, Some(Mismatch::Operation)),
            (Operation::Update, "apps/v1/deployments", shop, Some(Mismatch::Resource)),
            (Operation::Update, "batch/v1/jobs/scale", shop, Some(Mismatch::Group)),
        ] {
            assert_eq!(
                matches.mismatch(&request(operation, path, namespace)),
                expected,
                "{operation} {path}"
            );
        }
        let other = request(Operation::Create, "autoscaling/v1/horizontalpodautoscalers", shop);
        assert_eq!(matches.versions(&other), ["v2"]);
        assert_eq!(Match::default().mismatch(&other), None, "a binding leaves rules to its policy");
    }

    #[test]
    fn who_means_every_kind_that_makes_pods_means_those_that_were_added() {
        let core = json!({ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods", "podtemplates", "replicationcontrollers"] });
        let apps = json!({ "apiGroups": ["apps"], "apiVersions": ["*"], "resources": ["daemonsets", "deployments", "replicasets", "statefulsets"], "operations": ["CREATE"] });
        let batch = |resources: Value| json!({ "apiGroups": ["batch"], "apiVersions": ["v1"], "resources": resources });
        let added = [("argoproj.io".to_owned(), "rollouts".to_owned())];
        let all = json!([core, apps, batch(json!(["cronjobs", "jobs"]))]);
        let named = json!({ "apiGroups": ["argoproj.io"], "apiVersions": ["v1"], "resources": ["rollouts"], "operations": ["UPDATE"] });
        let with_named = json!([core, apps, batch(json!(["cronjobs", "jobs"])), named]);
        for (written, expected) in [
            (all, [None, Some(Mismatch::Operation)]),
            (json!([core, apps, batch(json!(["jobs"]))]), [Some(Mismatch::Group), Some(Mismatch::Group)]),
            // It says itself what it wants of them.
            (with_named, [Some(Mismatch::Operation), Some(Mismatch::Version)]),
        ] {
            let mut matches = rules(&written);
            matches.extend_to(&added);
            let of = |operation| {
                matches.mismatch(&request(operation, "argoproj.io/v1alpha1/rollouts", Some("shop")))
            };
            assert_eq!([Operation::Create, Operation::Update].map(of), expected, "{written}");
        }
    }

    /// The scope of a Namespace is the cluster, though the request has a namespace: its name.
    #[test]
    fn scopes_are_those_of_the_api_server() {
        let scoped = |scope: &str| {
            rules(
                &json!([{ "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "operations": ["*"], "scope": scope }]),
            )
        };
        for (path, namespace, is_cluster) in [
            ("/v1/pods", Some("shop"), false),
            ("/v1/namespaces", Some("shop"), true),
            ("/v1/namespaces/status", Some("shop"), true),
            ("example.org/v1/namespaces", Some("shop"), false),
            ("rbac.authorization.k8s.io/v1/clusterroles", None, true),
        ] {
            let request = request(Operation::Update, path, namespace);
            let is_meant = |scope: &str| scoped(scope).mismatch(&request).is_none();
            assert_eq!(
                ["*", "Cluster", "Namespaced"].map(is_meant),
                [true, is_cluster, !is_cluster],
                "{path}"
            );
        }
    }

    #[test]
    fn the_new_or_the_old_object_is_selected() {
        let labelled = |value: &str| Some(json!({ "metadata": { "labels": { "app": value } } }));
        let bare = Some(json!({ "metadata": {} }));
        let options = Some(json!({ "kind": "PodExecOptions" }));
        let selector = |value: Value| read(json!({ "objectSelector": value })).unwrap();
        let (web, not_web) = (
            selector(json!({ "matchLabels": { "app": "web" } })),
            selector(
                json!({ "matchExpressions": [{ "key": "app", "operator": "NotIn", "values": ["web"] }] }),
            ),
        );
        let empty = selector(json!({ "matchLabels": {} }));
        for (operation, new, old, expected) in [
            (Operation::Create, labelled("web"), None, [true, false, true]),
            (Operation::Create, labelled("other"), None, [false, true, true]),
            (Operation::Create, bare.clone(), None, [false, true, true]),
            (Operation::Update, labelled("other"), labelled("web"), [true, true, true]),
            (Operation::Update, labelled("web"), labelled("other"), [true, true, true]),
            (Operation::Update, labelled("other"), bare.clone(), [false, true, true]),
            (Operation::Delete, None, labelled("web"), [true, false, true]),
            (Operation::Delete, None, None, [false, false, true]),
            (Operation::Connect, options, None, [false, false, true]),
            (Operation::Connect, None, None, [false, false, true]),
        ] {
            let parts = parts(operation, "/v1/pods", Some("shop"));
            let request = Request::new(RequestParts { object: new, old_object: old, ..parts });
            let found = [&web, &not_web, &empty].map(|matches| matches.selects_object(&request));
            assert_eq!(found, expected, "{}", request.value());
        }
    }

    #[test]
    fn connections_can_not_be_selected_by_labels() {
        let rule = |operations: Value| json!({ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods/exec"], "operations": operations });
        let fields =
            |operations, selector: Value| json!({ "rules": [rule(operations)], "objectSelector": selector });
        let some = json!({ "matchLabels": { "app": "web" } });
        let (pointer, message) = read(fields(json!(["CONNECT"]), some.clone())).unwrap_err();
        assert_eq!(pointer, "/rules/0/operations");
        assert!(message.contains("a connection has no labels"), "{message}");
        assert!(read(fields(json!(["CONNECT"]), json!({}))).is_ok());
        assert!(read(fields(json!(["CONNECT", "CREATE"]), some)).is_ok());
    }
}
