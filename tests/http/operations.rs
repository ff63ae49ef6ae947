//! docs/operations.md, row by row: who is asked about which operation on which resource, through the pipeline and over
//! HTTPS. The documentation holds the expected answers.

use meshgate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts, decode};
use meshgate::context::{Facts, Now};
use meshgate::engine::Bundle;
use meshgate::policy::Tree;
use meshgate::review::{Phase, complete};
use meshgate::webhook::Limits;
use serde_json::{Value, json};

use crate::bundle::compiled;
use crate::server::Server;
use crate::source::Namespaces;

const PAGE: &str = include_str!("../../docs/operations.md");

/// A row: operation, resource, what, and the answers: every and plain, `/mutate` and `/validate` each.
struct Row {
    operation: Operation,
    resource: &'static str,
    what: &'static str,
    expected: [&'static str; 4],
}

fn rows() -> Vec<Row> {
    let cells = |line: &'static str| line.split('|').map(str::trim).collect::<Vec<_>>();
    let tables = PAGE.lines().filter(|line| line.starts_with('|')).map(cells);
    let of_line = |cells: Vec<&'static str>| {
        let operation = match cells[1] {
            "operation" | "---" => return Vec::new(),
            "CREATE" => Operation::Create,
            "UPDATE" => Operation::Update,
            "DELETE" => Operation::Delete,
            "CONNECT" => Operation::Connect,
            other => panic!("{other}"),
        };
        let expected = [cells[4], cells[5], cells[6], cells[7]];
        // A line may be about several resources.
        cells[2].split(", ").map(|resource| Row { operation, resource, what: cells[3], expected }).collect()
    };
    tables.flat_map(of_line).collect()
}

/// Denies whatever it is asked about, and changes what the operation lets change.
const POLICY: &str = r#"# METADATA
# title: t
# description: d
# custom:
#   mayChange: [allowPrivilegeEscalation, capabilities, containers, runAsNonRoot, runAsUser, seccompProfile]
#   match:
#     rules:
#       - RULE
package policies.workloads.all

deny contains "asked"

patch := [{"op": "add", "path": "/metadata/annotations", "value": annotations}] if {
	not object.get(input.request, "subResource", "") in {"ephemeralcontainers", "resize"}
	annotations := object.union(object.get(input.request.object, ["metadata", "annotations"], {}), {"asked": "true"})
}

patch := [{"op": "add", "path": "/spec/containers/0/resources", "value": {"limits": {"cpu": "1"}}}] if {
	input.request.subResource == "resize"
}

patch := [{"op": "add", "path": "/spec/ephemeralContainers", "value": [{"name": "debug", "image": "a:1"}]}] if {
	input.request.subResource == "ephemeralcontainers"
}
"#;

/// That policy with that rule.
fn bundle(rule: &str) -> Bundle {
    let text = POLICY.replace("RULE", rule);
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: all}\n\
                   spec: {policy: workloads/all, enforcement: deny, templates: deny}\n";
    let mut tree = Tree::default();
    tree.insert("workloads/all/all.rego", text);
    tree.insert("bindings.yaml", binding);
    compiled(&tree)
}

fn every() -> Bundle {
    bundle("{apiGroups: [\"*\"], apiVersions: [\"*\"], resources: [\"*/*\"], operations: [\"*\"]}")
}

fn plain() -> Bundle {
    bundle(
        "{apiGroups: [\"\", apps, batch, example.org], apiVersions: [v1], resources: [pods, deployments, replicasets, \
         statefulsets, daemonsets, jobs, cronjobs, replicationcontrollers, podtemplates, namespaces, configmaps, \
         widgets]}",
    )
}

