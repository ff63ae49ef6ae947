//! The table of `docs/operations.md`, as far as an API server brings its rows about: what is asked, and what is never.

use http::Method;
use serde_json::{Value, json};

use crate::environment::{Environment, wait_until};
use crate::webhook::{Webhook, pod, policies};

/// Says what it was asked about, to two users whom it refuses everything, and labels Pods.
const SAID: &str = r#"# METADATA
# title: What was asked
# description: Refuses two users everything, and says what the request was.
# custom:
#   match:
#     rules:
#       - apiGroups: ["*"]
#         apiVersions: ["*"]
#         resources: ["*/*"]
#         operations: ["*"]
package policies.workloads.said

patch := [{"op": "add", "path": "/metadata/labels", "value": object.union(labels, {"touched": "yes"})}] if {
	input.request.kind.kind == "Pod"
	labels := object.get(input.request.object, ["metadata", "labels"], {})
	not labels.touched
}

deny contains {"msg": msg} if {
	input.request.userInfo.username in {"mallory", "system:node:n1"}
	subresource := object.get(input.request, "subResource", "")
	place := trim_suffix(sprintf("%s/%s", [input.request.resource.resource, subresource]), "/")
	msg := sprintf("%s %s", [input.request.operation, place])
}
"#;

const BOUND: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: said}\n\
    spec: {policy: workloads/said, enforcement: deny, templates: deny}\n";

/// A request of mallory's: what is refused, or None where the policy is not to be asked.
type Row<'a> = (Method, &'a str, Value, Option<&'a str>);

fn on_pods<'a>() -> Vec<Row<'a>> {
    let label = json!({ "metadata": { "labels": { "a": "b" } } });
    let image = json!({ "spec": { "containers": [{ "name": "app", "image": "registry.example/app:2" }] } });
    let container = json!({ "spec": { "ephemeralContainers": [{ "name": "debug", "image": "debug:1" }] } });
    let resources = json!({ "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1",
        "resources": { "requests": { "cpu": "20m" } } }] } });
    let owner = json!({ "metadata": { "ownerReferences": [
        { "apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "1", "controller": false }] } });
    let eviction = json!({ "apiVersion": "policy/v1", "kind": "Eviction", "metadata": { "name": "web" } });
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "other" } });
    let mut unnamed = pod("", &json!({}));
    unnamed["metadata"] = json!({ "generateName": "web-" });
    let none = Value::Null;
    let held = json!({ "metadata": { "finalizers": ["a.example/b"] } });
    let freed = json!({ "metadata": { "finalizers": null } });
    vec![
        new("pods", pod("other", &json!({})), Some("CREATE pods")),
        new("pods", unnamed, Some("CREATE pods")),
        new("pods?dryRun=All", pod("other", &json!({})), Some("CREATE pods")),
        new("configmaps", map, Some("CREATE configmaps")),
        change("pods/web", &image, Some("UPDATE pods")),
        change("pods/web?dryRun=All", &image, Some("UPDATE pods")),
        change("pods/web", &label, Some("UPDATE pods")),
        change("pods/web", &held, None),
        change("pods/web", &freed, None),
        change("pods/owned", &owner, None),
        change("pods/web/status", &json!({ "status": { "phase": "Pending" } }), None),
        change("pods/web/ephemeralcontainers", &container, Some("UPDATE pods/ephemeralcontainers")),
        change("pods/web/resize", &resources, Some("UPDATE pods/resize")),
        new("pods/web/eviction", eviction, Some("CREATE pods/eviction")),
        new("pods/web/exec?command=ls&stdout=1", none.clone(), Some("CONNECT pods/exec")),
        new("pods/web/attach?stdout=1", none.clone(), Some("CONNECT pods/attach")),
        new("pods/web/portforward?ports=80", none.clone(), Some("CONNECT pods/portforward")),
        (Method::GET, "pods/web/proxy", none.clone(), Some("CONNECT pods/proxy")),
        (Method::GET, "services/web/proxy", none.clone(), Some("CONNECT services/proxy")),
        (Method::DELETE, "pods/web", none.clone(), Some("DELETE pods")),
        (Method::DELETE, "pods", none.clone(), Some("DELETE pods")),
    ]
}

fn on_others<'a>() -> Vec<Row<'a>> {
    let label = json!({ "metadata": { "labels": { "a": "b" } } });
    let replicas = json!({ "spec": { "replicas": 2 } });
    let status = json!({ "status": { "replicas": 7 } });
    let token = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} });
    let lease =
        json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "a" } });
    let event = json!({ "apiVersion": "v1", "kind": "Event", "metadata": { "name": "a" },
        "involvedObject": { "namespace": "operations" } });
    let binding = json!({ "apiVersion": "v1", "kind": "Binding", "metadata": { "name": "bound" },
        "target": { "apiVersion": "v1", "kind": "Node", "name": "n1" } });
    let widget = json!({ "apiVersion": "e2e.meshgate.io/v1", "kind": "Widget", "metadata": { "name": "b" } });
    vec![
        new("pods/bound/binding", binding, None),
        new("serviceaccounts/default/token", token, None),
        new("events", event, None),
        new("/apis/coordination.k8s.io/v1 leases", lease, None),
        change("/apis/apps/v1 deployments/web", &replicas, Some("UPDATE deployments")),
        change("/apis/apps/v1 deployments/web/scale", &replicas, Some("UPDATE deployments/scale")),
        change("/apis/apps/v1 deployments/web/status", &status, None),
        (Method::DELETE, "/apis/apps/v1 deployments/web", Value::Null, Some("DELETE deployments")),
        new("/apis/e2e.meshgate.io/v1 widgets", widget, Some("CREATE widgets")),
        change("/apis/e2e.meshgate.io/v1 widgets/a", &label, Some("UPDATE widgets")),
        change("/apis/e2e.meshgate.io/v1 widgets/a/scale", &replicas, Some("UPDATE widgets/scale")),
        change("/apis/e2e.meshgate.io/v1 widgets/a/status", &status, None),
    ]
}

