//! What people read who apply something: a refusal, warnings, and what was changed on the way.

use serde_json::{Value, json};

use crate::environment::{Environment, wait_until};
use crate::webhook::{Webhook, starter};

const DEBUG: &str = "
apiVersion: v1
kind: Pod
metadata: {name: debug, labels: {owner: shop, app.kubernetes.io/name: debug}}
spec:
  containers:
  - name: debug
    image: docker.io/library/busybox:latest
    resources: {requests: {cpu: 10m, memory: 8Mi}, limits: {memory: 8Mi}}
    securityContext: {privileged: true}
";

#[test]
fn kubectl_shows_why_a_pod_is_refused() {
    let Some(environment) = Environment::shared() else { return };
    let labels = json!({ "meshgate.io/mode": "deny" });
    let webhook = Webhook::start(&environment, "messages-denied", &labels, &starter());
    let run = environment.alice.kubectl(&["apply", "-n", &webhook.namespace, "-f", "-"], DEBUG);
    let expected = "Error from server (Forbidden): error when creating \"STDIN\": admission webhook \"workloads.meshgate.io\" \
        denied the request: [images/no_latest] container \"debug\" has the image \"docker.io/library/busybox:latest\", whose tag \
        `latest` can be another image tomorrow\n\
        privileged (container \"debug\" must not set securityContext.privileged=true)\npolicies: policies@";
    let (said, revision) = run.err.split_at_checked(expected.len()).unwrap();
    assert_eq!((run.code, run.out.as_str(), said, revision.len()), (Some(1), "", expected, 13), "{revision}");
    assert_eq!(environment.admin.get(&webhook.path("pods/debug")).status, 404);
}

#[test]
fn kubectl_shows_warnings_of_a_pod_that_is_made() {
    let Some(environment) = Environment::shared() else { return };
    let webhook = Webhook::start(&environment, "messages-warned", &json!({}), &starter());
    let run = environment.alice.kubectl(&["apply", "-n", &webhook.namespace, "-f", "-"], DEBUG);
    let expected = "Warning: [images/no_latest] container \"debug\" has the image \"docker.io/library/busybox:latest\", whose tag \
        `latest` can be another image tomorrow\n\
        Warning: privileged (container \"debug\" must not set securityContext.privileged=true)\n";
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "pod/debug created\n", expected));
    assert_eq!(environment.admin.get(&webhook.path("pods/debug")).status, 200);
}

/// The Pods of a Deployment are made by the controller manager, and changed on their way as one's own are.
#[test]
fn the_pods_of_a_deployment_are_changed() {
    let Some(environment) = Environment::shared() else { return };
    let webhook = Webhook::start(&environment, "messages-mutated", &json!({}), &starter());
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": {
            "replicas": 2, "selector": { "matchLabels": { "app": "web" } },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "web", "image": "docker.io/library/nginx:1.29" }] },
            },
        },
    });
    let path = format!("/apis/apps/v1/namespaces/{}/deployments", webhook.namespace);
    let made = environment.alice.create(&path, &deployment);
    let warnings = [
        "[resources/required] container \"web\" has no cpu request",
        "[resources/required] container \"web\" has no memory limit",
        "[resources/required] container \"web\" has no memory request",
        "[workloads/required_label] the label app.kubernetes.io/name is missing or empty",
        "[workloads/required_label] the label owner is missing or empty",
    ];
    assert_eq!((made.status, made.warnings), (201, warnings.map(str::to_owned).to_vec()));
    let pods = wait_until("two Pods", || {
        let pods = environment.admin.get(&webhook.path("pods")).body["items"].as_array().cloned().unwrap();
        (pods.len() == 2).then_some(pods)
    });
    for pod in pods {
        assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "ReplicaSet", "{pod}");
        let profile: &Value = &pod["spec"]["securityContext"]["seccompProfile"];
        assert_eq!(*profile, json!({ "type": "RuntimeDefault" }), "{pod}");
    }
}