/// Group, kind, and whether it is in a namespace.
fn kind(resource: &str) -> (&'static str, &'static str, bool) {
    match resource {
        "pods" => ("", "Pod", true),
        "deployments" => ("apps", "Deployment", true),
        "replicasets" => ("apps", "ReplicaSet", true),
        "statefulsets" => ("apps", "StatefulSet", true),
        "daemonsets" => ("apps", "DaemonSet", true),
        "jobs" => ("batch", "Job", true),
        "cronjobs" => ("batch", "CronJob", true),
        "replicationcontrollers" => ("", "ReplicationController", true),
        "podtemplates" => ("", "PodTemplate", true),
        "configmaps" => ("", "ConfigMap", true),
        "services" => ("", "Service", true),
        "serviceaccounts" => ("", "ServiceAccount", true),
        "bindings" => ("", "Binding", true),
        "endpoints" => ("", "Endpoints", true),
        "events" => ("", "Event", true),
        "events.events.k8s.io" => ("events.k8s.io", "Event", true),
        "leases" => ("coordination.k8s.io", "Lease", true),
        "widgets" => ("example.org", "Widget", true),
        "namespaces" => ("", "Namespace", false),
        "nodes" => ("", "Node", false),
        "clusterroles" => ("rbac.authorization.k8s.io", "ClusterRole", false),
        "tokenreviews" => ("authentication.k8s.io", "TokenReview", false),
        "subjectaccessreviews" => ("authorization.k8s.io", "SubjectAccessReview", false),
        "certificatesigningrequests" => ("certificates.k8s.io", "CertificateSigningRequest", false),
        "flowschemas" => ("flowcontrol.apiserver.k8s.io", "FlowSchema", false),
        "apiservices" => ("apiregistration.k8s.io", "APIService", false),
        other => panic!("{other}"),
    }
}

/// The kind of a subresource's object; of those that are not named here it is that of the resource.
fn kind_of(sub_resource: &str) -> Option<(&'static str, &'static str)> {
    Some(match sub_resource {
        "eviction" => ("policy", "Eviction"),
        "binding" => ("", "Binding"),
        "exec" => ("", "PodExecOptions"),
        "attach" => ("", "PodAttachOptions"),
        "portforward" => ("", "PodPortForwardOptions"),
        "proxy" => ("", "PodProxyOptions"),
        "scale" => ("autoscaling", "Scale"),
        "token" => ("authentication.k8s.io", "TokenRequest"),
        _ => return None,
    })
}

/// The object before the request, and what it is changed by.
fn old(kind: &str, namespace: Option<&str>) -> Value {
    let pod = json!({ "containers": [{ "name": "app", "image": "registry.example/app:1" }] });
    let template = json!({ "spec": pod });
    let spec = match kind {
        "Pod" => pod,
        "CronJob" => json!({ "jobTemplate": { "spec": { "template": template } } }),
        _ => json!({ "template": template }),
    };
    json!({
        "apiVersion": "v1", "kind": kind,
        "metadata": { "name": "web", "namespace": namespace, "resourceVersion": "1", "finalizers": ["a.example/b"],
            "labels": { "app": "web" } },
        "spec": spec, "template": template, "status": { "phase": "Pending" },
    })
}

/// Applies what a row says to object, old object and user.
fn told(parts: &mut RequestParts, what: &str) {
    let change = |pointer: &str, member: &str, value: Value, object: &mut Value| {
        object.pointer_mut(pointer).unwrap()[member] = value;
    };
    let mirror = json!({ "kubernetes.io/config.mirror": "1" });
    let user = |name: &str, group: &str| json!({ "username": name, "groups": [group] });
    for word in what.split([',']).flat_map(|part| part.split(" and ")).map(str::trim) {
        let mut set = |pointer: &str, member: &str, value: Value| {
            change(pointer, member, value, parts.object.as_mut().unwrap());
        };
        match word {
            "an object" | "options" | "one of a collection" | "a mirror Pod" | "" => {}
            "without a name" => parts.name.clear(),
            "`generateName`" => set("/metadata", "generateName", json!("web-")),
            "`dryRun`" => parts.dry_run = true,
            "by a node" => {
                set("/metadata", "annotations", mirror.clone());
                parts.user_info = user("system:node:one", "system:nodes");
            }
            "by a user" => set("/metadata", "annotations", mirror.clone()),
            "another image" => set("/spec", "changed", json!(true)),
            "another label" => set("/metadata", "labels", json!({ "app": "other" })),
            "another annotation" => set("/metadata", "annotations", json!({ "a": "b" })),
            "other finalizers" => set("/metadata", "finalizers", json!([])),
            "other ownerReferences" => set("/metadata", "ownerReferences", json!([{ "kind": "Job" }])),
            "other managedFields" => set("/metadata", "managedFields", json!([{ "manager": "a" }])),
            "another resourceVersion" => set("/metadata", "resourceVersion", json!("2")),
            "another status" => set("", "status", json!({ "phase": "Running" })),
            "being deleted" => {
                for object in [&mut parts.object, &mut parts.old_object].into_iter().flatten() {
                    change("/metadata", "deletionTimestamp", json!("2026-01-31T12:00:00Z"), object);
                }
            }
            "by the API server itself" => {
                parts.user_info = user("system:apiserver", "system:masters");
                if let Some(object) = &mut parts.object {
                    change("/spec", "changed", json!(true), object);
                }
            }
            "by the garbage collector" => {
                parts.user_info = user(
                    "system:serviceaccount:kube-system:generic-garbage-collector",
                    "system:serviceaccounts",
                );
            }
            "by the namespace controller" => {
                parts.user_info =
                    user("system:serviceaccount:kube-system:namespace-controller", "system:serviceaccounts");
            }
            "by the controller manager" => {
                parts.user_info = user("system:kube-controller-manager", "system:authenticated");
            }
            other => panic!("the test does not know `{other}`"),
        }
    }
}

