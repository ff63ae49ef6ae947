//! A large cluster: how much is kept of it, and how long that takes. Run with MESHGATE_LARGE set, alone; the numbers that are
//! printed are its result.

use std::time::Instant;

use futures_util::stream::{StreamExt, iter};
use http::Method;
use meshgate::config::{NAMESPACE, SERVICE};
use serde_json::{Value, json};

use crate::environment::{Environment, RUNTIME};
use crate::webhook::{Webhook, pod, policies};

const NAMESPACES: usize = 1_000;
const PODS: usize = 10_000;

/// Requests at a time.
const AT_ONCE: usize = 32;

/// A policy that looks through all Pods.
const POLICY: &str = "# METADATA
# title: One image registry in use
# description: d
# custom:
#   context: {inventory: {kinds: [Pod]}}
#   match:
#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]
package policies.test.inventory

warn contains msg if {
	pods := input.context.inventory.namespace[\"large-7\"].v1.Pod
	msg := sprintf(\"%d namespaces, %d Pods in one\", [count(input.context.inventory.namespace), count(pods)])
}
";

/// What a running workload's Pod has: about 4 KB as the API server keeps it.
fn large_pod(number: usize) -> Value {
    let variables: Vec<Value> = (0..12)
        .map(|n| json!({ "name": format!("VARIABLE_{n}"), "value": format!("value {n} of {number}") }))
        .collect();
    let mut pod =
        pod(&format!("web-{number}"), &json!({ "runAsNonRoot": true, "allowPrivilegeEscalation": false }));
    pod["metadata"]["labels"] =
        json!({ "app.kubernetes.io/name": "web", "owner": "shop", "pod-template-hash": "7d9" });
    pod["metadata"]["annotations"] =
        json!({ "checksum/config": "0123456789abcdef0123456789abcdef0123456789abcdef" });
    pod["spec"]["containers"][0]["env"] = json!(variables);
    pod["spec"]["containers"][0]["resources"] = json!({ "requests": { "cpu": "100m", "memory": "64Mi" } });
    pod["spec"]["automountServiceAccountToken"] = json!(false);
    pod
}

fn make(environment: &Environment, objects: Vec<(String, Value)>) {
    let made = RUNTIME.block_on(
        iter(objects)
            .map(|(path, object)| async move {
                let answer =
                    environment.admin.ask(Method::POST, &path, "application/json", Some(&object)).await;
                answer.is_ok_and(|answer| answer.status == 201)
            })
            .buffer_unordered(AT_ONCE)
            .filter(|made| std::future::ready(*made))
            .count(),
    );
    println!("made {made}");
}

#[test]
fn ten_thousand_pods_in_a_thousand_namespaces() {
    if std::env::var_os("MESHGATE_LARGE").is_none() {
        return println!("left out: 10,000 Pods; set MESHGATE_LARGE");
    }
    let Some(environment) = Environment::alone() else { return };
    fill(&environment);
    let verbs = json!(["get", "list", "watch"]);
    let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "large" },
        "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": verbs }] });
    environment.made("/apis/rbac.authorization.k8s.io/v1/clusterroles", &role);
    environment.bind("large", "large", "User", &format!("system:serviceaccount:{NAMESPACE}:{SERVICE}"));
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: test/inventory, enforcement: deny}\n";
    let tree = policies(&[("test/inventory/inventory.rego", POLICY), ("b.yaml", binding)]);
    let webhook = Webhook::start(&environment, "large-webhook", &json!({}), &tree);
    let start = Instant::now();
    let replica = webhook.replica("large");
    let program = &replica.program;
    program.wait_for(|| program.said().contains("policies are in force").then_some(()));
    let seconds = start.elapsed().as_secs_f32();
    println!("ready after {seconds:.2} s, {} MiB resident", program.resident() >> 20);
    // Connections go on to the first one.
    let program = &webhook.replicas[0].program;
    let ask = |name: &str| {
        let start = Instant::now();
        let answer = environment.admin.create(&webhook.path("pods?dryRun=All"), &large_pod(0));
        assert_eq!(answer.status, 201, "{name}: {}", answer.body);
        let expected = format!("[test/inventory] {NAMESPACES} namespaces, {} Pods in one", PODS / NAMESPACES);
        assert_eq!(answer.warnings, [expected], "{name}");
        start.elapsed()
    };
    println!("the first Pod: {:?}", ask("first"));
    println!("all objects read once: {} MiB resident", program.resident() >> 20);
    let mut times: Vec<_> = (0..200)
        .map(|number| {
            let path = format!("/api/v1/namespaces/large-{}/pods/web-{number}", number % NAMESPACES);
            let change = json!({ "metadata": { "labels": { "changed": "yes" } } });
            environment.admin.request(&Method::PATCH, &path, "application/merge-patch+json", &change);
            ask("after a change")
        })
        .collect();
    times.sort();
    println!("a Pod after each of 200 changes: median {:?}, p99 {:?}", times[100], times[197]);
    println!("at the end: {} MiB resident", program.resident() >> 20);
}

/// Namespaces and Pods, made by many at once.
fn fill(environment: &Environment) {
    let start = Instant::now();
    let namespace = |number: usize| {
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": format!("large-{number}") } });
        ("/api/v1/namespaces".to_owned(), object)
    };
    make(environment, (0..NAMESPACES).map(namespace).collect());
    let account = format!("/api/v1/namespaces/large-{}/serviceaccounts/default", NAMESPACES - 1);
    let accounts = || {
        environment.admin.get("/api/v1/serviceaccounts?fieldSelector=metadata.name=default").body["items"]
            .as_array()
            .map_or(0, Vec::len)
    };
    while environment.admin.get(&account).status != 200 || accounts() < NAMESPACES {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let pod =
        |number: usize| (format!("/api/v1/namespaces/large-{}/pods", number % NAMESPACES), large_pod(number));
    make(environment, (0..PODS).map(pod).collect());
    println!("filled in {:.0} s", start.elapsed().as_secs_f32());
}
