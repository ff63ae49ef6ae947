//! Requests about which no policy is asked, whatever its match says (docs/operations.md). The registration keeps most
//! of them away; here it holds whoever brings them, so that all entry points agree.

use std::fmt;

use serde_json::{Map, Value};

use super::decision::Phase;
use super::probe;
use crate::admission::{Operation, Request};
use crate::config::NAMESPACE;
use crate::context::Subjects;
use crate::policy::{CONTROLLERS, is_never};

/// Fields of `metadata` that say nothing of what an object is.
const BOOKKEEPING: [&str; 4] = ["finalizers", "managedFields", "ownerReferences", "resourceVersion"];

/// The annotation of a Pod that a kubelet reports and runs already, and the group that kubelets are in
/// (k8s.io/kubernetes, pkg/apis/core, MirrorPodAnnotationKey). Anybody can write the annotation; the group decides.
const MIRROR: (&str, &str) = ("/metadata/annotations/kubernetes.io~1config.mirror", "system:nodes");

/// Why nobody is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unjudged {
    /// Nothing that a patch could change: a deletion, or a connection. The API server refuses a request that is answered
    /// with one then (cluster: section 2).
    Unchangeable,
    /// A resource that the cluster itself lives by, or a subresource of the kind.
    Resource,
    /// The API server's own write.
    ApiServer,
    /// A deletion of what belongs to something that is gone.
    ControllersDeletion,
    /// An update that changes nothing that was judged before.
    Bookkeeping,
    /// A Pod that runs already, and can't be changed any more.
    MirrorPod,
    /// Policies leave its namespace alone.
    Excluded,
    /// Meshgate's own question whether it is asked.
    Probe,
}

/// Why no policy is asked about `request`; None where its match decides.
pub(super) fn unjudged(request: &Request, phase: Phase, subjects: &Subjects) -> Option<Unjudged> {
    if phase == Phase::Mutate && !is_changeable(request) {
        return Some(Unjudged::Unchangeable);
    }
    let resource = request.resource();
    let user = request.user_info().get("username").and_then(Value::as_str).unwrap_or_default();
    if is_never(&resource.group, &resource.resource, request.sub_resource()) {
        Some(Unjudged::Resource)
    } else if user == "system:apiserver" {
        Some(Unjudged::ApiServer)
    } else if request.operation() == Operation::Delete && CONTROLLERS.contains(&user) {
        Some(Unjudged::ControllersDeletion)
    } else if is_excluded(request, phase, subjects) {
        Some(Unjudged::Excluded)
    } else if is_bookkeeping(request) {
        Some(Unjudged::Bookkeeping)
    } else if probe::nonce(request).is_some() {
        Some(Unjudged::Probe)
    } else if phase == Phase::Mutate && (is_mirror_pod(request) || was_mirror_pod(request)) {
        Some(Unjudged::MirrorPod)
    } else {
        None
    }
}

/// Whether the workloads entry of the registration leaves the namespace out. What is in meshgate's own is judged and never
/// changed, so that its replicas do not differ by who was up when they were made.
fn is_excluded(request: &Request, phase: Phase, subjects: &Subjects) -> bool {
    let Some(namespace) = request.namespace() else { return false };
    let is_own = namespace == NAMESPACE && (phase == Phase::Mutate || request.is_about_a_namespace());
    is_own || subjects.exclude(namespace)
}

fn is_changeable(request: &Request) -> bool {
    matches!(request.operation(), Operation::Create | Operation::Update) && request.object().is_some()
}

/// Whether it is the report of a Pod that runs already: a denial would hide it and not end it.
pub(super) fn is_mirror_pod(request: &Request) -> bool {
    let (resource, (annotation, group)) = (request.resource(), MIRROR);
    let is_pod = resource.group.is_empty() && resource.resource == "pods" && request.sub_resource().is_none();
    let groups = request.user_info().get("groups").and_then(Value::as_array);
    is_pod
        && request.operation() == Operation::Create
        && request.object().is_some_and(|object| object.pointer(annotation).is_some())
        && groups.is_some_and(|groups| groups.iter().any(|one| one == group))
}

/// Whether what is stored is such a report; no update makes a Pod one, or no longer one (ValidatePodSpecificAnnotationUpdates).
fn was_mirror_pod(request: &Request) -> bool {
    let resource = request.resource();
    let is_pod = resource.group.is_empty() && resource.resource == "pods";
    is_pod && request.old_object().is_some_and(|old| old.pointer(MIRROR.0).is_some())
}

/// An update that leaves all as it was but finalizers, owners, the API server's notes and the status. Objects that are
/// being deleted are no exception: a finalizer would be a way around (CVE-2023-34091).
fn is_bookkeeping(request: &Request) -> bool {
    let (new, old) = (request.object().and_then(Value::as_object), request.old_object());
    let both = new.zip(old.and_then(Value::as_object));
    request.operation() == Operation::Update && both.is_some_and(|(new, old)| are_alike(new, old))
}

fn are_alike(new: &Map<String, Value>, old: &Map<String, Value>) -> bool {
    same(new, old, &["metadata", "status"])
        && match (new.get("metadata"), old.get("metadata")) {
            (Some(Value::Object(new)), Some(Value::Object(old))) => same(new, old, &BOOKKEEPING),
            (new, old) => new == old,
        }
}

/// Whether both have the same members, `but` for some.
fn same(one: &Map<String, Value>, other: &Map<String, Value>, but: &[&str]) -> bool {
    let counted = |name: &String| !but.contains(&name.as_str());
    let names = |object: &Map<String, Value>| object.keys().filter(|name| counted(name)).count();
    let is_there = |(name, value): (&String, &Value)| !counted(name) || other.get(name) == Some(value);
    names(one) == names(other) && one.iter().all(is_there)
}

impl fmt::Display for Unjudged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unchangeable => "nothing can be changed by this operation",
            Self::Resource => "the cluster lives by this resource",
            Self::ApiServer => "the API server writes it",
            Self::ControllersDeletion => "a controller deletes what belongs to something that is gone",
            Self::Bookkeeping => {
                "only finalizers, ownerReferences, managedFields, resourceVersion or status change, if anything does"
            }
            Self::MirrorPod => "a mirror Pod runs already",
            Self::Excluded => "its namespace is one that policies leave alone",
            Self::Probe => "meshgate asks whether it is asked",
        })
    }
}
