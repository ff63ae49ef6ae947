//! What an update may change of an object that is there. A patch beyond it would have the API server refuse the update of
//! whoever sent it, or would be undone in silence. Called by `review`, about the patches of policies.
//!
//! Source: k8s.io/kubernetes, pkg/apis/core/validation (ValidatePodUpdate, ValidatePodSpecificAnnotationUpdates),
//! pkg/registry/core/pod/strategy.go, pkg/apis/batch/validation (ValidateJobSpecUpdate).

use serde_json::Value;

/// The annotation of a mirror Pod: the API server's copy of a Pod that a kubelet runs by itself.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What of a Job's spec stays as it is. A suspended Job's template may change in part; a patch of it is left out too.
const JOB: [&str; 8] = [
    "/spec/template",
    "/spec/selector",
    "/spec/completions",
    "/spec/completionMode",
    "/spec/podFailurePolicy",
    "/spec/backoffLimitPerIndex",
    "/spec/managedBy",
    "/spec/successPolicy",
];

/// Whether an update may change the field at `pointer` (a JSON pointer of a change from `old`, the stored object, to
/// `new`). Of kinds other than Pods and Jobs nothing is known here, and all may.
pub fn may_change(
    group: &str,
    resource: &str,
    sub_resource: Option<&str>,
    pointer: &str,
    old: &Value,
    new: &Value,
) -> bool {
    match (group, resource, sub_resource) {
        ("", "pods", None) => is_metadata(pointer) || is_pod_field(pointer, old, new),
        ("", "pods", Some("status")) => is_metadata(pointer) || is_below(pointer, "/status"),
        ("", "pods", Some("ephemeralcontainers")) => is_new_ephemeral(pointer, old, new),
        ("", "pods", Some("resize")) => container_field(pointer).is_some_and(|field| field == "resources"),
        ("", "pods", Some(_)) => false,
        ("batch", "jobs", None) => {
            !JOB.iter().any(|field| is_below(pointer, field) || is_below(field, pointer))
        }
        _ => true,
    }
}

fn is_metadata(pointer: &str) -> bool {
    let key = pointer.strip_prefix("/metadata/annotations/").map(|key| key.replace("~1", "/"));
    let is_fixed =
        |key: String| key == MIRROR || key.starts_with("container.apparmor.security.beta.kubernetes.io/");
    ["labels", "annotations", "finalizers", "ownerReferences"]
        .iter()
        .any(|member| is_below(pointer, &format!("/metadata/{member}")))
        && !key.is_some_and(is_fixed)
}

fn is_pod_field(pointer: &str, old: &Value, new: &Value) -> bool {
    let (before, after) = (|field: &str| old.pointer(field), |field: &str| new.pointer(field));
    let number = |value: Option<&Value>| value.and_then(Value::as_i64);
    let is_gated = list(before("/spec/schedulingGates")).is_some_and(|gates| !gates.is_empty());
    match field(pointer) {
        "containers" | "initContainers" => container_field(pointer) == Some("image"),
        "activeDeadlineSeconds" => {
            let deadlines = [old, new].map(|pod| number(pod.pointer("/spec/activeDeadlineSeconds")));
            matches!(deadlines, [None, Some(0..)])
                || matches!(deadlines, [Some(old), Some(new @ 0..)] if new <= old)
        }
        "terminationGracePeriodSeconds" => {
            let periods = [old, new].map(|pod| number(pod.pointer("/spec/terminationGracePeriodSeconds")));
            matches!(periods, [Some(..0), Some(1)])
        }
        "tolerations" => has_all(after("/spec/tolerations"), before("/spec/tolerations")),
        "schedulingGates" => has_all(before("/spec/schedulingGates"), after("/spec/schedulingGates")),
        "nodeSelector" if is_gated => {
            let all = after("/spec/nodeSelector").and_then(Value::as_object);
            let of_old = before("/spec/nodeSelector").and_then(Value::as_object);
            let is_kept = |(key, value): (&String, &Value)| all.and_then(|all| all.get(key)) == Some(value);
            of_old.into_iter().flatten().all(is_kept)
        }
        _ => false,
    }
}

/// Containers that are there stay as they are; others may come, and whatever is written into those.
fn is_new_ephemeral(pointer: &str, old: &Value, new: &Value) -> bool {
    let lists = [old, new].map(|pod| list(pod.pointer("/spec/ephemeralContainers")).unwrap_or_default());
    let [before, after] = lists;
    is_below(pointer, "/spec/ephemeralContainers") && before.iter().all(|container| after.contains(container))
}

/// `containers` of `/spec/containers/0/image`.
fn field(pointer: &str) -> &str {
    pointer.strip_prefix("/spec/").and_then(|rest| rest.split('/').next()).unwrap_or_default()
}

/// `image` of `/spec/containers/0/image`; none where a whole container, or a list of them, changes.
fn container_field(pointer: &str) -> Option<&str> {
    let mut parts = pointer.strip_prefix("/spec/")?.split('/');
    let list = parts.next()?;
    parts.next()?;
    parts.next().filter(|_| matches!(list, "containers" | "initContainers"))
}

