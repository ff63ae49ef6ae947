//! Bytes → [`Request`]: an AdmissionReview is understood wholly, or refused with what is wrong.

use serde_json::Value;

use super::json::{JsonError, strict_json};
use super::request::{GroupVersionKind, GroupVersionResource, Operation, Request};

/// Why bytes are no AdmissionReview that can be answered.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Nothing came, or nothing but white space.
    #[error("the body is empty; send an AdmissionReview of admission.k8s.io/v1")]
    Empty,
    /// Not JSON, or JSON with two meanings.
    #[error("the body can't be read as JSON")]
    Json(#[from] JsonError),
    /// Another kind or version.
    #[error(
        "the body is {found}; send kind AdmissionReview of apiVersion admission.k8s.io/v1 (admissionReviewVersions: [v1])"
    )]
    Kind {
        /// What it is.
        found: String,
    },
    /// A member is missing or has another shape.
    #[error("`{field}` {why}")]
    Field {
        /// The member, as `request.uid`.
        field: String,
        /// What is wrong and what is wanted.
        why: &'static str,
    },
}

/// Reads an AdmissionReview of admission.k8s.io/v1. Members that it does not know are kept for policies to read.
///
/// # Errors
/// What keeps it from being answered; the HTTP status is then 400.
pub fn decode(bytes: &[u8]) -> Result<Request, DecodeError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(DecodeError::Empty);
    }
    let mut review = strict_json(bytes)?;
    check_kind(&review)?;
    let request = review.get_mut("request").map(Value::take).unwrap_or_default();
    if !request.is_object() {
        return Err(field("request", "is missing; an AdmissionRequest stands there"));
    }
    required(&request, "uid")?;
    let kind = GroupVersionKind {
        group: member(&request, "kind", "group")?,
        version: member(&request, "kind", "version")?,
        kind: non_empty(member(&request, "kind", "kind")?, "request.kind.kind")?,
    };
    let resource = GroupVersionResource {
        group: member(&request, "resource", "group")?,
        version: member(&request, "resource", "version")?,
        resource: non_empty(member(&request, "resource", "resource")?, "request.resource.resource")?,
    };
    for name in ["subResource", "name", "namespace"] {
        optional(&request, name, Value::is_string, "is not a string; leave it out where there is none")?;
    }
    optional(&request, "userInfo", Value::is_object, "is not an object; a UserInfo stands there")?;
    optional(&request, "dryRun", Value::is_boolean, "is neither true nor false")?;
    let operation = Operation::parse(required(&request, "operation")?)
        .ok_or_else(|| field("request.operation", "is none of CREATE, UPDATE, DELETE, CONNECT"))?;
    check_objects(&request, operation)?;
    Ok(Request::checked(request, kind, resource, operation))
}

fn check_kind(review: &Value) -> Result<(), DecodeError> {
    let text = |name: &str| review.get(name).and_then(Value::as_str).unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        ("admission.k8s.io/v1", "AdmissionReview") => Ok(()),
        ("", "") => Err(DecodeError::Kind { found: "JSON without apiVersion and kind".to_owned() }),
        (api_version, kind) => {
            Err(DecodeError::Kind { found: format!("kind `{kind}` of apiVersion `{api_version}`") })
        }
    }
}

/// Which objects an operation comes with (admission.k8s.io/v1 AdmissionRequest, `object` and `oldObject`; a CONNECT has
/// the options of its subresource). Without them policies would find nothing to object to.
fn check_objects(request: &Value, operation: Operation) -> Result<(), DecodeError> {
    let (new_wanted, old_wanted) = match operation {
        Operation::Create | Operation::Connect => (true, false),
        Operation::Update => (true, true),
        Operation::Delete => (false, true),
    };
    for (name, wanted) in [("object", new_wanted), ("oldObject", old_wanted)] {
        optional(
            request,
            name,
            Value::is_object,
            "is not an object; a Kubernetes object or null stands there",
        )?;
        if wanted && request.get(name).is_none_or(Value::is_null) {
            return Err(field(
                &format!("request.{name}"),
                "is null or missing; this operation comes with it",
            ));
        }
    }
    Ok(())
}

fn required<'a>(request: &'a Value, name: &str) -> Result<&'a str, DecodeError> {
    let text = request.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| field(&format!("request.{name}"), "is missing or empty; it is a string"))
}

fn optional(
    request: &Value,
    name: &str,
    is: fn(&Value) -> bool,
    why: &'static str,
) -> Result<(), DecodeError> {
    let fine = request.get(name).is_none_or(|value| value.is_null() || is(value));
    fine.then_some(()).ok_or_else(|| field(&format!("request.{name}"), why))
}

/// A member of `kind` or `resource`; absent is empty, as Go reads it.
fn member(request: &Value, of: &str, name: &str) -> Result<String, DecodeError> {
    match request.get(of).and_then(|value| value.get(name)) {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(field(&format!("request.{of}.{name}"), "is not a string")),
    }
}

fn non_empty(text: String, name: &str) -> Result<String, DecodeError> {
    if text.is_empty() { Err(field(name, "is missing or empty; it is a string")) } else { Ok(text) }
}

