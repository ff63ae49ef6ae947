//! The same violation in every list of containers of every kind that makes Pods, made and changed, is found once, at
//! its place (R10).

use meshgate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use meshgate::context::{Facts, Now};
use meshgate::engine::Bundle;
use meshgate::review::{Action, Finding, Phase, Progress, review};
use serde_json::{Value, json};

use crate::bound;

pub(crate) const POLICY: &str = "pod_security/standard";

/// Group, version, kind, resource, and where the Pod's spec is.
pub(crate) type Kind = (&'static str, &'static str, &'static str, &'static str, &'static str);

pub(crate) const POD: Kind = ("", "v1", "Pod", "pods", "spec");

/// A kind that is not Kubernetes' own, with the place that tests configure for its Pod.
pub(crate) const ROLLOUT: Kind = ("argoproj.io", "v1alpha1", "Rollout", "rollouts", "spec.template.spec");

pub(crate) const KINDS: [Kind; 9] = [
    POD,
    ("", "v1", "PodTemplate", "podtemplates", "template.spec"),
    ("", "v1", "ReplicationController", "replicationcontrollers", "spec.template.spec"),
    ("apps", "v1", "ReplicaSet", "replicasets", "spec.template.spec"),
    ("apps", "v1", "Deployment", "deployments", "spec.template.spec"),
    ("apps", "v1", "StatefulSet", "statefulsets", "spec.template.spec"),
    ("apps", "v1", "DaemonSet", "daemonsets", "spec.template.spec"),
    ("batch", "v1", "Job", "jobs", "spec.template.spec"),
    ("batch", "v1", "CronJob", "cronjobs", "spec.jobTemplate.spec.template.spec"),
];

/// How a message names the container, its list, its name, its restartPolicy.
pub(crate) const PLACES: [(&str, &str, &str, Option<&str>); 4] = [
    ("init container", "initContainers", "migrate", None),
    ("sidecar container", "initContainers", "proxy", Some("Always")),
    ("container", "containers", "app", None),
    ("ephemeral container", "ephemeralContainers", "debug", None),
];

/// A Pod's spec with something harmless in every list, and behind it one container more at that place.
fn spec((_, list, name, restart_policy): (&str, &str, &str, Option<&str>), privileged: bool) -> Value {
    let harmless = |list: &str| json!([{ "name": format!("{list}-0"), "image": "a:1" }]);
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let mut spec: Value = lists
        .into_iter()
        .map(|list| (list.to_owned(), harmless(list)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mut container =
        json!({ "name": name, "image": "a:1", "securityContext": { "privileged": privileged } });
    if let Some(policy) = restart_policy {
        container["restartPolicy"] = json!(policy);
    }
    spec[list].as_array_mut().unwrap().push(container);
    spec
}

pub(crate) fn object((group, version, kind, _, path): Kind, spec: Value) -> Value {
    let mut object = path.rsplit('.').fold(spec, |inner, name| json!({ name: inner }));
    object["apiVersion"] =
        json!(if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") });
    object["kind"] = json!(kind);
    object["metadata"] = json!({ "name": "web", "namespace": "shop" });
    object
}

/// The old object of an UPDATE has the container, but not privileged.
pub(crate) fn request(
    kind: Kind,
    sub_resource: Option<&str>,
    operation: Operation,
    place: (&str, &str, &str, Option<&str>),
) -> Request {
    let (group, version, name, resource, _) = kind;
    Request::new(RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new(group, version, name),
        resource: GroupVersionResource::new(group, version, resource),
        sub_resource: sub_resource.map(str::to_owned),
        name: "web".to_owned(),
        namespace: Some("shop".to_owned()),
        operation,
        user_info: json!({ "username": "alice" }),
        object: Some(object(kind, spec(place, true))),
        old_object: (operation == Operation::Update).then(|| object(kind, spec(place, false))),
        dry_run: false,
    })
}

pub(crate) fn findings(bundle: &Bundle, request: &Request) -> Vec<Finding> {
    let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
    // Nothing is known of the namespace, which lets nobody off.
    facts.close();
    match review(bundle, &facts, request, Phase::Validate) {
        Progress::Done(decision) => decision.findings,
        Progress::Need(keys) => panic!("asks for {keys:?}"),
    }
}

/// All requests that bring such a container: workloads made and changed, and the subresources of a Pod that is there.
fn requests() -> Vec<(Kind, Option<&'static str>, Operation)> {
    let both = [Operation::Create, Operation::Update];
    let workloads = KINDS.into_iter().flat_map(|kind| both.map(|operation| (kind, None, operation)));
    let sub_resources = ["ephemeralcontainers", "resize"].map(|name| (POD, Some(name), Operation::Update));
    workloads.chain(sub_resources).collect()
}

#[test]
fn a_privileged_container_is_found_wherever_it_is() {
    let bundle = bound::only(POLICY);
    let (mut run, mut wrong) = (0_usize, Vec::new());
    for (kind, sub_resource, operation) in requests() {
        for place in PLACES {
            let (title, list, name, _) = place;
            let found = findings(&bundle, &request(kind, sub_resource, operation, place));
            let (_, _, kind_name, _, path) = kind;
            let field = format!("{path}.{list}[1].securityContext.privileged");
            let pointer = format!("/{}", field.replace("[1]", ".1").replace('.', "/"));
            let message =
                format!("privileged (container \"{name}\" must not set securityContext.privileged=true)");
            let is_right = matches!(found.as_slice(), [one] if
                (one.action, one.is_error, one.policy.as_str()) == (Action::Deny, false, POLICY)
                && (one.field.as_ref(), one.pointer.as_ref()) == (Some(&field), Some(&pointer))
                && one.container.as_deref() == Some(name) && one.message == message);
            run = run.saturating_add(1);
            if !is_right {
                wrong.push(format!("{operation} {kind_name} {sub_resource:?} {title}: {found:?}"));
            }
        }
    }
    println!(
        "every list: {run} requests reviewed, {} with exactly that finding",
        run.saturating_sub(wrong.len())
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(run, 4 * 9 * 2 + 4 * 2);
}
