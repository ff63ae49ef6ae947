//! What a namespace's labels loosen or tighten, and who may change them (R38, R60).

use http::Method;
use serde_json::{Value, json};

use crate::environment::{Environment, User, wait_until};
use crate::webhook::{Webhook, pod, starter};

const MERGE: &str = "application/merge-patch+json";

/// The Pod that the starter profile finds something in.
fn privileged(user: &User, webhook: &Webhook<'_>) -> (u16, usize) {
    let mut pod = pod("privileged", &json!({ "privileged": true }));
    pod["metadata"]["labels"] = json!({ "owner": "a", "app.kubernetes.io/name": "a" });
    let answer = user.create(&webhook.path("pods?dryRun=All"), &pod);
    let findings = if answer.status == 403 { denials(answer.message()) } else { answer.warnings.len() };
    (answer.status, findings)
}

/// The lines of a message but the last, which names the policies.
fn denials(message: &str) -> usize {
    message.lines().filter(|line| !line.starts_with("policies: ")).count()
}

fn relabel(user: &User, namespace: &str, labels: Value) {
    let path = format!("/api/v1/namespaces/{namespace}");
    let answer = user.request(&Method::PATCH, &path, MERGE, &json!({ "metadata": { "labels": labels } }));
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn a_label_switches_the_mode() {
    let Some(environment) = Environment::shared() else { return };
    let webhook = Webhook::start(&environment, "namespaces-mode", &json!({}), &starter());
    for (mode, expected) in [
        (json!("deny"), (403, 5)),
        (json!("warn"), (201, 5)),
        (json!("audit"), (201, 0)),
        (json!("off"), (201, 0)),
        (Value::Null, (201, 5)),
    ] {
        relabel(&environment.admin, &webhook.namespace, json!({ "meshgate.io/mode": mode }));
        // The watch shows it a moment later.
        let is_judged = || (privileged(&environment.alice, &webhook) == expected).then_some(());
        wait_until(&format!("the mode {mode}"), is_judged);
    }
}

/// What would loosen something, on each path that can write a Namespace's metadata.
#[test]
fn who_may_not_loosen_is_refused_on_every_path() {
    let Some(environment) = Environment::shared() else { return };
    let labels = json!({ "meshgate.io/mode": "deny" });
    let webhook = Webhook::start(&environment, "namespaces-guard", &labels, &starter());
    let changes = [
        json!({ "labels": { "meshgate.io/exempt": "true" } }),
        json!({ "labels": { "meshgate.io/mode": "off" } }),
        json!({ "labels": { "meshgate.io/mode": null } }),
        json!({ "annotations": { "meshgate.io/suspend": "2100-01-01T00:00:00Z" } }),
    ];
    let namespace = format!("/api/v1/namespaces/{}", webhook.namespace);
    let mut run = 0;
    for change in &changes {
        for (method, path) in [
            (Method::PATCH, namespace.clone()),
            (Method::PATCH, format!("{namespace}/status")),
            (Method::PUT, format!("{namespace}/finalize")),
        ] {
            let mut object = json!({ "metadata": change });
            let mut content = MERGE;
            if method == Method::PUT {
                object = merged(environment.admin.get(&namespace).body, change);
                content = "application/json";
            }
            let answer = environment.alice.request(&method, &path, content, &object);
            assert_eq!(answer.status, 403, "{method} {path} {change}: {}", answer.body);
            assert!(answer.message().contains("\"guard.meshgate.io\" denied"), "{}", answer.body);
            run += 1;
        }
    }
    println!("guarded changes: {run} refused");
    let labels = &environment.admin.get(&namespace).body["metadata"];
    assert_eq!(labels["labels"]["meshgate.io/mode"], "deny", "{labels}");
    assert_eq!(labels["labels"]["meshgate.io/exempt"], Value::Null, "{labels}");
    assert_eq!(labels["annotations"], Value::Null, "{labels}");
    // Other labels are nobody's business.
    relabel(&environment.alice, &webhook.namespace, json!({ "team": "a" }));
    assert_eq!(privileged(&environment.alice, &webhook).0, 403);
}

/// The object with a change of its metadata.
fn merged(mut object: Value, change: &Value) -> Value {
    for (member, entries) in change.as_object().unwrap() {
        for (key, value) in entries.as_object().unwrap() {
            match value {
                Value::Null => drop(object["metadata"][member].as_object_mut().unwrap().remove(key)),
                value => object["metadata"][member][key] = value.clone(),
            }
        }
    }
    object
}

#[test]
fn who_may_exempts_a_namespace() {
    let Some(environment) = Environment::shared() else { return };
    let labels = json!({ "meshgate.io/mode": "deny" });
    let webhook = Webhook::start(&environment, "namespaces-exempt", &labels, &starter());
    assert_eq!(privileged(&environment.alice, &webhook).0, 403);
    relabel(&environment.admin, &webhook.namespace, json!({ "meshgate.io/exempt": "true" }));
    // The API server learns of the label by a watch of its own.
    wait_until("the namespace is exempt", || {
        (privileged(&environment.alice, &webhook) == (201, 0)).then_some(())
    });
    // The label is guarded also there.
    let path = format!("/api/v1/namespaces/{}", webhook.namespace);
    let change = json!({ "metadata": { "labels": { "meshgate.io/exempt": null } } });
    assert_eq!(environment.alice.request(&Method::PATCH, &path, MERGE, &change).status, 403);
}

/// While nobody answers: what is judged is refused, and so is what would loosen it; deletions by controllers, and what is
/// outside, go on.
#[test]
fn nothing_is_loosened_while_nobody_answers() {
    let Some(environment) = Environment::shared() else { return };
    let labels = json!({ "meshgate.io/mode": "deny" });
    let webhook = Webhook::start(&environment, "namespaces-alone", &labels, &starter());
    webhook.replicas[0].program.kill();
    let path = format!("/api/v1/namespaces/{}", webhook.namespace);
    let change = json!({ "metadata": { "labels": { "meshgate.io/exempt": "true" } } });
    let answer = environment.alice.request(&Method::PATCH, &path, MERGE, &change);
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.message().contains("failed calling webhook \"guard.meshgate.io\""), "{}", answer.body);
    let answer = environment.alice.create(&webhook.path("pods"), &pod("web", &json!({})));
    assert_eq!(answer.status, 500, "{}", answer.body);
    assert!(answer.message().contains("failed calling webhook \"workloads.meshgate.io\""), "{}", answer.body);
    // No policy is asked about a Lease, and other namespaces have other webhooks.
    let lease =
        json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": { "name": "a" } });
    let leases = webhook.path("/apis/coordination.k8s.io/v1 leases");
    assert_eq!(environment.alice.create(&leases, &lease).status, 201);
    relabel(&environment.alice, &webhook.namespace, json!({ "team": "a" }));
    assert_eq!(environment.alice.delete(&path).status, 200);
    wait_until("the namespace is gone", || (environment.admin.get(&path).status == 404).then_some(()));
}
