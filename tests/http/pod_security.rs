//! `pod_security/admission` beside the reference implementation: what it was asked and what it answered, each through the
//! pipeline and over HTTPS, byte for byte in verdict, code, reason, message, warnings and audit annotations. `details` may
//! have more than the reference's.

mod rows;

use std::collections::BTreeMap;
use std::future::ready;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use meshgate::admission::{decode, respond};
use meshgate::context::{ContextSource, Fact, FactKey, Facts, Now, Others, World};
use meshgate::engine::{self, Bundle};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Phase, complete};
use meshgate::source;
use meshgate::webhook::Limits;
use serde_json::{Value, json};

use crate::server::Server;
use rows::Row;

const POLICY: &str = "pod_security/admission/admission.rego";
const STANDARDS: &str = "lib/pod_security/standards/standards.rego";

/// The reference judges whatever it is asked about; what it is asked about is the registration's matter, and here METADATA's.
const RULE: &str = "resources: [namespaces, pods, \"pods/*\", podtemplates, replicationcontrollers]";

/// In place of the checks, as in some of the reference's own tests: a Pod violates what its annotation says.
const STUB: &str = "package lib.pod_security.standards

violations(level, _) := [{\"reason\": reason} |
	level != \"privileged\"
	reason := input.context.pod.metadata.annotations[\"container.apparmor.security.beta.kubernetes.io/error\"]
]

minor(_, _) := 0

message(violations) := reasons(violations)

reasons(violations) := concat(\", \", [violation.reason | some violation in violations])

remedy(_) := \"\"

field(_) := \"\"
";

/// What the world knows for the row that is asked.
#[derive(Clone, Default)]
struct Known(Arc<Mutex<BTreeMap<&'static str, Fact>>>);

impl ContextSource for Known {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let name = if matches!(key, FactKey::Namespace(_)) { "namespace" } else { "pods" };
        let fact = self.0.lock().unwrap().get(name).cloned();
        Box::pin(ready(fact.unwrap_or_else(|| Fact::Unknown(format!("asked for {key:?}")))))
    }
}

fn bundle(parameters: &Value, checks: Option<&str>) -> Bundle {
    let mut catalogue = source::catalogue();
    let (_, policy) = catalogue.iter().find(|(path, _)| *path == POLICY).unwrap();
    let policy = String::from_utf8(policy.to_vec()).unwrap();
    assert!(policy.contains(RULE));
    catalogue.insert(POLICY, policy.replace(RULE, "resources: [\"*/*\"]"));
    checks.into_iter().for_each(|checks| catalogue.insert(STANDARDS, checks));
    let mut tree = Tree::default();
    let document = |kind: &str, spec: Value| json!({ "apiVersion": "meshgate.io/v1alpha1", "kind": kind, "metadata": { "name": "pss" }, "spec": spec });
    tree.insert("bundle.yaml", document("Bundle", json!({ "includes": ["pod_security"] })).to_string());
    let binding =
        json!({ "policy": "pod_security/admission", "enforcement": "deny", "parameters": parameters });
    tree.insert("binding.yaml", document("PolicyBinding", binding).to_string());
    engine::compile(Draft::read(&tree, &catalogue)).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The reference's response without what an API server adds and takes away.
fn theirs(response: &Value) -> Value {
    let mut response = response.clone();
    response["uid"] = json!("7");
    if let Some(status) = response.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("metadata");
    }
    response
}

/// Our response without annotations of meshgate's own, and without details that the reference does not give.
fn ours(mut response: Value, theirs: &Value) -> Value {
    let members = response.as_object_mut().unwrap();
    if let Some(annotations) = members.get_mut("auditAnnotations").and_then(Value::as_object_mut) {
        annotations.retain(|key, _| !key.starts_with("validate-"));
        if annotations.is_empty() {
            members.remove("auditAnnotations");
        }
    }
    if let Some(status) = response.get_mut("status").and_then(Value::as_object_mut) {
        match theirs["status"]["details"].as_object() {
            None => drop(status.remove("details")),
            Some(wanted) => {
                status["details"].as_object_mut().unwrap().retain(|name, _| wanted.contains_key(name))
            }
        }
    }
    response
}

/// Asks every row through the pipeline and over HTTPS.
fn judge(name: &str, rows: &[Row], checks: Option<&str>) {
    let mut groups: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(row.parameters.to_string()).or_default().push(row);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut run, mut different) = (0_usize, Vec::new());
    for rows in groups.values() {
        let known = Known::default();
        let parameters = &rows[0].parameters;
        let pure = bundle(parameters, checks);
        let server = Server::start(bundle(parameters, checks), known.clone(), Limits::default());
        let mut client = server.client();
        for row in rows {
            *known.0.lock().unwrap() =
                BTreeMap::from([("namespace", row.namespace.clone()), ("pods", row.pods.clone())]);
            let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": row.request });
            let request = decode(review.to_string().as_bytes()).unwrap();
            let facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
            let decision = runtime.block_on(complete(&pure, &known, facts, &request, Phase::Validate));
            let theirs = theirs(&row.response);
            let through = [
                ("pipeline", respond("7", &decision.answer())),
                ("HTTPS", client.review("/validate?timeout=10s", &review).json()),
            ];
            for (way, answer) in through {
                run += 1;
                let ours = ours(answer["response"].clone(), &theirs);
                if ours != theirs {
                    different.push(format!("{} ({way}):\n  ours   {ours}\n  theirs {theirs}", row.name));
                }
            }
        }
    }
    println!("{name}: {run} run, {} equal, {} different", run - different.len(), different.len());
    assert!(different.is_empty(), "{}", different.join("\n"));
}

#[test]
fn requests_about_pods_and_workloads() {
    for (file, name) in [
        ("validate_pod_and_controller.jsonl", "pod security admission, Pods and workloads"),
        ("oracle_admission.jsonl", "pod security admission, further requests"),
    ] {
        let Some(lines) = rows::lines(file) else { return };
        judge(name, &lines.iter().map(rows::of_object).collect::<Vec<_>>(), None);
    }
}

#[test]
fn requests_about_namespaces() {
    let Some(lines) = rows::lines("oracle_namespace.jsonl") else { return };
    let rows: Vec<Row> = lines.iter().map(|row| rows::of_namespace(row, "ns")).collect();
    judge("pod security admission, Namespaces", &rows, None);
    let Some(lines) = rows::lines("validate_namespace.jsonl") else { return };
    let rows: Vec<Row> = lines.iter().map(|row| rows::of_namespace(row, "test")).collect();
    judge("pod security admission, Namespaces with a stub for the checks", &rows, Some(STUB));
    let Some(lines) = rows::lines("exempt_namespace_warning.jsonl") else { return };
    let rows: Vec<Row> = lines.iter().map(rows::of_exempt_namespace).collect();
    judge("pod security admission, exempt Namespaces", &rows, None);
}

/// Pods of 40 controllers, of which each has five kinds of Pods, with an old one that is privileged among a hundred.
fn crowd(namespace: &str, count: usize) -> World {
    let mut world = World::new(Others::Fresh);
    for number in 0..count {
        let (controller, name) = (number % 40, format!("web-{number:04}"));
        let context = json!({
            "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] }, "privileged": number % 100 == 7,
        });
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "namespace": namespace, "labels": { "app": format!("web-{controller}") },
                "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("web-{controller}"), "uid": format!("{controller}"), "controller": true }],
            },
            "spec": {
                "nodeName": format!("node-{}", number % 50),
                "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
                "volumes": [{ "name": "config", "configMap": { "name": format!("web-{number}") } }],
                "containers": [
                    { "name": format!("app-{controller}"), "image": "ghcr.io/acme/app:1.4.2", "env": [{ "name": "A", "value": name }], "securityContext": context },
                    { "name": "proxy", "image": "ghcr.io/acme/proxy:1.4.2", "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] }, "runAsUser": number % 5 } },
                ],
            },
        });
        world.insert(Some(namespace), &pod);
    }
    world
}

