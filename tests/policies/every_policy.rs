//! Each policy of the catalogue about Pods finds its violation in every kind that makes Pods and, if it is one of a
//! container, in every list that it judges and in no other, made and changed (R10).

use meshgate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use meshgate::engine::Bundle;
use meshgate::review::{Action, Finding};
use serde_json::{Value, json};

use crate::bound;
use crate::every_list::{KINDS, Kind, PLACES, findings, object};

const DIGEST: &str = "@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// The lists that a policy judges, as places of [`PLACES`].
const ALL: &[usize] = &[0, 1, 2, 3];
/// Ephemeral containers have no resources.
const WITH_RESOURCES: &[usize] = &[0, 1, 2];
const REGULAR: &[usize] = &[2];

/// A policy, what a container has that violates it, the field below the container, and the lists that it judges.
type Row = (&'static str, Value, &'static str, &'static [usize]);

fn rows() -> Vec<Row> {
    let requests = json!({ "cpu": "100m", "memory": "128Mi" });
    vec![
        ("images/allowed_registries", json!({ "image": "example.com/a:1" }), "image", ALL),
        ("images/digest_required", json!({ "image": "a:1" }), "image", ALL),
        ("images/no_latest", json!({ "image": "a:latest" }), "image", ALL),
        (
            "resources/ephemeral_storage",
            json!({ "resources": {} }),
            "resources.limits.ephemeral-storage",
            WITH_RESOURCES,
        ),
        (
            "resources/range",
            json!({ "resources": { "limits": { "cpu": "1000" }, "requests": requests } }),
            "resources.limits.cpu",
            WITH_RESOURCES,
        ),
        (
            "resources/ratio",
            json!({ "resources": { "limits": { "memory": "1Gi" }, "requests": requests } }),
            "resources.limits.memory",
            WITH_RESOURCES,
        ),
        (
            "resources/required",
            json!({ "resources": { "requests": requests } }),
            "resources.limits.memory",
            WITH_RESOURCES,
        ),
        (
            "workloads/literal_secrets",
            json!({ "env": [{ "name": "PASSWORD", "value": "hunter2" }] }),
            "env[0].value",
            ALL,
        ),
        ("workloads/probes", json!({ "livenessProbe": null }), "livenessProbe", REGULAR),
    ]
}

/// A container that violates none of them, with those members besides.
fn container(name: &str, restart_policy: Option<&str>, members: &Value) -> Value {
    let mut container = json!({
        "name": name,
        "image": format!("docker.io/library/a:1{DIGEST}"),
        "livenessProbe": { "exec": { "command": ["a"] } },
        "readinessProbe": { "exec": { "command": ["b"] } },
        "resources": {
            "requests": { "cpu": "100m", "memory": "128Mi" },
            "limits": { "memory": "128Mi", "ephemeral-storage": "1Gi" },
        },
        "restartPolicy": restart_policy,
    });
    for (name, value) in members.as_object().unwrap() {
        container[name] = value.clone();
    }
    container
}

/// A Pod's spec with one good container in each list, and behind it one with those members at that place.
fn spec((_, list, name, restart_policy): (&str, &str, &str, Option<&str>), members: &Value) -> Value {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let good = |list: &str| json!([container(&format!("{list}-0"), None, &json!({}))]);
    let mut spec: Value =
        lists.into_iter().map(|list| (list.to_owned(), good(list))).collect::<serde_json::Map<_, _>>().into();
    spec[list].as_array_mut().unwrap().push(container(name, restart_policy, members));
    spec
}

fn request(kind: Kind, operation: Operation, spec: Value, old: Value) -> Request {
    let (group, version, name, resource, _) = kind;
    Request::new(RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new(group, version, name),
        resource: GroupVersionResource::new(group, version, resource),
        sub_resource: None,
        name: "web".to_owned(),
        namespace: Some("default".to_owned()),
        operation,
        user_info: json!({ "username": "alice" }),
        object: Some(object(kind, spec)),
        old_object: (operation == Operation::Update).then(|| object(kind, old)),
        dry_run: false,
    })
}

/// Whether there is one denial at that field, or none at all.
fn is_right(found: &[Finding], policy: &str, expected: Option<&str>) -> bool {
    match (found, expected) {
        ([], None) => true,
        ([one], Some(field)) => {
            (one.action, one.is_error, one.policy.as_str()) == (Action::Deny, false, policy)
                && one.field.as_deref() == Some(field)
        }
        _ => false,
    }
}

/// Workloads of these kinds are not asked for probes: their Pods come to an end.
fn is_asked(bundle: &Bundle, request: &Request) -> bool {
    bundle.bound.iter().any(|bound| bound.policy.metadata.matches.mismatch(request).is_none())
}

fn each(mut judge: impl FnMut(Kind, Operation)) {
    for kind in KINDS {
        for operation in [Operation::Create, Operation::Update] {
            judge(kind, operation);
        }
    }
}

#[test]
fn each_policy_judges_every_list_of_every_kind() {
    let (mut run, mut wrong) = (0_usize, Vec::new());
    for (policy, members, below, lists) in rows() {
        let bundle = bound::only(policy);
        each(|kind, operation| {
            for (index, place) in PLACES.into_iter().enumerate() {
                let good = spec(place, &json!({}));
                let request = request(kind, operation, spec(place, &members), good);
                let field = format!("{}.{}[1].{below}", kind.4, place.1);
                let expected = lists.contains(&index) && is_asked(&bundle, &request);
                let found = findings(&bundle, &request);
                run = run.saturating_add(1);
                if !is_right(&found, policy, expected.then_some(field.as_str())) {
                    wrong.push(format!("{policy}: {operation} {} {}: {found:?}", kind.2, place.0));
                }
            }
        });
    }
    println!(
        "every policy: {run} containers reviewed, {} as the policy says",
        run.saturating_sub(wrong.len())
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(run, rows().len().saturating_mul(9 * 2 * 4));
}

#[test]
fn each_policy_judges_the_pod_of_every_kind() {
    let volume = json!([{ "name": "node", "hostPath": { "path": "/" } }]);
    let table = [
        ("workloads/host_namespaces", json!({ "hostPID": true }), Some("hostPID")),
        ("workloads/host_path", json!({ "volumes": volume }), Some("volumes[0].hostPath.path")),
        ("workloads/service_account_token", json!({}), Some("automountServiceAccountToken")),
        ("workloads/default_namespace", json!({}), None),
        ("injection/mesh_required", json!({ "hostNetwork": true }), Some("hostNetwork")),
    ];
    let mut wrong = Vec::new();
    for (policy, spec, below) in table {
        let bundle = bound::only(policy);
        each(|kind, operation| {
            let request = request(kind, operation, spec.clone(), json!({ "subdomain": "old" }));
            let field = below.map(|below| format!("{}.{below}", kind.4));
            let found = findings(&bundle, &request);
            let is_right = matches!(found.as_slice(), [one] if
                (one.action, one.is_error) == (Action::Deny, false) && one.field == field);
            if !is_right {
                wrong.push(format!("{policy}: {operation} {}: {found:?}", kind.2));
            }
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