fn new<'a>(place: &'a str, object: Value, refused: Option<&'a str>) -> Row<'a> {
    (Method::POST, place, object, refused)
}

fn change<'a>(place: &'a str, object: &Value, refused: Option<&'a str>) -> Row<'a> {
    (Method::PATCH, place, object.clone(), refused)
}

/// Lists of built-in kinds can be merged by name; a custom resource has no names for it.
fn content(method: &Method, place: &str) -> &'static str {
    match (method, place.contains("widgets")) {
        (&Method::PATCH, false) => "application/strategic-merge-patch+json",
        (&Method::PATCH, true) => "application/merge-patch+json",
        _ => "application/json",
    }
}

#[test]
fn what_is_asked_about_each_operation() {
    let Some(environment) = Environment::shared() else { return };
    widgets(&environment);
    let files = [("workloads/said/said.rego", SAID), ("bindings.yaml", BOUND)];
    let webhook = Webhook::start(&environment, "operations", &json!({}), &policies(&files));
    prepare(&environment, &webhook);
    let mallory = environment.user("mallory", Some("developers"));
    let mut wrong = Vec::new();
    let rows = [on_pods(), on_others()].concat();
    for (method, place, object, refused) in &rows {
        let answer = mallory.request(method, &webhook.path(place), content(method, place), object);
        let expected = refused.map_or_else(String::new, |said| {
            format!("admission webhook \"workloads.meshgate.io\" denied the request: [workloads/said] {said}")
        });
        let is_expected = match refused {
            Some(_) => {
                answer.status == 403 && answer.message().split("\npolicies: ").next() == Some(&expected)
            }
            None => answer.status < 300,
        };
        if !is_expected {
            wrong.push(format!("{method} {place}: {} {}, expected {expected:?}", answer.status, answer.body));
        }
    }
    println!("operations: {} run, {} equal, {} different", rows.len(), rows.len() - wrong.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The objects that the rows are about, made by somebody who may.
fn prepare(environment: &Environment, webhook: &Webhook<'_>) {
    let mut web = pod("web", &json!({}));
    web["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": "10m" } });
    let service = json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" },
        "spec": { "ports": [{ "port": 80 }] } });
    let deployment = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": { "replicas": 0, "selector": { "matchLabels": { "app": "web" } }, "template": {
            "metadata": { "labels": { "app": "web" } },
            "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] } } } });
    let widget = json!({ "apiVersion": "e2e.meshgate.io/v1", "kind": "Widget", "metadata": { "name": "a" },
        "spec": { "replicas": 1 } });
    for (place, object) in [
        ("pods", web),
        ("pods", pod("bound", &json!({}))),
        ("pods", pod("owned", &json!({}))),
        ("services", service),
        ("/apis/apps/v1 deployments", deployment),
        ("/apis/e2e.meshgate.io/v1 widgets", widget),
    ] {
        let made = environment.alice.create(&webhook.path(place), &object);
        assert_eq!(made.status, 201, "{place}: {}", made.body);
        let touched = &made.body["metadata"]["labels"]["touched"];
        assert_eq!(*touched, if place == "pods" { json!("yes") } else { Value::Null }, "{}", made.body);
    }
}

