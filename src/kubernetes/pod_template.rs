//! Where each kind keeps its Pod: the one view of Pods and Pod templates (R10). Called by the fact `pod`, by the view
//! of containers and by the dry run, which makes Pods of templates.

use serde_json::{Map, Value, json};

use super::field_path::of_pointer;
use super::pod_types;

/// A Pod, or the template of one, in an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PodTemplate<'a> {
    /// The JSON pointer to it: empty for a Pod.
    pub pointer: &'static str,
    /// Whether Pods are made of it: true for all but a Pod.
    pub is_template: bool,
    /// What has the Pod's `metadata` and `spec`: an object.
    pub pod: &'a Value,
}

impl<'a> PodTemplate<'a> {
    /// The path of the Pod's spec, such as `spec.template.spec`.
    pub fn spec_path(&self) -> String {
        self.path("spec")
    }

    /// The Pod's spec.
    ///
    /// # Errors
    /// Where there is none, or it is no object: an API server would refuse it.
    pub fn spec(&self) -> Result<&'a Map<String, Value>, String> {
        object(self.pod.get("spec"), || self.spec_path())
    }

    /// The Pod's metadata; none where it is left out or null, as in most templates it may be.
    ///
    /// # Errors
    /// Where it is no object.
    pub fn metadata(&self) -> Result<Option<&'a Map<String, Value>>, String> {
        let metadata = self.pod.get("metadata").filter(|metadata| !metadata.is_null());
        metadata.map(|metadata| object(Some(metadata), || self.path("metadata"))).transpose()
    }

    fn path(&self, field: &str) -> String {
        of_pointer(&format!("{}/{field}", self.pointer))
    }
}

/// The Pod of an object of that group and kind, in any version of the group; none for kinds that have no Pod.
///
/// # Errors
/// Where a kind's Pod must be, there is something else than an object, or nothing: an API server would refuse it,
/// and it must not pass for an object without Pod. Names the field.
pub fn find<'a>(group: &str, kind: &str, object: &'a Value) -> Result<Option<PodTemplate<'a>>, String> {
    let Some(pointer) = pointer(group, kind) else { return Ok(None) };
    // The field that is missing or wrong may lie above the template.
    let ends = pointer.match_indices('/').map(|(at, _)| at).chain([pointer.len()]);
    let mut pod = object;
    for prefix in ends.filter_map(|end| pointer.get(..end)) {
        let found = object.pointer(prefix);
        self::object(found, || field(kind, prefix))?;
        pod = found.unwrap_or(object);
    }
    Ok(Some(PodTemplate { pointer, is_template: !pointer.is_empty(), pod }))
}

/// The fact `pod`: `{path, template, spec, metadata}`, where `path` is that of the Pod's spec and `metadata` is `{}`
/// where there is none; null for kinds that have no Pod.
///
/// # Errors
/// As [`find`], [`PodTemplate::spec`] and [`PodTemplate::metadata`]; and where a field that policies read, but for
/// those of containers, is not of its type.
pub fn fact(group: &str, kind: &str, object: &Value) -> Result<Value, String> {
    let Some(found) = find(group, kind, object)? else { return Ok(Value::Null) };
    let metadata = Value::Object(found.metadata()?.cloned().unwrap_or_default());
    let (path, spec) = (found.spec_path(), Value::Object(found.spec()?.clone()));
    pod_types::spec(&spec, &path)?;
    pod_types::metadata(&metadata, &found.path("metadata"))?;
    Ok(json!({ "path": path, "template": found.is_template, "spec": spec, "metadata": metadata }))
}