#[test]
fn a_namespace_with_thousands_of_pods_is_told_about_them_in_time() {
    let parameters = json!({});
    let server = Server::start(bundle(&parameters, None), crowd("shop", 3_100), Limits::default());
    let object = |level: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": { "pod-security.kubernetes.io/enforce": level } } });
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "7", "operation": "UPDATE", "name": "shop", "namespace": "shop", "userInfo": { "username": "u" },
            "kind": { "group": "", "version": "v1", "kind": "Namespace" },
            "resource": { "group": "", "version": "v1", "resource": "namespaces" },
            "object": object("restricted"), "oldObject": object("privileged"),
        }
    });
    let mut client = server.client();
    let start = Instant::now();
    let answer = client.review("/validate?timeout=10s", &review).json();
    let elapsed = start.elapsed();
    println!("3,100 Pods, relabelled: answered in {} ms", elapsed.as_millis());
    // Longer than a second would be an error of the policy, and a denial.
    assert_eq!(answer["response"]["allowed"], true, "{answer}");
    let expected = json!([
        "new PodSecurity enforce level only checked against the first 3000 of 3100 existing pods",
        "existing pods in namespace \"shop\" violate the new PodSecurity enforce level \"restricted:latest\"",
        "web-0000 (and 599 other pods): runAsUser=0",
        "web-0007 (and 29 other pods): privileged",
    ]);
    assert_eq!(answer["response"]["warnings"], expected);
}