fn is_below(pointer: &str, field: &str) -> bool {
    pointer.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn list(value: Option<&Value>) -> Option<&[Value]> {
    value.and_then(Value::as_array).map(Vec::as_slice)
}

fn has_all(all: Option<&Value>, some: Option<&Value>) -> bool {
    let all = list(all).unwrap_or_default();
    list(some).unwrap_or_default().iter().all(|item| all.contains(item))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Value {
        json!({
            "metadata": { "labels": { "a": "1" } },
            "spec": {
                "activeDeadlineSeconds": 60, "terminationGracePeriodSeconds": -1,
                "tolerations": [{ "key": "a" }], "schedulingGates": [{ "name": "a" }, { "name": "b" }],
                "nodeSelector": { "a": "1" }, "containers": [{ "name": "app", "image": "a:1" }],
                "ephemeralContainers": [{ "name": "debug", "image": "a:1" }]
            }
        })
    }

    /// Sets the field at a pointer; null takes it out.
    fn set(mut object: Value, pointer: &str, value: Value) -> Value {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match object.pointer_mut(parent).unwrap() {
            Value::Array(items) => items.push(value),
            parent if value.is_null() => drop(parent.as_object_mut().unwrap().remove(key)),
            parent => drop(parent.as_object_mut().unwrap().insert(key.to_owned(), value)),
        }
        object
    }

    #[test]
    fn only_some_fields_of_a_pod_change() {
        let rows = [
            ("/metadata/labels/b", json!("2"), true),
            ("/metadata/labels", json!({}), true),
            ("/metadata/annotations", json!({}), true),
            ("/metadata/generateName", json!("a-"), false),
            ("/spec/containers/0/image", json!("a:2"), true),
            ("/spec/containers/0/command", json!(["a"]), false),
            ("/spec/containers/1", json!({ "name": "b" }), false),
            ("/spec/ephemeralContainers/1", json!({ "name": "b" }), false),
            ("/spec/activeDeadlineSeconds", json!(59), true),
            ("/spec/activeDeadlineSeconds", json!(61), false),
            ("/spec/activeDeadlineSeconds", Value::Null, false),
            ("/spec/terminationGracePeriodSeconds", json!(1), true),
            ("/spec/terminationGracePeriodSeconds", json!(2), false),
            ("/spec/tolerations/1", json!({ "key": "b" }), true),
            ("/spec/tolerations", json!([{ "key": "b" }]), false),
            ("/spec/schedulingGates", json!([{ "name": "b" }]), true),
            ("/spec/schedulingGates/2", json!({ "name": "c" }), false),
            ("/spec/nodeSelector/b", json!("1"), true),
            ("/spec/nodeSelector/a", json!("2"), false),
            ("/spec/securityContext", json!({}), false),
            ("/status", json!({}), false),
        ];
        for (pointer, value, expected) in rows {
            let new = set(pod(), pointer, value.clone());
            assert_eq!(may_change("", "pods", None, pointer, &pod(), &new), expected, "{pointer} {value}");
        }
        let free = set(pod(), "/spec/schedulingGates", json!([]));
        let new = set(free.clone(), "/spec/nodeSelector/b", json!("1"));
        assert!(!may_change("", "pods", None, "/spec/nodeSelector/b", &free, &new), "not gated");
    }

    #[test]
    fn annotations_that_mean_something_to_the_node_stay() {
        for key in ["kubernetes.io~1config.mirror", "container.apparmor.security.beta.kubernetes.io~1app"] {
            let pointer = format!("/metadata/annotations/{key}");
            assert!(!may_change("", "pods", None, &pointer, &pod(), &pod()), "{key}");
        }
    }

    #[test]
    fn each_subresource_has_fields_of_its_own() {
        let added = set(pod(), "/spec/ephemeralContainers/1", json!({ "name": "b" }));
        let changed = set(pod(), "/spec/ephemeralContainers", json!([{ "name": "debug", "image": "b" }]));
        let rows = [
            ("ephemeralcontainers", "/spec/ephemeralContainers/1", &added, true),
            ("ephemeralcontainers", "/spec/ephemeralContainers/0/image", &changed, false),
            ("ephemeralcontainers", "/metadata/labels/b", &added, false),
            ("resize", "/spec/containers/0/resources/limits/cpu", &added, true),
            ("resize", "/spec/initContainers/0/resources", &added, true),
            ("resize", "/spec/containers/0/image", &added, false),
            ("resize", "/metadata/labels/b", &added, false),
            ("status", "/status/phase", &added, true),
            ("status", "/metadata/annotations/b", &added, true),
            ("status", "/spec/containers/0/image", &added, false),
            ("other", "/metadata/labels/b", &added, false),
        ];
        for (sub_resource, pointer, new, expected) in rows {
            let found = may_change("", "pods", Some(sub_resource), pointer, &pod(), new);
            assert_eq!(found, expected, "{sub_resource} {pointer}");
        }
    }

    #[test]
    fn the_template_of_a_job_stays_and_that_of_others_does_not() {
        let pointer = "/spec/template/spec/containers/0/image";
        let may = |group, resource, pointer| may_change(group, resource, None, pointer, &pod(), &pod());
        assert_eq!(
            [
                may("batch", "jobs", pointer),
                may("batch", "jobs", "/spec"),
                may("batch", "jobs", "/spec/suspend")
            ],
            [false, false, true]
        );
        assert_eq!([may("batch", "cronjobs", pointer), may("apps", "deployments", pointer)], [true, true]);
    }
}
