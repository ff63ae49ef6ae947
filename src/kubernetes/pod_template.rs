//! Where each kind keeps its Pod: the one view of Pods and Pod templates (R10). Called by the facts `pod` and
//! `containers`, by the steps of a review that look into Pods, and by the dry run, which makes Pods of templates.

use serde_json::{Map, Value, json};

use super::field_path::{of_pointer, to_pointer};
use super::pod_types;

/// Which kinds have a Pod, and where: Kubernetes' own, and the others that were [added](Self::add).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodTemplates {
    added: Vec<Added>,
}

/// Where a kind that is not Kubernetes' own keeps the template of its Pods.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Added {
    group: String,
    kind: String,
    pointer: String,
}

/// A Pod, or the template of one, in an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PodTemplate<'t, 'o> {
    /// The JSON pointer to it: empty for a Pod.
    pub pointer: &'t str,
    /// Whether Pods are made of it: true for all but a Pod.
    pub is_template: bool,
    /// Whether its kind is Kubernetes' own: what the controllers of others make of it is not known.
    pub is_own: bool,
    /// What has the Pod's `metadata` and `spec`: an object.
    pub pod: &'o Value,
}

impl PodTemplates {
    /// Adds a kind that keeps the template of its Pods at `path`, as Kubernetes writes paths of fields.
    ///
    /// # Errors
    /// Where that is no path that every object of a kind can have.
    pub fn add(&mut self, group: &str, kind: &str, path: &str) -> Result<(), String> {
        let pointer = to_pointer(path, &Value::Null).filter(|pointer| of_pointer(pointer) == path);
        let pointer = pointer.filter(|pointer| !pointer.is_empty());
        let pointer = pointer.ok_or_else(|| format!("`{path}` is no path; write it as `spec.template`"))?;
        let is_index = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        if pointer.split('/').skip(1).any(is_index) {
            return Err(format!("`{path}` leads into a list; a kind keeps its Pod in one place"));
        }
        self.added.push(Added { group: group.to_owned(), kind: kind.to_owned(), pointer });
        Ok(())
    }

    /// Whether objects of that group and kind have a Pod.
    pub fn has(&self, group: &str, kind: &str) -> bool {
        self.place(group, kind).is_some()
    }

    /// The Pod of an object of that group and kind, in any version of the group; none for kinds that have no Pod.
    ///
    /// # Errors
    /// Where a kind's Pod must be, there is something else than an object, or nothing: an API server would refuse it,
    /// and it must not pass for an object without Pod. Names the field.
    pub fn find<'t, 'o>(
        &'t self,
        group: &str,
        kind: &str,
        object: &'o Value,
    ) -> Result<Option<PodTemplate<'t, 'o>>, String> {
        let Some((pointer, is_added)) = self.place(group, kind) else { return Ok(None) };
        let found = at(pointer, kind, object);
        if !is_added {
            return found.map(Some);
        }
        // No API server vouches for what a path leads to that somebody wrote down.
        found.and_then(|found| found.spec().map(|_| Some(PodTemplate { is_own: false, ..found }))).map_err(
            |why| {
                format!(
                    "{why}, and podTemplates of the Bundle has the Pod template of a {kind} at {}",
                    of_pointer(pointer)
                )
            },
        )
    }

    /// Where a kind keeps its Pod, and whether that was added.
    fn place(&self, group: &str, kind: &str) -> Option<(&str, bool)> {
        let is_it = |one: &&Added| (one.group.as_str(), one.kind.as_str()) == (group, kind);
        let added = || self.added.iter().find(is_it).map(|one| (one.pointer.as_str(), true));
        pointer(group, kind).map(|pointer| (pointer, false)).or_else(added)
    }
}

impl<'o> PodTemplate<'_, 'o> {
    /// The path of the Pod's spec, such as `spec.template.spec`.
    pub fn spec_path(&self) -> String {
        self.path("spec")
    }

    /// The Pod's spec.
    ///
    /// # Errors
    /// Where there is none, or it is no object: an API server would refuse it.
    pub fn spec(&self) -> Result<&'o Map<String, Value>, String> {
        object(self.pod.get("spec"), || self.spec_path())
    }

    /// The Pod's metadata; none where it is left out or null, as in most templates it may be.
    ///
    /// # Errors
    /// Where it is no object.
    pub fn metadata(&self) -> Result<Option<&'o Map<String, Value>>, String> {
        let metadata = self.pod.get("metadata").filter(|metadata| !metadata.is_null());
        metadata.map(|metadata| object(Some(metadata), || self.path("metadata"))).transpose()
    }

    fn path(&self, field: &str) -> String {
        of_pointer(&format!("{}/{field}", self.pointer))
    }
}

