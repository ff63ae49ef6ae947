//! The one view of a Pod's containers, whatever list they are in and whatever kind the Pod is in (R10).
//! It is the fact `containers`, through which policies see them.

use serde_json::{Map, Value, json};

use super::image_reference::ImageReference;
use super::pod_template::PodTemplates;
use super::pod_types;

/// The lists of a Pod's spec, in the order of the view: that in which they start, and what is added to a running Pod.
pub const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// The fact `containers` of an object: an array, empty for kinds that have no Pod, of
/// `{kind, name, path, image, container, rendered}`. `kind` is `init`, `sidecar` (an init container with
/// restartPolicy Always), `regular` or `ephemeral`; `image` is `{text, registry, repository, tag, digest, error}`, all
/// but `text` null or all but `error` null; `container` is the container as it is.
///
/// # Errors
/// Where the Pod, a list, a container or a field of it that policies read is not of its type, or a container has no
/// name: an API server would refuse it, and what can't be seen must not pass for what isn't there. Names the field.
pub fn fact(templates: &PodTemplates, group: &str, kind: &str, object: &Value) -> Result<Value, String> {
    let Some(pod) = templates.find(group, kind, object)? else { return Ok(json!([])) };
    let (spec, spec_path) = (pod.spec()?, pod.spec_path());
    let mut view = Vec::new();
    for list in LISTS {
        let path = format!("{spec_path}.{list}");
        for (index, container) in array(spec.get(list), &path)?.iter().enumerate() {
            view.push(entry(list, container, &format!("{path}[{index}]"))?);
        }
    }
    Ok(Value::Array(view))
}

fn entry(list: &str, container: &Value, path: &str) -> Result<Value, String> {
    let members = container.as_object().ok_or_else(|| format!("{path} is not an object"))?;
    let name = text(members, "name", path)?;
    if name.is_empty() {
        return Err(format!("{path}.name is missing"));
    }
    let kind = match (list, text(members, "restartPolicy", path)?) {
        ("initContainers", "Always") => "sidecar",
        ("initContainers", _) => "init",
        ("ephemeralContainers", _) => "ephemeral",
        _ => "regular",
    };
    pod_types::container(container, path)?;
    let image = image(text(members, "image", path)?);
    Ok(
        json!({ "kind": kind, "name": name, "path": path, "image": image, "container": container, "rendered": false }),
    )
}

/// An image that can't be read is an error that a policy sees: a container may be right in all else.
fn image(text: &str) -> Value {
    let error = |error: String| json!({ "text": text, "registry": null, "repository": null, "tag": null, "digest": null, "error": error });
    if text.is_empty() {
        return error("there is no image".to_owned());
    }
    match ImageReference::parse(text) {
        Ok(reference) => json!({
            "text": text,
            "registry": reference.registry(),
            "repository": reference.repository(),
            "tag": reference.tag(),
            "digest": reference.digest(),
            "error": null,
        }),
        Err(why) => error(why.to_string()),
    }
}

/// Kubernetes takes null for an empty list, and writes it.
fn array<'a>(value: Option<&'a Value>, path: &str) -> Result<&'a [Value], String> {
    match value {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("{path} is not an array")),
    }
}

