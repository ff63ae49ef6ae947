//! What a bundle needs of a cluster: what its policies in force declare, and nothing else.

use meshgate::admission::GroupVersionKind;
use meshgate::context::{Keep, Needs, ReadRule};
use meshgate::engine::compile;
use meshgate::policy::{Draft, Tree};
use meshgate::source;

/// The needs of a policy that declares `context`, `bound` or not.
fn needs(context: &str, bound: bool) -> Needs {
    let mut tree = Tree::default();
    let policy = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: {context}\n#   match:\n#     rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}}]\npackage policies.test.a\n\nwarn contains \"x\" if true\n"
    );
    tree.insert("test/a/a.rego", policy.clone());
    tree.insert("test/b/b.rego", policy.replace("policies.test.a", "policies.test.b").replace(context, "[]"));
    let one = if bound { "test/a" } else { "test/b" };
    tree.insert(
        "b.yaml",
        format!("apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b}}\nspec: {{policy: {one}, enforcement: deny}}\n"),
    );
    compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}")).needs()
}

/// The kinds beside Namespaces, as `apiVersion/Kind`, and how much of their objects.
fn kinds(needs: &Needs) -> Vec<(String, Keep)> {
    let shown =
        |(kind, keep): (&GroupVersionKind, &Keep)| (format!("{}/{}", kind.api_version(), kind.kind), *keep);
    needs
        .kinds
        .iter()
        .map(shown)
        .filter(|(kind, keep)| (kind.as_str(), *keep) != ("v1/Namespace", Keep::Labels))
        .collect()
}

#[test]
fn each_fact_needs_its_kinds() {
    let whole =
        |kinds: &[&str]| kinds.iter().map(|kind| ((*kind).to_owned(), Keep::Whole)).collect::<Vec<_>>();
    for (context, expected) in [
        ("[now, namespace, containers, pod, exceptions, mesh.proposal]", whole(&[])),
        ("[limit_ranges, resource_quotas]", whole(&["v1/LimitRange", "v1/ResourceQuota"])),
        (
            "[disruption_budgets, runtime_classes]",
            whole(&["node.k8s.io/v1/RuntimeClass", "policy/v1/PodDisruptionBudget"]),
        ),
        (
            "[autoscalers]",
            whole(&[
                "autoscaling/v2/HorizontalPodAutoscaler",
                "autoscaling.k8s.io/v1/VerticalPodAutoscaler",
                "keda.sh/v1alpha1/ScaledObject",
            ]),
        ),
        (
            "{inventory: {kinds: [Namespace, example.com/v1/Widget]}}",
            whole(&["v1/Namespace", "example.com/v1/Widget"]),
        ),
    ] {
        assert_eq!(kinds(&needs(context, true)), expected, "{context}");
        assert_eq!(kinds(&needs(context, false)), [], "{context}, not bound");
    }
    let owners = kinds(&needs("[owner]", true));
    assert_eq!((owners.len(), owners.iter().all(|(_, keep)| *keep == Keep::Owner)), (7, true), "{owners:?}");
    assert!(needs("[cluster.version]", true).version && !needs("[now]", true).version);
}

#[test]
fn no_shipped_profile_may_read_more_than_this() {
    let tree = source::profile("starter").unwrap();
    let bundle =
        compile(Draft::read(&tree, &source::catalogue())).unwrap_or_else(|faults| panic!("{faults}"));
    let rules: Vec<ReadRule> = bundle.needs().rules().into_iter().collect();
    assert_eq!(
        rules,
        [ReadRule { group: String::new(), resource: "namespaces".to_owned(), namespace: None }]
    );
}
