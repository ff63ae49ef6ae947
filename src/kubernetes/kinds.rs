//! What a kind is called as a resource, and whether its objects live in a namespace, without asking an API server.
//! Called by the dry run, which has manifests and needs the requests that they would become.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;

/// One row a kind: group, version, kind, resource, scope; of a group's versions the preferred one first.
/// Written by tests/reference/kinds/generate.py.
const BUILT_IN: &str = include_str!("kinds/built_in.tsv");

/// The version of Kubernetes, major and minor, of which the table is: the newest that is known.
pub const NEWEST: (u64, u64) = (1, 37);

/// The groups into which the kinds of `extensions/v1beta1` moved before Kubernetes 1.22 ceased to serve it.
const AFTER_EXTENSIONS: [&str; 2] = ["apps", "networking.k8s.io"];

/// An API resource, as discovery names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version, such as `v1`.
    pub version: String,
    /// The kind, such as `Ingress`.
    pub kind: String,
    /// The resource, such as `ingresses`.
    pub plural: String,
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
}

/// The resource of a kind that Kubernetes itself serves in that version; `api_version` as in a manifest.
pub fn built_in(api_version: &str, kind: &str) -> Option<Resource> {
    let (group, version) = split(api_version);
    table().find(|row| row.is(group, kind) && row.version == version).map(Row::resource)
}

/// Whether Kubernetes itself serves that kind, in any version.
pub fn is_built_in(group: &str, kind: &str) -> bool {
    table().any(|row| row.is(group, kind))
}

/// The resources of a kind of Kubernetes' own, one of each group that has such a kind, in the preferred version.
pub fn named(kind: &str) -> Vec<Resource> {
    let mut found: Vec<Resource> = Vec::new();
    for row in table().filter(|row| row.kind == kind) {
        if found.iter().all(|one| one.group != row.group) {
            found.push(row.resource());
        }
    }
    found
}

/// The name of that kind as a word of this program; None for what Kubernetes itself does not serve.
pub fn built_in_word(group: &str, kind: &str) -> Option<&'static str> {
    table().find(|row| row.is(group, kind)).map(|row| row.kind)
}

/// The kind of Kubernetes' own that differs from `kind` in upper and lower case only, which an API server doesn't take.
pub fn misspelt(api_version: &str, kind: &str) -> Option<&'static str> {
    let (group, _) = split(api_version);
    let mut rows = table().filter(|row| row.group == group);
    rows.find(|row| row.kind.eq_ignore_ascii_case(kind)).map(|row| row.kind).filter(|meant| *meant != kind)
}

/// The groups of Kubernetes' own.
pub fn groups() -> BTreeSet<&'static str> {
    table().map(|row| row.group).collect()
}

/// The kinds of a group of Kubernetes' own; none for other groups.
pub fn of_group(group: &str) -> Vec<&'static str> {
    table().filter(|row| row.group == group).map(|row| row.kind).collect()
}

/// The resources of a group of Kubernetes' own; none for other groups.
pub fn plurals(group: &str) -> Vec<&'static str> {
    table().filter(|row| row.group == group).map(|row| row.plural).collect()
}

/// Of a version that Kubernetes doesn't serve (any more), the resource in which the same objects are served now, in
/// the preferred version: for `apps/v1beta1` and `extensions/v1beta1` Deployments `deployments.apps` in `v1`.
pub fn successor(api_version: &str, kind: &str) -> Option<Resource> {
    let (group, _) = split(api_version);
    let groups = if group == "extensions" { &AFTER_EXTENSIONS[..] } else { &[group] };
    table().find(|row| groups.iter().any(|group| row.is(group, kind))).map(Row::resource)
}

/// The resource by the English plural of the kind, as the generators of CustomResourceDefinitions make it (controller-tools:
/// `gateways`, where kubectl's `meta.UnsafeGuessKindToResource` has `gatewaies`), taken to be in a namespace.
pub fn guess(api_version: &str, kind: &str) -> Resource {
    let (group, version) = split(api_version);
    let singular = kind.to_lowercase();
    let hisses = ["s", "x", "z", "ch", "sh"].iter().any(|end| singular.ends_with(end));
    let plural = match singular.strip_suffix('y') {
        _ if singular.is_empty() || singular.ends_with("endpoints") => singular,
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{stem}ies"),
        _ if hisses => format!("{singular}es"),
        _ => format!("{singular}s"),
    };
    let [group, version, kind] = [group, version, kind].map(str::to_owned);
    Resource { group, version, kind, plural, namespaced: true }
}