/// A field that is a text; empty where it is left out or null, between which Kubernetes sees no difference.
fn text<'a>(container: &'a Map<String, Value>, name: &str, path: &str) -> Result<&'a str, String> {
    match container.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("{path}.{name} is not a string")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::pod_template::tests::{KINDS, wrap};
    use super::*;

    fn own() -> PodTemplates {
        PodTemplates::default()
    }

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn pod(spec: Value) -> Value {
        json!({ "metadata": {}, "spec": spec })
    }

    fn column(view: &Value, name: &str) -> Vec<String> {
        let text = |entry: &Value| entry[name].as_str().unwrap_or_default().to_owned();
        view.as_array().unwrap().iter().map(text).collect()
    }

    #[test]
    fn the_same_violation_is_seen_in_every_list_of_every_kind() {
        let privileged =
            json!({ "name": "bad", "image": "nginx", "securityContext": { "privileged": true } });
        let mut sidecar = privileged.clone();
        sidecar["restartPolicy"] = json!("Always");
        let places = [
            ("init", "initContainers", &privileged),
            ("sidecar", "initContainers", &sidecar),
            ("regular", "containers", &privileged),
            ("ephemeral", "ephemeralContainers", &privileged),
        ];
        for (group, workload, pointer, spec_path) in KINDS {
            for (kind, list, container) in places {
                let mut spec = json!({ "containers": [{ "name": "app", "image": "nginx" }] });
                let items = spec.as_object_mut().unwrap().entry(list).or_insert_with(|| json!([]));
                items.as_array_mut().unwrap().push(container.clone());
                let index = items.as_array().unwrap().len() - 1;
                let view = fact(&own(), group, workload, &wrap(pointer, pod(spec))).unwrap();
                let bad: Vec<_> =
                    view.as_array().unwrap().iter().filter(|entry| entry["name"] == "bad").collect();
                let image = json!({
                    "text": "nginx", "registry": "docker.io", "repository": "library/nginx", "tag": null, "digest": null,
                    "error": null,
                });
                let expected = json!({
                    "kind": kind, "name": "bad", "path": format!("{spec_path}.{list}[{index}]"), "image": image,
                    "container": container, "rendered": false,
                });
                assert_eq!(bad, [&expected], "{group} {workload} {kind}");
            }
        }
    }

    #[test]
    fn init_containers_and_sidecars_come_in_list_order_then_regular_then_ephemeral() {
        let container = |name: &str| json!({ "name": name, "image": "nginx" });
        let init =
            |name: &str, policy: Value| json!({ "name": name, "image": "nginx", "restartPolicy": policy });
        let view = fact(
            &own(),
            "",
            "Pod",
            &pod(json!({
                "ephemeralContainers": [container("g")],
                "containers": [container("e"), init("f", json!("Always"))],
                "initContainers": [
                    container("a"), init("b", json!("Always")), init("c", json!("Never")), init("d", Value::Null),
                ],
            })),
        )
        .unwrap();
        assert_eq!(column(&view, "name"), ["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(
            column(&view, "kind"),
            ["init", "sidecar", "init", "init", "regular", "regular", "ephemeral"]
        );
    }

    #[test]
    fn kinds_without_a_pod_and_pods_without_containers_have_an_empty_view() {
        assert_eq!(fact(&own(), "", "Service", &json!({ "spec": { "containers": 5 } })), Ok(json!([])));
        for lists in
            [json!({}), json!({ "containers": null, "initContainers": null, "ephemeralContainers": [] })]
        {
            assert_eq!(fact(&own(), "", "Pod", &pod(lists)), Ok(json!([])));
        }
    }

    #[test]
    fn images_are_parsed() {
        let tagged = format!("ghcr.io:443/a/b:1@{DIGEST}");
        let rows = [
            ("nginx:latest", json!(["docker.io", "library/nginx", "latest", null, null])),
            ("registry.io.attacker.com/app", json!(["registry.io.attacker.com", "app", null, null, null])),
            (tagged.as_str(), json!(["ghcr.io:443", "a/b", "1", DIGEST, null])),
        ];
        for (text, parts) in rows {
            let view =
                fact(&own(), "", "Pod", &pod(json!({ "containers": [{ "name": "a", "image": text }] })))
                    .unwrap();
            let image = &view[0]["image"];
            let read = ["registry", "repository", "tag", "digest", "error"].map(|name| image[name].clone());
            assert_eq!((&image["text"], json!(read)), (&json!(text), parts));
        }
    }

    #[test]
    fn an_image_that_is_absent_or_no_reference_says_so() {
        let rows = [
            (json!({ "name": "a" }), ""),
            (json!({ "name": "a", "image": null }), ""),
            (json!({ "name": "a", "image": "" }), ""),
            (json!({ "name": "a", "image": "NGINX" }), "NGINX"),
            (json!({ "name": "a", "image": " nginx" }), " nginx"),
            (json!({ "name": "a", "image": "nginx@sha256:1" }), "nginx@sha256:1"),
        ];
        for (container, text) in rows {
            let view = fact(&own(), "", "Pod", &pod(json!({ "containers": [container] }))).unwrap();
            let image = &view[0]["image"];
            assert_eq!(image["text"], text);
            assert!(
                ["registry", "repository", "tag", "digest"].iter().all(|name| image[name].is_null()),
                "{image}"
            );
            assert!(image["error"].as_str().is_some_and(|error| !error.is_empty()), "{image}");
            assert_eq!(image["error"] == "there is no image", text.is_empty());
        }
    }

    #[test]
    fn what_is_malformed_is_an_error_that_names_the_field() {
        let lists = [json!({}), json!("nginx"), json!(true), json!(0)];
        let containers = [
            (json!(null), " is not an object"),
            (json!("nginx"), " is not an object"),
            (json!([]), " is not an object"),
            (json!({ "image": "nginx" }), ".name is missing"),
            (json!({ "name": null }), ".name is missing"),
            (json!({ "name": "" }), ".name is missing"),
            (json!({ "name": 5 }), ".name is not a string"),
            (json!({ "name": "a", "image": 1.5 }), ".image is not a string"),
            (json!({ "name": "a", "image": ["nginx"] }), ".image is not a string"),
            (json!({ "name": "a", "restartPolicy": true }), ".restartPolicy is not a string"),
        ];
        for (group, kind, pointer, spec_path) in KINDS {
            for list in LISTS {
                let fact =
                    |value: Value| fact(&own(), group, kind, &wrap(pointer, pod(json!({ list: value }))));
                for value in &lists {
                    assert_eq!(fact(value.clone()), Err(format!("{spec_path}.{list} is not an array")));
                }
                for (container, problem) in &containers {
                    let items = json!([{ "name": "good" }, container]);
                    assert_eq!(
                        fact(items),
                        Err(format!("{spec_path}.{list}[1]{problem}")),
                        "{kind} {container}"
                    );
                }
            }
            let without_spec = fact(&own(), group, kind, &wrap(pointer, json!({})));
            assert_eq!(without_spec, Err(format!("{spec_path} is missing")));
        }
    }
}
