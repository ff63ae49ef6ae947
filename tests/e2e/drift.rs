//! Who applies the same manifest again changes nothing, although policies changed what the manifest made: neither kubectl's
//! own patches nor server-side apply nor `kubectl diff` sees a drift, and a dry run leaves no trace.

use serde_json::{Value, json};

use crate::environment::{Environment, wait_until};
use crate::webhook::{Webhook, policies};

/// Labels every object, and completes Pods and templates of Pods in the midst of a list.
const COMPLETED: &str = r#"# METADATA
# title: What manifests leave out
# description: Shows that what is added is no drift.
# custom:
#   match:
#     rules:
#       - apiGroups: ["", apps]
#         apiVersions: [v1]
#         resources: [pods, deployments, configmaps, services]
package policies.defaults.completed

patch := array.concat(labelled, configured)

labelled := [{"op": "add", "path": "/metadata/labels", "value": object.union(labels, {"touched": "yes"})}] if {
	labels := object.get(input.request.object.metadata, "labels", {})
	not labels.touched
} else := []

default configured := []

configured := [op | some op in environments("/spec", input.request.object.spec)] if {
	input.request.kind.kind == "Pod"
}

configured := [op | some op in environments("/spec/template/spec", input.request.object.spec.template.spec)] if {
	input.request.kind.kind == "Deployment"
}

environments(at, spec) := [op |
	some i, container in spec.containers
	not container.env
	op := {"op": "add", "path": sprintf("%s/containers/%d/env", [at, i]), "value": [{"name": "ZONE", "value": "a"}]}
]
"#;

const BOUND: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: completed}\n\
    spec: {policy: defaults/completed, enforcement: deny}\n";

const MANIFESTS: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: web, labels: {app: web}}
data: {a: b}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: 'registry.example/web:1'}, {name: two, image: 'registry.example/two:1'}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'registry.example/web:1'}]}
";

const PLACES: [&str; 4] = ["configmaps/web", "services/web", "pods/web", "/apis/apps/v1 deployments/web"];

#[test]
fn nothing_drifts_under_kubectl_apply() {
    applied_twice(
        "drift-client",
        &[],
        "configmap/web created\nservice/web created\npod/web created\ndeployment.apps/web created\n",
        "configmap/web unchanged\nservice/web unchanged\npod/web unchanged\ndeployment.apps/web unchanged\n",
    );
}

#[test]
fn nothing_drifts_under_server_side_apply() {
    let said = "configmap/web serverside-applied\nservice/web serverside-applied\npod/web serverside-applied\n\
        deployment.apps/web serverside-applied\n";
    applied_twice("drift-server", &["--server-side"], said, said);
}

fn applied_twice(namespace: &str, flags: &[&str], first: &str, second: &str) {
    let Some(environment) = Environment::shared() else { return };
    let files = [("defaults/completed/completed.rego", COMPLETED), ("bindings.yaml", BOUND)];
    let webhook = Webhook::start(&environment, namespace, &json!({}), &policies(&files));
    let kubectl = |command: &str, more: &[&str]| {
        let arguments = [&[command, "-n", namespace, "-f", "-"], flags, more].concat();
        let run = environment.alice.kubectl(&arguments, MANIFESTS);
        (run.code, run.out, run.err)
    };
    let dry_run = first.replace('\n', " (server dry run)\n");
    for _ in 0..2 {
        assert_eq!(kubectl("apply", &["--dry-run=server"]), (Some(0), dry_run.clone(), String::new()));
    }
    let missing = PLACES.map(|place| environment.admin.get(&webhook.path(place)).status);
    assert_eq!(missing, [404; 4], "a dry run leaves no trace");

    assert_eq!(kubectl("apply", &[]), (Some(0), first.to_owned(), String::new()));
    let before = stored(&webhook, &environment);
    for object in &before {
        assert_eq!(object["metadata"]["labels"]["touched"], "yes", "{object}");
    }
    let zone = json!([{ "name": "ZONE", "value": "a" }]);
    assert_eq!(before[2]["spec"]["containers"][1]["env"], zone);
    assert_eq!(before[3]["spec"]["template"]["spec"]["containers"][0]["env"], zone);
    for _ in 0..2 {
        assert_eq!(kubectl("diff", &[]), (Some(0), String::new(), String::new()));
        assert_eq!(kubectl("apply", &[]), (Some(0), second.to_owned(), String::new()));
        assert_eq!(kubectl("apply", &["--dry-run=server"]).0, Some(0));
    }
    assert_eq!(stored(&webhook, &environment), before, "not even the resourceVersion");
}

/// The objects, once nobody writes their status any more.
fn stored(webhook: &Webhook<'_>, environment: &Environment) -> [Value; 4] {
    let objects = || PLACES.map(|place| environment.admin.get(&webhook.path(place)).body);
    wait_until("a status", || {
        let found = objects();
        (found[3]["status"]["observedGeneration"] == found[3]["metadata"]["generation"]).then_some(found)
    })
}