/// A custom resource with all subresources.
fn widgets(environment: &Environment) {
    let object = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let version = json!({
        "name": "v1", "served": true, "storage": true,
        "schema": { "openAPIV3Schema": { "type": "object", "properties": { "spec": object, "status": object } } },
        "subresources": { "status": {}, "scale": {
            "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas" } },
    });
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "widgets.e2e.meshgate.io" },
        "spec": { "group": "e2e.meshgate.io", "scope": "Namespaced", "versions": [version],
            "names": { "kind": "Widget", "plural": "widgets" } },
    });
    environment.made("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", &definition);
    let listed = "/apis/e2e.meshgate.io/v1/widgets";
    wait_until("widgets", || (environment.admin.get(listed).status == 200).then_some(()));
}

#[test]
fn a_mirror_pod_is_left_alone() {
    let Some(environment) = Environment::shared() else { return };
    let files = [("workloads/said/said.rego", SAID), ("bindings.yaml", BOUND)];
    let webhook = Webhook::start(&environment, "operations-mirror", &json!({}), &policies(&files));
    environment.bind("node-n1", "cluster-admin", "User", "system:node:n1");
    let node = environment.user("system:node:n1", Some("system:nodes"));
    let mirror = |name: &str| {
        let mut mirror = pod(name, &json!({}));
        mirror["metadata"]["annotations"] = json!({ "kubernetes.io/config.mirror": "a" });
        mirror["spec"]["nodeName"] = json!("n1");
        mirror
    };
    let made = node.create(&webhook.path("pods"), &mirror("by-a-node"));
    assert_eq!((made.status, made.body["metadata"]["labels"].clone()), (201, Value::Null), "{}", made.body);
    // The annotation alone says nothing: anybody can write it.
    let made = node.create(&webhook.path("pods"), &pod("no-mirror", &json!({})));
    assert_eq!(made.status, 403, "{}", made.body);
    let mallory = environment.user("mallory-2", None);
    environment.bind("mallory-2", "cluster-admin", "User", "mallory-2");
    let made = mallory.create(&webhook.path("pods"), &mirror("by-a-user"));
    assert_eq!(made.body["metadata"]["labels"]["touched"], "yes", "{}", made.body);
}

/// Nothing in the namespace may be deleted, and yet it goes: those who clean up are not asked about.
#[test]
fn a_namespace_goes_whatever_policies_say() {
    let Some(environment) = Environment::shared() else { return };
    let never = SAID.replace(
        "input.request.userInfo.username in {\"mallory\", \"system:node:n1\"}",
        "input.request.operation == \"DELETE\"; input.request.resource.resource != \"namespaces\"",
    );
    let files = [("workloads/said/said.rego", never.as_str()), ("bindings.yaml", BOUND)];
    let webhook = Webhook::start(&environment, "operations-gone", &json!({}), &policies(&files));
    let deployment = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": { "replicas": 2, "selector": { "matchLabels": { "app": "web" } }, "template": {
            "metadata": { "labels": { "app": "web" } },
            "spec": { "containers": [{ "name": "app", "image": "registry.example/app:1" }] } } } });
    let deployments = webhook.path("/apis/apps/v1 deployments");
    assert_eq!(environment.alice.create(&deployments, &deployment).status, 201);
    let pods = || environment.admin.get(&webhook.path("pods")).body["items"].as_array().unwrap().len();
    wait_until("two Pods", || (pods() == 2).then_some(()));
    let refused = environment.alice.delete(&format!("{deployments}/web"));
    assert_eq!(refused.status, 403, "{}", refused.body);
    let namespace = "/api/v1/namespaces/operations-gone";
    assert_eq!(environment.alice.delete(namespace).status, 200);
    wait_until("the namespace is gone", || (environment.admin.get(namespace).status == 404).then_some(()));
}