/// Group `extensions` had some workloads until Kubernetes 1.16; manifests still have it.
fn pointer(group: &str, kind: &str) -> Option<&'static str> {
    match (group, kind) {
        ("", "Pod") => Some(""),
        ("", "PodTemplate") => Some("/template"),
        ("", "ReplicationController")
        | ("apps" | "extensions", "DaemonSet" | "Deployment" | "ReplicaSet")
        | ("apps", "StatefulSet")
        | ("batch", "Job") => Some("/spec/template"),
        ("batch", "CronJob") => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

fn field(kind: &str, pointer: &str) -> String {
    if pointer.is_empty() { format!("the {kind}") } else { of_pointer(pointer) }
}

fn object(value: Option<&Value>, name: impl Fn() -> String) -> Result<&Map<String, Value>, String> {
    match value {
        Some(Value::Object(members)) => Ok(members),
        None | Some(Value::Null) => Err(format!("{} is missing", name())),
        Some(_) => Err(format!("{} is not an object", name())),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Each kind with a Pod: group, kind, pointer, path of the spec.
    pub(crate) const KINDS: [(&str, &str, &str, &str); 12] = [
        ("", "Pod", "", "spec"),
        ("", "PodTemplate", "/template", "template.spec"),
        ("", "ReplicationController", "/spec/template", "spec.template.spec"),
        ("apps", "DaemonSet", "/spec/template", "spec.template.spec"),
        ("apps", "Deployment", "/spec/template", "spec.template.spec"),
        ("apps", "ReplicaSet", "/spec/template", "spec.template.spec"),
        ("apps", "StatefulSet", "/spec/template", "spec.template.spec"),
        ("extensions", "DaemonSet", "/spec/template", "spec.template.spec"),
        ("extensions", "Deployment", "/spec/template", "spec.template.spec"),
        ("extensions", "ReplicaSet", "/spec/template", "spec.template.spec"),
        ("batch", "Job", "/spec/template", "spec.template.spec"),
        ("batch", "CronJob", "/spec/jobTemplate/spec/template", "spec.jobTemplate.spec.template.spec"),
    ];

    /// An object that has that Pod at the pointer.
    pub(crate) fn wrap(pointer: &str, pod: Value) -> Value {
        pointer.rsplit('/').filter(|name| !name.is_empty()).fold(pod, |inner, name| json!({ name: inner }))
    }

    #[test]
    fn every_workload_kind_has_its_pod() {
        let pod = json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "hostNetwork": true } });
        for (group, kind, pointer, path) in KINDS {
            let object = wrap(pointer, pod.clone());
            let found = find(group, kind, &object).unwrap().unwrap();
            assert_eq!(
                found,
                PodTemplate { pointer, is_template: kind != "Pod", pod: &pod },
                "{group} {kind}"
            );
            let expected = json!({ "path": path, "template": kind != "Pod", "spec": pod["spec"], "metadata": pod["metadata"] });
            assert_eq!(fact(group, kind, &object), Ok(expected), "{group} {kind}");
        }
    }

    #[test]
    fn a_template_needs_no_metadata() {
        for metadata in [json!({ "spec": {} }), json!({ "spec": {}, "metadata": null })] {
            for (group, kind, pointer, path) in KINDS {
                let expected = json!({ "path": path, "template": kind != "Pod", "spec": {}, "metadata": {} });
                assert_eq!(
                    fact(group, kind, &wrap(pointer, metadata.clone())),
                    Ok(expected),
                    "{group} {kind}"
                );
            }
        }
    }

    #[test]
    fn other_kinds_have_no_pod() {
        let kinds = [
            ("", "Service"),
            ("apps", "Pod"),
            ("", "Deployment"),
            ("extensions", "StatefulSet"),
            ("apps", "ControllerRevision"),
            ("autoscaling", "Scale"),
            ("example.org", "Deployment"),
            ("batch", "cronjob"),
        ];
        for (group, kind) in kinds {
            let object = wrap("/spec/template", json!({ "spec": {} }));
            assert_eq!(
                (find(group, kind, &object), fact(group, kind, &object)),
                (Ok(None), Ok(Value::Null)),
                "{group} {kind}"
            );
        }
    }

    #[test]
    fn a_pod_that_is_no_object_is_an_error_that_names_the_field() {
        let wrong = [Value::Null, json!("x"), json!(5), json!([]), json!([{ "spec": {} }])];
        for (group, kind, pointer, _) in KINDS {
            for value in &wrong {
                let problem = if value.is_null() { "is missing" } else { "is not an object" };
                let expected = Err(format!("{} {problem}", field(kind, pointer)));
                assert_eq!(
                    find(group, kind, &wrap(pointer, value.clone())),
                    expected,
                    "{group} {kind} {value}"
                );
            }
        }
        let rows = [
            ("Deployment", "apps", json!({}), "spec is missing"),
            ("Deployment", "apps", json!({ "spec": [] }), "spec is not an object"),
            ("Deployment", "apps", json!({ "spec": {} }), "spec.template is missing"),
            (
                "CronJob",
                "batch",
                json!({ "spec": { "jobTemplate": 1 } }),
                "spec.jobTemplate is not an object",
            ),
            (
                "CronJob",
                "batch",
                json!({ "spec": { "jobTemplate": {} } }),
                "spec.jobTemplate.spec is missing",
            ),
            ("PodTemplate", "", json!({ "spec": {} }), "template is missing"),
            ("Job", "batch", json!([{ "spec": { "template": {} } }]), "the Job is not an object"),
        ];
        for (kind, group, object, expected) in rows {
            assert_eq!(find(group, kind, &object), Err(expected.to_owned()), "{object}");
        }
    }

    #[test]
    fn the_spec_and_metadata_of_a_fact_are_objects() {
        for (group, kind, pointer, path) in KINDS {
            let metadata = format!("{}metadata", path.strip_suffix("spec").unwrap());
            let rows = [
                (json!({}), format!("{path} is missing")),
                (json!({ "spec": null }), format!("{path} is missing")),
                (json!({ "spec": [] }), format!("{path} is not an object")),
                (json!({ "spec": {}, "metadata": "x" }), format!("{metadata} is not an object")),
            ];
            for (pod, expected) in rows {
                assert_eq!(fact(group, kind, &wrap(pointer, pod)), Err(expected), "{group} {kind}");
            }
        }
    }
}