/// The fact `pod`: `{path, template, spec, metadata}`, where `path` is that of the Pod's spec and `metadata` is `{}`
/// where there is none; null for kinds that have no Pod.
///
/// # Errors
/// As [`PodTemplates::find`], [`PodTemplate::spec`] and [`PodTemplate::metadata`]; and where a field that policies read, but for
/// those of containers, is not of its type.
pub fn fact(templates: &PodTemplates, group: &str, kind: &str, object: &Value) -> Result<Value, String> {
    let Some(found) = templates.find(group, kind, object)? else { return Ok(Value::Null) };
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

/// What stands at the pointer in an object of that kind.
fn at<'t, 'o>(pointer: &'t str, kind: &str, object: &'o Value) -> Result<PodTemplate<'t, 'o>, String> {
    // The field that is missing or wrong may lie above the template.
    let ends = pointer.match_indices('/').map(|(at, _)| at).chain([pointer.len()]);
    let mut pod = object;
    for prefix in ends.filter_map(|end| pointer.get(..end)) {
        let found = object.pointer(prefix);
        self::object(found, || field(kind, prefix))?;
        pod = found.unwrap_or(object);
    }
    Ok(PodTemplate { pointer, is_template: !pointer.is_empty(), is_own: true, pod })
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

    static OWN: PodTemplates = PodTemplates { added: Vec::new() };

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
            let found = OWN.find(group, kind, &object).unwrap().unwrap();
            assert_eq!(
                found,
                PodTemplate { pointer, is_template: kind != "Pod", is_own: true, pod: &pod },
                "{group} {kind}"
            );
            let expected = json!({ "path": path, "template": kind != "Pod", "spec": pod["spec"], "metadata": pod["metadata"] });
            assert_eq!(fact(&OWN, group, kind, &object), Ok(expected), "{group} {kind}");
        }
    }

    #[test]
    fn a_template_needs_no_metadata() {
        for metadata in [json!({ "spec": {} }), json!({ "spec": {}, "metadata": null })] {
            for (group, kind, pointer, path) in KINDS {
                let expected = json!({ "path": path, "template": kind != "Pod", "spec": {}, "metadata": {} });
                assert_eq!(
                    fact(&OWN, group, kind, &wrap(pointer, metadata.clone())),
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
                (OWN.find(group, kind, &object), fact(&OWN, group, kind, &object)),
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
                    OWN.find(group, kind, &wrap(pointer, value.clone())),
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
            assert_eq!(OWN.find(group, kind, &object), Err(expected.to_owned()), "{object}");
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
                assert_eq!(fact(&OWN, group, kind, &wrap(pointer, pod)), Err(expected), "{group} {kind}");
            }
        }
    }

    #[test]
    fn a_kind_that_was_added_has_its_pod_where_that_says() {
        let mut templates = PodTemplates::default();
        templates.add("example.org", "Fleet", "spec.jobs.template").unwrap();
        let pod = json!({ "metadata": { "labels": { "app": "web" } }, "spec": { "hostNetwork": true } });
        let object = wrap("/spec/jobs/template", pod.clone());
        let found = templates.find("example.org", "Fleet", &object);
        let expected =
            PodTemplate { pointer: "/spec/jobs/template", is_template: true, is_own: false, pod: &pod };
        assert_eq!(found, Ok(Some(expected)));
        for (group, kind) in [("example.com", "Fleet"), ("example.org", "fleet"), ("", "Fleet")] {
            assert_eq!(templates.find(group, kind, &object), Ok(None), "{group} {kind}");
        }
        let deployment = wrap("/spec/template", pod);
        assert_eq!(
            templates.find("apps", "Deployment", &deployment),
            OWN.find("apps", "Deployment", &deployment)
        );
    }

    #[test]
    fn a_path_that_leads_to_no_template_is_an_error_that_says_who_has_it_there() {
        let mut templates = PodTemplates::default();
        templates.add("example.org", "Fleet", "spec.jobs.template").unwrap();
        let rows = [
            (json!({}), "spec is missing"),
            (json!({ "spec": { "jobs": [] } }), "spec.jobs is not an object"),
            (json!({ "spec": { "jobs": {} } }), "spec.jobs.template is missing"),
            (wrap("/spec/jobs/template", json!({ "containers": [] })), "spec.jobs.template.spec is missing"),
            (wrap("/spec/jobs/template/spec", json!("x")), "spec.jobs.template.spec is not an object"),
        ];
        for (object, why) in rows {
            let why = format!(
                "{why}, and podTemplates of the Bundle has the Pod template of a Fleet at spec.jobs.template"
            );
            assert_eq!(templates.find("example.org", "Fleet", &object), Err(why.clone()), "{object}");
            assert_eq!(fact(&templates, "example.org", "Fleet", &object), Err(why), "{object}");
        }
    }

    #[test]
    fn what_is_no_path_to_one_place_is_not_added() {
        let mut templates = PodTemplates::default();
        let no_path = |path: &str| Err(format!("`{path}` is no path; write it as `spec.template`"));
        for path in [
            "",
            "/spec/template",
            ".spec.template",
            "spec..template",
            "spec.template.",
            "spec[x",
            "spec['x']",
        ] {
            assert_eq!(templates.add("example.org", "Fleet", path), no_path(path));
        }
        let path = "spec.roles[0].template";
        let in_list = format!("`{path}` leads into a list; a kind keeps its Pod in one place");
        assert_eq!(templates.add("example.org", "Fleet", path), Err(in_list));
        assert_eq!(templates, PodTemplates::default());
    }
}