fn field(field: &str, why: &'static str) -> DecodeError {
    DecodeError::Field { field: field.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn review() -> Value {
        json!({
            "apiVersion": "admission.k8s.io/v1",
            "kind": "AdmissionReview",
            "request": {
                "uid": "1",
                "kind": { "group": "", "version": "v1", "kind": "Pod" },
                "resource": { "group": "", "version": "v1", "resource": "pods" },
                "subResource": "",
                "namespace": "shop",
                "operation": "CREATE",
                "userInfo": { "username": "alice" },
                "object": { "metadata": { "name": "a" }, "unknown": [1.0, 18446744073709551615_u64] },
                "oldObject": null,
                "dryRun": true,
                "later": { "than": "v1.37" }
            }
        })
    }

    /// The review with the member at `pointer` set, or left out.
    fn with(pointer: &str, value: Option<Value>) -> Result<Request, DecodeError> {
        let mut review = review();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let members = review.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match value {
            Some(value) => members.insert(name.to_owned(), value),
            None => members.remove(name),
        };
        decode(review.to_string().as_bytes())
    }

    #[test]
    fn a_review_is_read_and_kept_as_it_is() {
        let request = decode(review().to_string().as_bytes()).unwrap();
        assert_eq!((request.uid(), request.namespace(), request.sub_resource()), ("1", Some("shop"), None));
        assert_eq!((request.name(), request.dry_run(), request.operation()), (None, true, Operation::Create));
        assert_eq!(request.to_review(), review());
        assert_eq!(request.to_review().to_string(), review().to_string(), "1.0 stays 1.0");
    }

    #[test]
    fn what_is_no_review_of_v1_says_what_it_is() {
        let table = [
            (
                with("/apiVersion", Some(json!("admission.k8s.io/v1beta1"))),
                "apiVersion `admission.k8s.io/v1beta1`",
            ),
            (with("/apiVersion", None), "apiVersion ``"),
            (with("/kind", Some(json!("ConversionReview"))), "kind `ConversionReview`"),
            (with("/kind", Some(json!(1))), "kind ``"),
            (decode(b"[]"), "JSON without apiVersion and kind"),
            (decode(b"null"), "JSON without apiVersion and kind"),
            (decode(b"7"), "JSON without apiVersion and kind"),
        ];
        for (result, expected) in table {
            let error = result.unwrap_err();
            assert!(matches!(error, DecodeError::Kind { .. }), "{error}");
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.to_string().contains("admissionReviewVersions: [v1]"), "{error}");
        }
    }

    #[test]
    fn members_that_are_missing_or_wrong_are_named() {
        let table = [
            ("/request", None, "request"),
            ("/request", Some(json!(null)), "request"),
            ("/request", Some(json!([])), "request"),
            ("/request/uid", None, "request.uid"),
            ("/request/uid", Some(json!("")), "request.uid"),
            ("/request/uid", Some(json!(7)), "request.uid"),
            ("/request/kind", None, "request.kind.kind"),
            ("/request/kind/kind", Some(json!(null)), "request.kind.kind"),
            ("/request/kind/group", Some(json!(1)), "request.kind.group"),
            ("/request/resource", None, "request.resource.resource"),
            ("/request/resource", Some(json!("pods")), "request.resource.resource"),
            ("/request/resource/version", Some(json!([])), "request.resource.version"),
            ("/request/subResource", Some(json!({})), "request.subResource"),
            ("/request/name", Some(json!(1)), "request.name"),
            ("/request/namespace", Some(json!(1)), "request.namespace"),
            ("/request/userInfo", Some(json!("alice")), "request.userInfo"),
            ("/request/dryRun", Some(json!("true")), "request.dryRun"),
            ("/request/operation", None, "request.operation"),
            ("/request/operation", Some(json!("PATCH")), "request.operation"),
            ("/request/operation", Some(json!("create")), "request.operation"),
            ("/request/object", None, "request.object"),
            ("/request/object", Some(json!(null)), "request.object"),
            ("/request/object", Some(json!([])), "request.object"),
            ("/request/oldObject", Some(json!("Pod")), "request.oldObject"),
            ("/request/operation", Some(json!("UPDATE")), "request.oldObject"),
            ("/request/operation", Some(json!("DELETE")), "request.oldObject"),
        ];
        for (pointer, value, expected) in table {
            let error = with(pointer, value.clone()).unwrap_err();
            assert!(
                matches!(&error, DecodeError::Field { field, .. } if field == expected),
                "{pointer} {value:?}: {error}"
            );
        }
    }

    #[test]
    fn what_may_be_absent_is_not_missed() {
        for name in ["subResource", "name", "namespace", "userInfo", "dryRun", "oldObject"] {
            for value in [None, Some(Value::Null)] {
                assert!(with(&format!("/request/{name}"), value).is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn what_is_not_json_is_told_from_what_is_empty() {
        assert!(matches!(decode(b""), Err(DecodeError::Empty)));
        assert!(matches!(decode(b" \r\n\t"), Err(DecodeError::Empty)));
        assert!(matches!(decode(b"{"), Err(DecodeError::Json(JsonError::Syntax(_)))));
        let twice = review().to_string().replace("\"uid\":\"1\"", "\"uid\":\"1\",\"uid\":\"2\"");
        let error = decode(twice.as_bytes()).unwrap_err();
        assert!(
            matches!(&error, DecodeError::Json(JsonError::DuplicateKey { pointer, .. }) if pointer == "/request")
        );
    }
}