/// The resources that a CustomResourceDefinition (`apiextensions.k8s.io/v1`) adds: one for each served version. None
/// for what is no CustomResourceDefinition, or one that an API server would refuse for lack of a name.
pub fn defined_by(definition: &Value) -> Vec<Resource> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (group, kind, plural) = (text("/spec/group"), text("/spec/names/kind"), text("/spec/names/plural"));
    let is_definition =
        split(text("/apiVersion")).0 == "apiextensions.k8s.io" && text("/kind") == "CustomResourceDefinition";
    if !is_definition || [group, kind, plural].contains(&"") {
        return Vec::new();
    }
    let versions = definition.pointer("/spec/versions").and_then(Value::as_array).into_iter().flatten();
    let served = versions.filter(|version| version.get("served") == Some(&Value::Bool(true)));
    let names = served.filter_map(|version| version.get("name").and_then(Value::as_str));
    let resource = |version: &str| Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
        namespaced: text("/spec/scope") != "Cluster",
    };
    names.map(resource).collect()
}

/// A line of the table.
#[derive(Clone, Copy)]
struct Row {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
}

impl Row {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let (group, version, kind) = (columns.next()?, columns.next()?, columns.next()?);
        Some(Self {
            group,
            version,
            kind,
            plural: columns.next()?,
            namespaced: columns.next()? == "namespaced",
        })
    }

    fn is(&self, group: &str, kind: &str) -> bool {
        self.group == group && self.kind == kind
    }

    fn resource(self) -> Resource {
        let [group, version, kind, plural] =
            [self.group, self.version, self.kind, self.plural].map(str::to_owned);
        Resource { group, version, kind, plural, namespaced: self.namespaced }
    }
}

/// Read once: a dry run asks about every manifest.
fn table() -> impl Iterator<Item = Row> {
    static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
        BUILT_IN.lines().filter(|line| !line.starts_with('#')).filter_map(Row::read).collect()
    });
    TABLE.iter().copied()
}

