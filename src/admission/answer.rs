//! The answer to an AdmissionRequest. A denial can't carry a patch.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// What the API server is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The request may go on.
    Allowed {
        /// What to change first: the operations of a JSON Patch (RFC 6902), at least one.
        patch: Option<Value>,
        /// Shown to who sent the request.
        warnings: Vec<String>,
        /// Go to the audit log, under the webhook's name.
        audit_annotations: BTreeMap<String, String>,
    },
    /// The request ends here.
    Denied {
        /// Why.
        status: Status,
        /// Shown to who sent the request.
        warnings: Vec<String>,
        /// Go to the audit log, under the webhook's name.
        audit_annotations: BTreeMap<String, String>,
    },
}

/// Why a request is denied (meta/v1 Status).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The HTTP status that the requester gets.
    pub code: u16,
    /// As in `Forbidden`.
    pub reason: Option<String>,
    /// For people.
    pub message: String,
    /// For programs.
    pub causes: Vec<Cause>,
    /// The object's name; empty where it is not told.
    pub name: String,
    /// The resource, or the kind; empty where it is not told.
    pub kind: String,
}

/// One reason among several (meta/v1 StatusCause).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// As in `FieldValueForbidden`; empty where there is none.
    pub reason: String,
    /// For people.
    pub message: String,
    /// The field, as Kubernetes writes paths; empty where there is none.
    pub field: String,
}

/// The AdmissionReview that answers the request named `uid`.
pub fn respond(uid: &str, answer: &Answer) -> Value {
    let mut response = Map::new();
    let mut set = |name: &str, value: Value| response.insert(name.to_owned(), value);
    set("uid", Value::from(uid));
    set("allowed", Value::from(matches!(answer, Answer::Allowed { .. })));
    let (warnings, audit_annotations) = match answer {
        Answer::Allowed { patch, warnings, audit_annotations } => {
            if let Some(patch) = patch {
                set("patchType", Value::from("JSONPatch"));
                set("patch", Value::from(STANDARD.encode(patch.to_string())));
            }
            (warnings, audit_annotations)
        }
        Answer::Denied { status, warnings, audit_annotations } => {
            set("status", status_value(status));
            (warnings, audit_annotations)
        }
    };
    if !warnings.is_empty() {
        set("warnings", warnings.iter().map(|warning| printable(warning)).collect());
    }
    if !audit_annotations.is_empty() {
        set("auditAnnotations", json!(audit_annotations));
    }
    json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response })
}

/// The API server drops a warning with a control character, a line break for one, without a word
/// (k8s.io/apimachinery, pkg/util/net/http.go, `NewWarningHeader`).
fn printable(warning: &str) -> String {
    warning.replace(char::is_control, " ")
}

fn status_value(status: &Status) -> Value {
    let mut value = json!({ "status": "Failure", "code": status.code, "message": status.message });
    if let Some(members) = value.as_object_mut() {
        if let Some(reason) = &status.reason {
            members.insert("reason".to_owned(), Value::from(reason.as_str()));
        }
        let details = details(status);
        if !details.is_empty() {
            members.insert("details".to_owned(), Value::Object(details));
        }
    }
    value
}

fn details(status: &Status) -> Map<String, Value> {
    let mut details = texts(&[("name", &status.name), ("kind", &status.kind)]);
    if !status.causes.is_empty() {
        details.insert("causes".to_owned(), status.causes.iter().map(cause_value).collect());
    }
    details
}

fn cause_value(cause: &Cause) -> Value {
    Value::Object(texts(&[("reason", &cause.reason), ("message", &cause.message), ("field", &cause.field)]))
}

/// The members that are not empty.
fn texts(members: &[(&str, &str)]) -> Map<String, Value> {
    let told = members.iter().filter(|(_, text)| !text.is_empty());
    told.map(|(name, text)| ((*name).to_owned(), Value::from(*text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_is_sent_as_base64_and_only_where_there_is_one() {
        let operations = json!([{ "op": "add", "path": "/a", "value": 1 }]);
        let allowed =
            |patch| Answer::Allowed { patch, warnings: Vec::new(), audit_annotations: BTreeMap::new() };
        let answer = respond("7", &allowed(Some(operations.clone())));
        let sent = STANDARD.decode(answer["response"]["patch"].as_str().unwrap()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&sent).unwrap(), operations);
        assert_eq!(answer["response"]["patchType"], "JSONPatch");
        assert_eq!(respond("7", &allowed(None))["response"], json!({ "uid": "7", "allowed": true }));
    }

    #[test]
    fn warnings_reach_who_sent_the_request() {
        let warnings = vec!["two\nlines\tä\u{85}".to_owned(), "one".to_owned()];
        let answer = Answer::Allowed { patch: None, warnings, audit_annotations: BTreeMap::new() };
        let expected = json!({ "uid": "7", "allowed": true, "warnings": ["two lines ä ", "one"] });
        assert_eq!(respond("7", &answer)["response"], expected);
    }

    #[test]
    fn a_denial_has_code_reason_message_and_causes() {
        let cause = Cause {
            reason: "FieldValueForbidden".to_owned(),
            message: "m".to_owned(),
            field: "spec".to_owned(),
        };
        let status = Status {
            code: 403,
            reason: Some("Forbidden".to_owned()),
            message: "m".to_owned(),
            causes: vec![cause],
            name: "web".to_owned(),
            kind: "pods".to_owned(),
        };
        let annotations = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
        let answer =
            Answer::Denied { status, warnings: vec!["w".to_owned()], audit_annotations: annotations };
        let expected = json!({
            "uid": "7", "allowed": false, "warnings": ["w"], "auditAnnotations": { "k": "v" },
            "status": {
                "status": "Failure", "code": 403, "reason": "Forbidden", "message": "m",
                "details": {
                    "name": "web", "kind": "pods",
                    "causes": [{ "reason": "FieldValueForbidden", "message": "m", "field": "spec" }]
                }
            }
        });
        assert_eq!(respond("7", &answer)["response"], expected);
    }

    #[test]
    fn what_a_denial_does_not_have_is_left_out() {
        let denied = |causes| Answer::Denied {
            status: Status {
                code: 500,
                reason: None,
                message: "m".to_owned(),
                causes,
                name: String::new(),
                kind: String::new(),
            },
            warnings: Vec::new(),
            audit_annotations: BTreeMap::new(),
        };
        let expected = json!({ "status": "Failure", "code": 500, "message": "m" });
        assert_eq!(respond("7", &denied(Vec::new()))["response"]["status"], expected);
        let cause = Cause { reason: String::new(), message: "m".to_owned(), field: String::new() };
        let causes = json!([{ "message": "m" }]);
        assert_eq!(respond("7", &denied(vec![cause]))["response"]["status"]["details"]["causes"], causes);
    }
}
