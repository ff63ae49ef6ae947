//! The member `status` of a denial: in which words of its own protocol the API server is told (meta/v1 Status). Called by
//! `output`. It says how a request is refused, never whether.

use serde_json::{Map, Value};

use super::output::bounded;
use crate::admission::Cause;

/// What an API server takes for a refusal; below, it would make a 400 of it (k8s.io/apiserver,
/// pkg/admission/plugin/webhook/errors, ToStatusErr).
const CODES: std::ops::RangeInclusive<u64> = 400..=599;
/// Bound of the causes.
const CAUSES: usize = 100;
/// Bound of a reason: a word, as in `Invalid`.
const REASON_BYTES: usize = 63;

/// How a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// As in `Invalid`.
    pub reason: String,
    /// `details.name`; may be empty.
    pub name: String,
    /// `details.kind`; may be empty.
    pub kind: String,
    /// `details.causes`; without any, the violation is the cause.
    pub causes: Vec<Cause>,
}

/// Reads `{"code", "reason", "details"?: {"name"?, "kind"?, "causes"?: [{"message", "reason"?, "field"?}]}}`.
pub(super) fn read(value: &Value) -> Result<Refusal, String> {
    let status = members(value, "status", &["code", "reason", "details"])?;
    let code = status.get("code").and_then(Value::as_u64).filter(|code| CODES.contains(code));
    let code = code.and_then(|code| u16::try_from(code).ok());
    let code = code.ok_or("has `status.code` that is none of 400 to 599")?;
    let reason = text(status, "status", "reason")?;
    let is_word =
        (1..=REASON_BYTES).contains(&reason.len()) && reason.bytes().all(|b| b.is_ascii_alphabetic());
    if !is_word {
        return Err("has `status.reason` that is no word, such as Invalid".to_owned());
    }
    let none = Value::Object(Map::new());
    let details = status.get("details").unwrap_or(&none);
    let details = members(details, "status.details", &["name", "kind", "causes"])?;
    let name = text(details, "status.details", "name")?;
    let kind = text(details, "status.details", "kind")?;
    let causes = match details.get("causes") {
        None => Vec::new(),
        Some(Value::Array(causes)) if causes.len() <= CAUSES => {
            causes.iter().map(cause).collect::<Result<_, _>>()?
        }
        Some(_) => {
            return Err(format!("has `status.details.causes` that is no array of up to {CAUSES} causes"));
        }
    };
    Ok(Refusal { code, reason, name, kind, causes })
}

fn cause(value: &Value) -> Result<Cause, String> {
    const PLACE: &str = "status.details.causes[]";
    let cause = members(value, PLACE, &["reason", "message", "field"])?;
    let [reason, message, field] = ["reason", "message", "field"].map(|name| text(cause, PLACE, name));
    let (reason, message, field) = (reason?, message?, field?);
    if message.is_empty() {
        return Err(format!("has `{PLACE}` without `message`"));
    }
    Ok(Cause { reason, message, field })
}

fn members<'a>(value: &'a Value, place: &str, known: &[&str]) -> Result<&'a Map<String, Value>, String> {
    let members = value.as_object().ok_or_else(|| format!("has `{place}` that is not an object"))?;
    match members.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => {
            Err(format!("has the member `{place}.{unknown}`; the members are {}", known.join(", ")))
        }
        None => Ok(members),
    }
}

/// A text; empty where it is absent.
fn text(members: &Map<String, Value>, place: &str, name: &str) -> Result<String, String> {
    match members.get(name) {
        None => Ok(String::new()),
        Some(Value::String(text)) => bounded(&format!("{place}.{name}"), text).map(|()| text.clone()),
        Some(_) => Err(format!("has `{place}.{name}` that is not a string")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_is_read_wholly() {
        let cause = json!({ "reason": "FieldValueInvalid", "message": "m", "field": "metadata.labels[a]" });
        let details = json!({ "name": "shop", "kind": "Namespace", "causes": [cause, { "message": "n" }] });
        let read = read(&json!({ "code": 422, "reason": "Invalid", "details": details })).unwrap();
        let cause = |reason: &str, message: &str, field: &str| Cause {
            reason: reason.to_owned(),
            message: message.to_owned(),
            field: field.to_owned(),
        };
        let expected = Refusal {
            code: 422,
            reason: "Invalid".to_owned(),
            name: "shop".to_owned(),
            kind: "Namespace".to_owned(),
            causes: vec![cause("FieldValueInvalid", "m", "metadata.labels[a]"), cause("", "n", "")],
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn every_other_shape_is_an_error_that_names_the_member() {
        let details = |details: Value| json!({ "code": 403, "reason": "Forbidden", "details": details });
        let long = "a".repeat(16 * 1_024 + 1);
        let many = vec![json!({ "message": "m" }); CAUSES + 1];
        let rows = [
            (json!(422), "`status`"),
            (json!({ "code": 422 }), "`status.reason`"),
            (json!({ "reason": "Invalid" }), "`status.code`"),
            (json!({ "code": 399, "reason": "Invalid" }), "`status.code`"),
            (json!({ "code": 600, "reason": "Invalid" }), "`status.code`"),
            (json!({ "code": "422", "reason": "Invalid" }), "`status.code`"),
            (json!({ "code": 422, "reason": "two words" }), "`status.reason`"),
            (json!({ "code": 422, "reason": "Invalid", "message": "m" }), "`status.message`"),
            (details(json!([])), "`status.details`"),
            (details(json!({ "uid": "1" })), "`status.details.uid`"),
            (details(json!({ "name": 1 })), "`status.details.name`"),
            (details(json!({ "kind": long })), "`status.details.kind`"),
            (details(json!({ "causes": {} })), "`status.details.causes`"),
            (details(json!({ "causes": many })), "`status.details.causes`"),
            (details(json!({ "causes": [{ "field": "a" }] })), "`status.details.causes[]`"),
            (
                details(json!({ "causes": [{ "message": "m", "type": "a" }] })),
                "`status.details.causes[].type`",
            ),
        ];
        for (status, member) in rows {
            let error = read(&status).expect_err(&status.to_string());
            assert!(error.contains(member), "{status}: {error}");
        }
    }
}