/// Group and version of an apiVersion; the core group has no name.
fn split(api_version: &str) -> (&str, &str) {
    api_version.split_once('/').unwrap_or(("", api_version))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_newest_version_is_that_of_the_table() {
        let (major, minor) = NEWEST;
        assert!(BUILT_IN.starts_with(&format!("# k8s.io/kubernetes@v{major}.{minor}.")));
    }

    fn plural_and_scope(resource: &Resource) -> (&str, bool) {
        (&resource.plural, resource.namespaced)
    }

    #[test]
    fn built_in_kinds_have_their_resource_and_scope() {
        let rows = [
            ("v1", "Pod", "pods", true),
            ("v1", "Endpoints", "endpoints", true),
            ("v1", "Namespace", "namespaces", false),
            ("apps/v1", "Deployment", "deployments", true),
            ("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true),
            ("networking.k8s.io/v1", "Ingress", "ingresses", true),
            ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", true),
            ("networking.k8s.io/v1", "IngressClass", "ingressclasses", false),
            ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions", false),
            (
                "admissionregistration.k8s.io/v1",
                "ValidatingAdmissionPolicy",
                "validatingadmissionpolicies",
                false,
            ),
        ];
        for (api_version, kind, plural, namespaced) in rows {
            let resource = built_in(api_version, kind).unwrap_or_else(|| panic!("{api_version} {kind}"));
            assert_eq!(plural_and_scope(&resource), (plural, namespaced), "{api_version} {kind}");
            assert_eq!((split(api_version), kind), ((&*resource.group, &*resource.version), &*resource.kind));
        }
    }

    #[test]
    fn a_kind_is_built_in_by_group_version_and_kind_alike() {
        for (api_version, kind) in
            [("v1", "Deployment"), ("apps/v2", "Deployment"), ("apps/v1", "deployment"), ("", "Pod")]
        {
            assert_eq!(built_in(api_version, kind), None, "{api_version} {kind}");
        }
    }

    #[test]
    fn every_line_of_the_table_is_read_and_none_repeats() {
        let lines = BUILT_IN.lines().filter(|line| !line.starts_with('#')).count();
        let rows: Vec<Row> = table().collect();
        assert!(lines > 90, "{lines} lines");
        assert_eq!(rows.len(), lines);
        assert!(rows.iter().all(|row| !row.version.is_empty() && !row.plural.is_empty()));
        assert_eq!(
            rows.iter().map(|row| (row.group, row.version, row.kind)).collect::<BTreeSet<_>>().len(),
            lines
        );
        assert!(
            BUILT_IN
                .lines()
                .skip(1)
                .all(|line| line.ends_with("\tnamespaced") || line.ends_with("\tcluster"))
        );
    }

    #[test]
    fn what_is_no_longer_served_has_a_successor() {
        let rows = [
            ("extensions/v1beta1", "Deployment", Some("apps/v1 deployments")),
            ("extensions/v1beta1", "Ingress", Some("networking.k8s.io/v1 ingresses")),
            ("extensions/v1beta1", "NetworkPolicy", Some("networking.k8s.io/v1 networkpolicies")),
            ("apps/v1beta2", "StatefulSet", Some("apps/v1 statefulsets")),
            ("batch/v1beta1", "CronJob", Some("batch/v1 cronjobs")),
            (
                "autoscaling/v2beta2",
                "HorizontalPodAutoscaler",
                Some("autoscaling/v2 horizontalpodautoscalers"),
            ),
            ("policy/v1beta1", "PodDisruptionBudget", Some("policy/v1 poddisruptionbudgets")),
            ("policy/v1beta1", "PodSecurityPolicy", None),
            ("extensions/v1beta1", "PodSecurityPolicy", None),
            ("extensions/v1beta1", "Pod", None),
            ("example.org/v1", "Deployment", None),
        ];
        for (api_version, kind, expected) in rows {
            let found =
                successor(api_version, kind).map(|r| format!("{}/{} {}", r.group, r.version, r.plural));
            assert_eq!(found.as_deref(), expected, "{api_version} {kind}");
        }
    }

    #[test]
    fn other_kinds_have_their_english_plural() {
        let rows = [
            ("Widget", "widgets"),
            ("Policy", "policies"),
            ("Gateway", "gateways"),
            ("Class", "classes"),
            ("DNS", "dnses"),
            ("Box", "boxes"),
            ("Switch", "switches"),
            ("MyEndpoints", "myendpoints"),
            ("Y", "ies"),
            ("", ""),
        ];
        for (kind, plural) in rows {
            let resource = guess("example.org/v1alpha1", kind);
            assert_eq!(plural_and_scope(&resource), (plural, true), "{kind}");
            assert_eq!(
                (&*resource.group, &*resource.version, &*resource.kind),
                ("example.org", "v1alpha1", kind)
            );
        }
        assert_eq!(
            (guess("v1", "Thing").group, guess("v1", "Thing").version),
            (String::new(), "v1".to_owned())
        );
    }

    fn definition(scope: &str) -> Value {
        let version = |name: &str, served: bool| json!({ "name": name, "served": served, "storage": served });
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "spec": {
                "group": "example.org",
                "names": { "kind": "Gateway", "plural": "gateways" },
                "scope": scope,
                "versions": [version("v1", true), version("v1beta1", true), version("v1alpha1", false)],
            },
        })
    }

    #[test]
    fn a_custom_resource_definition_defines_its_served_versions() {
        for (scope, namespaced) in [("Namespaced", true), ("Cluster", false)] {
            let resource = |version: &str| Resource {
                group: "example.org".to_owned(),
                version: version.to_owned(),
                kind: "Gateway".to_owned(),
                plural: "gateways".to_owned(),
                namespaced,
            };
            assert_eq!(defined_by(&definition(scope)), [resource("v1"), resource("v1beta1")]);
        }
    }

    #[test]
    fn what_is_no_complete_definition_defines_nothing() {
        let broken = [
            ("/kind", json!("Gateway")),
            ("/apiVersion", json!("example.org/v1")),
            ("/spec/group", json!(5)),
            ("/spec/names/kind", json!("")),
            ("/spec/names/plural", Value::Null),
            ("/spec/versions", json!("v1")),
            (
                "/spec/versions",
                json!([null, { "name": "v1" }, { "served": true }, { "name": "v1", "served": "true" }]),
            ),
            ("/spec", json!([])),
        ];
        for (pointer, value) in broken {
            let mut definition = definition("Cluster");
            *definition.pointer_mut(pointer).unwrap() = value;
            assert_eq!(defined_by(&definition), [], "{pointer}");
        }
    }
}
