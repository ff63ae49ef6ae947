//! The Pod that a workload's controller would create from its template.

use serde_json::{Map, Value, json};

use super::default;
use super::requests::{NOBODY, uid};
use crate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use crate::context::Beside;
use crate::kubernetes::pod_template::PodTemplates;

/// A Pod that is not written anywhere.
pub(super) struct Derived<'t> {
    /// Its creation by the controller.
    pub(super) request: Request,
    /// JSON pointer of the template that it comes from.
    pub(super) template: &'t str,
}

/// An object that controls others.
struct Controller {
    api_version: String,
    kind: String,
    name: String,
    uid: String,
}

/// The Pod that the object of `request` would make; None where it makes none. The controllers between (ReplicaSet,
/// Job) are added to `world`, so that the Pod's owner is found.
pub(super) fn derive<'t>(
    templates: &'t PodTemplates,
    request: &Request,
    world: &mut Beside<'_>,
) -> Option<Derived<'t>> {
    let (object, namespace) = (request.object()?, request.namespace()?);
    let GroupVersionKind { group, kind, .. } = request.kind();
    let template = templates.find(group, kind, object).ok()??;
    // Nothing makes Pods from a PodTemplate.
    if !template.is_template || (group.as_str(), kind.as_str()) == ("", "PodTemplate") {
        return None;
    }
    let made_by = Made::by(group, kind);
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let workload = Controller {
        api_version: made_by
            .as_ref()
            .map_or_else(|| text("/apiVersion"), |made_by| made_by.api_version.to_owned()),
        kind: kind.clone(),
        name: text("/metadata/name"),
        uid: uid(&[namespace, kind, request.name().unwrap_or_default()]),
    };
    let hash: String = uid(&[&template.pod.to_string()]).chars().filter(|c| *c != '-').take(10).collect();
    let controller =
        made_by.as_ref().and_then(|made_by| made_by.between).map(|(api_version, kind)| Controller {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: format!("{}-{hash}", workload.name),
            uid: uid(&[&workload.uid, kind]),
        });
    world.insert(namespace, as_owner(&workload, object));
    if let Some(between) = &controller {
        world.insert(namespace, stand_in(between, &workload));
    }
    let controller = controller.unwrap_or(workload);
    let mut pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": null, "spec": null });
    if let Some(members) = pod.as_object_mut() {
        members.insert("metadata".to_owned(), metadata(template.pod, &controller, &hash, namespace));
        members.insert("spec".to_owned(), template.pod.get("spec")?.clone());
    }
    default::apply(&mut pod);
    let user = made_by.map_or_else(nobody, |made_by| user(made_by.service_account));
    Some(Derived { request: creation(pod, &controller, namespace, user), template: template.pointer })
}

/// The creation of a Pod that `controller` makes.
fn creation(pod: Value, controller: &Controller, namespace: &str, user_info: Value) -> Request {
    Request::new(RequestParts {
        uid: uid(&[&controller.uid, "pod"]),
        kind: GroupVersionKind::new("", "v1", "Pod"),
        resource: GroupVersionResource::new("", "v1", "pods"),
        sub_resource: None,
        name: pod.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        namespace: Some(namespace.to_owned()),
        operation: Operation::Create,
        user_info,
        object: Some(pod),
        old_object: None,
        dry_run: true,
    })
}

/// Who makes the Pods of a kind (pkg/controller; the names of the controllers' service accounts).
struct Made {
    api_version: &'static str,
    between: Option<(&'static str, &'static str)>,
    service_account: &'static str,
}

