//! Facts of the dry run: what policies see of the objects that stand in for the cluster, whole.

use serde_json::{Value, json};

use crate::program::{Run, folder, run};

/// A tree whose policy says each fact that it reads, as JSON.
fn tree(context: &str, reads: &[&str]) -> String {
    let warns = reads.iter().map(|name| {
        format!(
            "warn contains {{\"msg\": json.marshal(input.context.{name}), \"key\": \"{name}\", \"details\": {{\"remedy\": \"{name}\"}}}}\n"
        )
    });
    format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: {context}\n#   match:\n#     rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}}]\npackage policies.test.facts\n\n{}",
        warns.collect::<String>()
    )
}

const BINDING: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: test/facts, enforcement: deny}\n";

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec: {containers: [{name: a, image: a:1}]}\n";

fn check(context: &str, reads: &[&str], facts: &str, more: &[&str]) -> Run {
    let tree = tree(context, reads);
    let files =
        [("p/test/facts/facts.rego", tree.as_str()), ("p/b.yaml", BINDING), ("facts/all.yaml", facts)];
    let mut arguments = vec!["check", "-", "-p", "p", "--facts", "facts", "--format", "json"];
    arguments.extend(more);
    run(folder(&files).path(), &arguments, POD)
}

/// What the policy saw, by the names of the facts.
fn seen(context: &str, reads: &[&str], facts: &str, more: &[&str]) -> Value {
    let ran = check(context, reads, facts, more);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let said = |finding: &Value| {
        let text = finding["message"].as_str().unwrap();
        let value = serde_json::from_str(text.split_once("] ").map_or(text, |(_, rest)| rest)).unwrap();
        (finding["remedy"].as_str().unwrap().to_owned(), value)
    };
    report["findings"].as_array().unwrap().iter().map(said).collect::<serde_json::Map<_, _>>().into()
}

const ALL: [&str; 6] = [
    "autoscalers",
    "cluster.version",
    "disruption_budgets",
    "limit_ranges",
    "resource_quotas",
    "runtime_classes",
];

const OBJECTS: &str = r#"
apiVersion: v1
kind: LimitRange
metadata:
  name: b
  namespace: shop
  resourceVersion: "7"
  managedFields: [{manager: kubectl}]
  annotations: {kubectl.kubernetes.io/last-applied-configuration: '{}'}
spec: {limits: [{type: Container, default: {cpu: 500m}}]}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: a, namespace: shop}, spec: {limits: []}}
---
{apiVersion: v1, kind: LimitRange, metadata: {name: a, namespace: other}, spec: {limits: []}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {name: q, namespace: shop}, spec: {hard: {pods: "1"}}, status: {used: {pods: "0"}}}
---
{apiVersion: keda.sh/v1alpha1, kind: ScaledObject, metadata: {name: s, namespace: shop}, spec: {}}
---
{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h, namespace: shop}, spec: {maxReplicas: 3}}
---
{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: p, namespace: shop}, spec: {maxUnavailable: 1}}
---
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: kata}, handler: kata, overhead: {podFixed: {cpu: 250m}}}
---
{apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: runc}, handler: runc}
"#;

#[test]
fn objects_of_the_namespace_and_of_the_cluster_are_facts() {
    let context = format!("[{}]", ALL.join(", "));
    let object = |api_version: &str, kind: &str, name: &str, rest: Value| {
        let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name, "namespace": "shop" } });
        object.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object
    };
    let mut limits = object(
        "v1",
        "LimitRange",
        "b",
        json!({ "spec": { "limits": [{ "type": "Container", "default": { "cpu": "500m" } }] } }),
    );
    limits["metadata"]["resourceVersion"] = json!("7");
    let expected = json!({
        "autoscalers": [
            object("autoscaling/v2", "HorizontalPodAutoscaler", "h", json!({ "spec": { "maxReplicas": 3 } })),
            object("keda.sh/v1alpha1", "ScaledObject", "s", json!({ "spec": {} })),
        ],
        "cluster.version": { "major": 1, "minor": 33 },
        "disruption_budgets": [object("policy/v1", "PodDisruptionBudget", "p", json!({ "spec": { "maxUnavailable": 1 } }))],
        "limit_ranges": [object("v1", "LimitRange", "a", json!({ "spec": { "limits": [] } })), limits],
        "resource_quotas": [object("v1", "ResourceQuota", "q", json!({ "spec": { "hard": { "pods": "1" } }, "status": { "used": { "pods": "0" } } }))],
        "runtime_classes": { "kata": { "cpu": "250m" }, "runc": {} },
    });
    assert_eq!(seen(&context, &ALL, OBJECTS, &["--cluster-version", "v1.33.2"]), expected);
}

