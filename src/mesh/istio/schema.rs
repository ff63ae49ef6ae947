//! What a template gives, held against the type of a Pod: as istiod, which decodes it, does.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::Value;

/// Fields that a decoded Pod always has.
const ALWAYS: [&str; 2] = ["apiVersion", "kind"];

/// Looks at what templates have given so far.
///
/// # Errors
/// The first field that is of another type.
pub(super) fn check(template_pod: &Value) -> Result<(), String> {
    decoded(template_pod).map(drop)
}

fn decoded(pod: &Value) -> Result<PodTemplateSpec, String> {
    serde_path_to_error::deserialize(pod).map_err(|error| {
        let path = error.path().to_string();
        format!("what the template gives is no Pod: {path}: {}", error.into_inner())
    })
}

/// Takes the fields away that no Pod has. What is null, and directives of the merge, stay. A document that is no Pod
/// stays as it is, for [`check`] to say so.
pub(super) fn prune(document: &mut Value) {
    let known =
        decoded(&plain(document)).and_then(|pod| serde_json::to_value(pod).map_err(|why| why.to_string()));
    if let Ok(known) = known {
        retain(document, &known);
    }
}

/// A document without nulls and directives.
fn plain(document: &Value) -> Value {
    match document {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), plain(value))).collect())
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

fn retain(document: &mut Value, known: &Value) {
    match (document, known) {
        (Value::Object(members), Value::Object(known)) => {
            members.retain(|name, value| {
                value.is_null()
                    || name.starts_with('$')
                    || ALWAYS.contains(&name.as_str())
                    || known.contains_key(name)
            });
            for (name, value) in members {
                if let Some(known) = known.get(name) {
                    retain(value, known);
                }
            }
        }
        (Value::Array(items), Value::Array(known)) if items.len() == known.len() => {
            items.iter_mut().zip(known).for_each(|(item, known)| retain(item, known));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_no_pod_has_go_and_the_rest_stays() {
        let mut document = json!({ "metadata": { "annotations": { "a": "b" }, "other": 1 }, "spec": {
            "unheardOf": {}, "$patch": "replace",
            "containers": [{ "name": "a", "args": null, "unheardOf": 1, "env": [{ "name": "b", "more": 2 }] }] } });
        prune(&mut document);
        let expected = json!({ "metadata": { "annotations": { "a": "b" } }, "spec": {
            "$patch": "replace",
            "containers": [{ "name": "a", "args": null, "env": [{ "name": "b" }] }] } });
        assert_eq!(document, expected);
    }

    #[test]
    fn a_field_of_another_type_is_named() {
        let env =
            json!({ "spec": { "containers": [{ "name": "a", "env": [{ "name": "b", "value": 5 }] }] } });
        let why = check(&env).unwrap_err();
        assert!(why.contains("spec.containers[0].env[0].value"), "{why}");
        assert_eq!(check(&json!({ "metadata": {} })), Ok(()));
    }
}