impl Made {
    /// None of a kind that is not Kubernetes' own.
    fn by(group: &str, kind: &str) -> Option<Self> {
        let (api_version, between, service_account) = match (group, kind) {
            ("apps" | "extensions", "Deployment") => {
                ("apps/v1", Some(("apps/v1", "ReplicaSet")), "replicaset-controller")
            }
            ("apps" | "extensions", "ReplicaSet") => ("apps/v1", None, "replicaset-controller"),
            ("apps" | "extensions", "DaemonSet") => ("apps/v1", None, "daemon-set-controller"),
            ("apps", "StatefulSet") => ("apps/v1", None, "statefulset-controller"),
            ("", "ReplicationController") => ("v1", None, "replication-controller"),
            ("batch", "Job") => ("batch/v1", None, "job-controller"),
            ("batch", "CronJob") => ("batch/v1", Some(("batch/v1", "Job")), "job-controller"),
            _ => return None,
        };
        Some(Self { api_version, between, service_account })
    }
}

/// Who makes the Pods of a kind whose controller is not known.
fn nobody() -> Value {
    json!({ "username": NOBODY, "groups": ["system:authenticated"] })
}

fn user(service_account: &str) -> Value {
    json!({
        "username": format!("system:serviceaccount:kube-system:{service_account}"),
        "groups": ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"],
    })
}

/// As much of the workload itself as the Pods' owner is computed from.
fn as_owner(workload: &Controller, object: &Value) -> Value {
    let metadata = object.get("metadata").cloned();
    let replicas = object.pointer("/spec/replicas").cloned();
    json!({
        "apiVersion": workload.api_version,
        "kind": workload.kind,
        "metadata": metadata,
        "spec": { "replicas": replicas },
    })
}

/// As much of a controller between as the Pods' owner is computed from.
fn stand_in(controller: &Controller, owner: &Controller) -> Value {
    let metadata =
        json!({ "name": controller.name, "uid": controller.uid, "ownerReferences": [reference(owner)] });
    json!({ "apiVersion": controller.api_version, "kind": controller.kind, "metadata": metadata })
}

fn reference(controller: &Controller) -> Value {
    json!({
        "apiVersion": controller.api_version,
        "kind": controller.kind,
        "name": controller.name,
        "uid": controller.uid,
        "controller": true,
        "blockOwnerDeletion": true,
    })
}

/// The template's labels, annotations and finalizers (controller_utils.go, GetPodFromTemplate), and what the
/// controller adds.
fn metadata(template: &Value, controller: &Controller, hash: &str, namespace: &str) -> Value {
    let mut metadata = Map::new();
    for name in ["labels", "annotations", "finalizers"] {
        if let Some(value) =
            template.get("metadata").and_then(|metadata| metadata.get(name)).filter(|v| !v.is_null())
        {
            metadata.insert(name.to_owned(), value.clone());
        }
    }
    let first = format!("{}-0", controller.name);
    let of = (controller.api_version.as_str(), controller.kind.as_str());
    let added = match of {
        ("apps/v1", "ReplicaSet") => vec![("pod-template-hash", hash)],
        ("apps/v1", "DaemonSet") => {
            vec![("controller-revision-hash", hash), ("pod-template-generation", "1")]
        }
        ("apps/v1", "StatefulSet") => vec![
            ("apps.kubernetes.io/pod-index", "0"),
            ("controller-revision-hash", hash),
            ("statefulset.kubernetes.io/pod-name", &first),
        ],
        ("batch/v1", "Job") => vec![
            ("batch.kubernetes.io/controller-uid", controller.uid.as_str()),
            ("batch.kubernetes.io/job-name", &controller.name),
            ("controller-uid", &controller.uid),
            ("job-name", &controller.name),
        ],
        _ => Vec::new(),
    };
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.extend(added.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))));
    }
    match of {
        ("apps/v1", "StatefulSet") => metadata.insert("name".to_owned(), Value::from(first)),
        _ => metadata.insert("generateName".to_owned(), Value::from(format!("{}-", controller.name))),
    };
    metadata.insert("namespace".to_owned(), Value::from(namespace));
    metadata.insert("ownerReferences".to_owned(), json!([reference(controller)]));
    Value::Object(metadata)
}