fn request(row: &Row) -> Request {
    let (resource, sub_resource) =
        row.resource.split_once('/').map_or((row.resource, None), |(of, sub)| (of, Some(sub)));
    let (group, own_kind, namespaced) = kind(resource);
    let (kind_group, kind) = sub_resource.and_then(kind_of).unwrap_or((group, own_kind));
    let namespace = namespaced.then_some("shop").or((resource == "namespaces").then_some("web"));
    let old = old(own_kind, namespace);
    let options = json!({ "apiVersion": "v1", "kind": kind, "command": ["sh"] });
    let object = if row.operation == Operation::Connect { options } else { old.clone() };
    let has_old = matches!(row.operation, Operation::Update | Operation::Delete);
    let mut parts = RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new(kind_group, "v1", kind),
        resource: GroupVersionResource::new(group, "v1", resource.split('.').next().unwrap()),
        sub_resource: sub_resource.map(str::to_owned),
        name: "web".to_owned(),
        namespace: namespace.map(str::to_owned),
        operation: row.operation,
        user_info: json!({ "username": "alice", "groups": ["system:authenticated"] }),
        object: (row.operation != Operation::Delete).then_some(object),
        old_object: has_old.then_some(old),
        dry_run: false,
    };
    told(&mut parts, row.what);
    Request::new(parts)
}

/// What an answer to a review comes to, in the words of the page.
fn word(response: &Value) -> &'static str {
    let policies = response["auditAnnotations"]["validate-policies"].as_str().unwrap_or_default();
    match (response["allowed"].as_bool(), response.get("patch").is_some(), policies) {
        (Some(true), true, "") => "patch",
        (Some(true), false, "") => "–",
        (Some(true), false, "audit: workloads/all") => "record",
        (Some(false), false, _) if response["status"]["code"] == 403 => "deny",
        _ => panic!("{response}"),
    }
}

/// The answer of the pipeline itself.
fn reviewed(bundle: &Bundle, request: &Request, phase: Phase) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
    // As it comes from outside.
    let request = decode(request.to_review().to_string().as_bytes()).unwrap();
    let decision = runtime.block_on(complete(bundle, &Namespaces, facts, &request, phase));
    meshgate::admission::respond(request.uid(), &decision.answer())
}

#[test]
fn every_row_of_the_page_is_true() {
    let bundles = [every(), plain()];
    let mut servers = [every(), plain()].map(|bundle| {
        let server = Server::start(bundle, Namespaces, Limits::default());
        let client = server.client();
        (server, client)
    });
    let (mut run, mut wrong) = (0, Vec::new());
    for row in rows() {
        let request = request(&row);
        let asked = [(0, Phase::Mutate), (0, Phase::Validate), (1, Phase::Mutate), (1, Phase::Validate)];
        for ((policy, phase), expected) in asked.into_iter().zip(row.expected) {
            let path = if phase == Phase::Mutate { "/mutate" } else { "/validate" };
            let direct = reviewed(&bundles[policy], &request, phase);
            let sent = servers[policy].1.review(path, &request.to_review()).json();
            run += 1;
            let found = word(&direct["response"]);
            if found != expected || sent != direct {
                let name = ["every", "plain"][policy];
                let Row { operation, resource, what, .. } = &row;
                wrong.push(format!("{operation} {resource}, {what}: {name} {path}: {found}, not {expected}; over HTTPS {sent}"));
            }
        }
    }
    println!("operations: {run} cells, each through review and over HTTPS, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(run > 390, "{run} cells");
}

#[test]
fn a_dry_run_is_answered_as_the_real_one() {
    let bundle = every();
    let answers = ["an object", "`dryRun`"].map(|what| {
        let row = Row { operation: Operation::Create, resource: "pods", what, expected: [""; 4] };
        [Phase::Mutate, Phase::Validate].map(|phase| reviewed(&bundle, &request(&row), phase))
    });
    assert_eq!(answers[0], answers[1]);
}