#[test]
fn without_such_objects_facts_are_empty_and_the_version_is_the_newest() {
    let context = format!("[{}]", ALL.join(", "));
    let namespace = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}";
    let expected = json!({
        "autoscalers": [], "cluster.version": { "major": 1, "minor": 37 }, "disruption_budgets": [],
        "limit_ranges": [], "resource_quotas": [], "runtime_classes": {},
    });
    assert_eq!(seen(&context, &ALL, namespace, &[]), expected);
}

#[test]
fn the_inventory_has_the_kinds_that_are_declared_in_files_and_manifests() {
    let context = "{inventory: {kinds: [Namespace, Pod, keda.sh/v1alpha1/ScaledObject]}}";
    let facts = format!(
        "{OBJECTS}---\n{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{team: a}}}}}}\n"
    );
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop" }, "spec": { "containers": [{ "name": "a", "image": "a:1" }] } });
    let scaled = json!({ "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": { "name": "s", "namespace": "shop" }, "spec": {} });
    let labels = json!({ "team": "a", "kubernetes.io/metadata.name": "shop" });
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": labels } });
    let expected = json!({ "inventory": {
        "cluster": { "v1": { "Namespace": { "shop": namespace } } },
        "namespace": { "shop": { "v1": { "Pod": { "web": pod } }, "keda.sh/v1alpha1": { "ScaledObject": { "s": scaled } } } },
    } });
    assert_eq!(seen(context, &["inventory"], &facts, &[]), expected);
}

#[test]
fn two_policies_see_each_its_own_inventory() {
    let tree = |name: &str, kind: &str| {
        tree(&format!("{{inventory: {{kinds: [{kind}]}}}}"), &["inventory"])
            .replace("policies.test.facts", &format!("policies.test.{name}"))
    };
    let binding = |name: &str| BINDING.replace("test/facts", &format!("test/{name}"));
    let facts = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n{apiVersion: v1, kind: LimitRange, metadata: {name: a, namespace: shop}}";
    let files = [
        ("p/test/one/one.rego", tree("one", "Namespace")),
        ("p/test/two/two.rego", tree("two", "LimitRange")),
        ("p/one.yaml", binding("one")),
        ("p/two.yaml", binding("two")),
        ("facts/all.yaml", facts.to_owned()),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let ran =
        run(folder(&files).path(), &["check", "-", "-p", "p", "--facts", "facts", "--format", "json"], POD);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let said: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect();
    assert_eq!(said.len(), 2, "{}{}", ran.out, ran.err);
    for (message, has, lacks) in [(said[0], "Namespace", "LimitRange"), (said[1], "LimitRange", "Namespace")]
    {
        assert!(message.contains(has) && !message.contains(lacks), "{message}");
    }
}

#[test]
fn a_version_that_no_api_server_converts_is_an_error() {
    let facts =
        "{apiVersion: autoscaling/v1, kind: HorizontalPodAutoscaler, metadata: {name: h, namespace: shop}}";
    let ran = check("[autoscalers]", &["autoscalers"], facts, &[]);
    let message = "the fact `autoscalers` is missing: the HorizontalPodAutoscaler shop/h is given in autoscaling/v1 and read in autoscaling/v2; write it in autoscaling/v2, as the API server would give it";
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains(message), "{}", ran.out);
    // Elsewhere nothing is lacking.
    let elsewhere = facts.replace("shop", "bank");
    assert_eq!(seen("[autoscalers]", &["autoscalers"], &elsewhere, &[]), json!({ "autoscalers": [] }));
}
