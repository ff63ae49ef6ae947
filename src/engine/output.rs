//! What a policy answered, checked against the contract's shapes. Any other shape is an error of the policy.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::refusal::{self, Refusal};

/// Bound of an annotation's value: what Pod Security has against a Pod is in one.
const ANNOTATION_BYTES: usize = 16 * 1_024;
/// Bound of what one entry point finds (R06): five things in each of 10,000 containers (R07).
const VIOLATIONS: usize = 50_000;
/// Bound of each text of a violation. An answer shows a kilobyte of it, a report all.
const TEXT_BYTES: usize = 16 * 1_024;
/// Bound of a patch's operations: one for each of 10,000 containers. Each can move all the members of an array.
const OPERATIONS: usize = 10_000;

/// One element of `deny`, `warn` or `audit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// Orders the violations of one policy; default: the message.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// The field, as Kubernetes writes paths.
    pub field: Option<String>,
    /// `details.remedy`: what to write instead.
    pub remedy: Option<String>,
    /// `details.observed`: what there is.
    pub observed: Observed,
    /// `details.required`: what there has to be.
    pub required: Option<String>,
    /// `status`: what the API server is told if nothing else is wrong with the request.
    pub refusal: Option<Refusal>,
}

/// What there is, where something else has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Observed {
    /// What stands in the field: nothing is said.
    #[default]
    Field,
    /// This: a text, or another value as it is written.
    Said(String),
    /// What nobody is to be told, and so not what stands in the field, nor the line that it is in: `null`.
    Untold,
}

/// What the judging entry points of a policy answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// `deny`, sorted.
    pub deny: Vec<Violation>,
    /// `warn`, sorted.
    pub warn: Vec<Violation>,
    /// `audit`, sorted.
    pub audit: Vec<Violation>,
    /// `annotations`.
    pub annotations: BTreeMap<String, String>,
    /// Entry points that answered something that the contract does not know.
    pub errors: Vec<String>,
}

/// Reads what the entry points `expected` answered. One that can't be used is one of the judgement's errors; the others
/// stand.
pub(super) fn judgement(mut values: BTreeMap<String, Value>, expected: &[&str]) -> Judgement {
    let mut judgement = Judgement::default();
    for name in expected {
        let read = match (*name, values.remove(*name)) {
            ("deny", Some(value)) => violations(name, &value, &mut judgement.deny),
            ("warn", Some(value)) => violations(name, &value, &mut judgement.warn),
            ("audit", Some(value)) => violations(name, &value, &mut judgement.audit),
            ("annotations", Some(value)) => annotations(&value).map(|all| judgement.annotations = all),
            // Annotations may be undefined; a set never is, so something was lost on the way (R09).
            ("annotations", None) => Ok(()),
            (name, _) => Err(format!("`{name}` is undefined")),
        };
        judgement.errors.extend(read.err());
    }
    judgement
}

/// Reads the value of `patch`: None where it is undefined or empty.
pub(super) fn patch(mut values: BTreeMap<String, Value>) -> Result<Option<Value>, String> {
    match values.remove("patch") {
        None => Ok(None),
        Some(Value::Array(operations)) if operations.is_empty() => Ok(None),
        Some(Value::Array(operations)) if operations.len() > OPERATIONS => {
            Err(format!("`patch` has more than {OPERATIONS} operations"))
        }
        Some(patch @ Value::Array(_)) => Ok(Some(patch)),
        Some(other) => Err(format!("`patch` is {}, not an array of JSON Patch operations", name_of(&other))),
    }
}

/// Adds the elements of a set that can be used; the first that can't, or that is one too many, is an error beside them,
/// and takes none along.
fn violations(entry_point: &str, value: &Value, all: &mut Vec<Violation>) -> Result<(), String> {
    let elements =
        value.as_array().ok_or_else(|| format!("`{entry_point}` is {}, not a set", name_of(value)))?;
    let mut error = None;
    if elements.len() > VIOLATIONS {
        error = Some(format!("`{entry_point}` has more than {VIOLATIONS} elements; the others are left out"));
    }
    for element in elements.iter().take(VIOLATIONS) {
        match violation(entry_point, element) {
            Ok(violation) => all.push(violation),
            Err(why) => {
                error.get_or_insert(format!("an element of `{entry_point}` {why}"));
            }
        }
    }
    all.sort();
    error.map_or(Ok(()), Err)
}

fn violation(entry_point: &str, element: &Value) -> Result<Violation, String> {
    match element {
        Value::String(message) => {
            bounded("msg", message)?;
            let (key, message) = (message.clone(), message.clone());
            Ok(Violation { key, message, ..Violation::default() })
        }
        Value::Object(members) => from_members(entry_point, members),
        other => Err(format!("is {}, neither a string nor an object with `msg`", name_of(other))),
    }
}

fn from_members(entry_point: &str, members: &Map<String, Value>) -> Result<Violation, String> {
    let known = ["msg", "field", "details", "key", "status"];
    if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!(
            "has the member `{unknown}`; the members are msg, field, details, key and status"
        ));
    }
    let refusal = members.get("status").map(refusal::read).transpose()?;
    if refusal.is_some() && entry_point != "deny" {
        return Err("has the member `status`, which only a denial has".to_owned());
    }
    let text = |name: &str| match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => bounded(name, text).map(|()| Some(text.clone())),
        Some(other) => Err(format!("has `{name}` that is {}, not a string", name_of(other))),
    };
    let message = text("msg")?.ok_or("has no `msg`")?;
    let details = match members.get("details") {
        None => None,
        Some(Value::Object(details)) => Some(details),
        Some(other) => return Err(format!("has `details` that is {}, not an object", name_of(other))),
    };
    let remedy = details.and_then(|all| all.get("remedy")).and_then(Value::as_str).map(str::to_owned);
    remedy.iter().try_for_each(|remedy| bounded("details.remedy", remedy))?;
    let value = |name: &str| {
        let text = details.and_then(|all| all.get(name)).and_then(written);
        let is_bounded = text.iter().try_for_each(|text| bounded(&format!("details.{name}"), text));
        is_bounded.map(|()| text)
    };
    Ok(Violation {
        key: text("key")?.unwrap_or_else(|| message.clone()),
        field: text("field")?,
        remedy,
        observed: match (value("observed")?, details.is_some_and(|all| all.contains_key("observed"))) {
            (Some(said), _) => Observed::Said(said),
            (None, true) => Observed::Untold,
            (None, false) => Observed::Field,
        },
        required: value("required")?,
        message,
        refusal,
    })
}

/// A value as people read it; None where it is none.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub(super) fn bounded(name: &str, text: &str) -> Result<(), String> {
    if text.len() > TEXT_BYTES {
        return Err(format!("has `{name}` with more than {TEXT_BYTES} bytes"));
    }
    Ok(())
}

fn annotations(value: &Value) -> Result<BTreeMap<String, String>, String> {
    let members =
        value.as_object().ok_or_else(|| format!("`annotations` is {}, not an object", name_of(value)))?;
    let read = |(key, value): (&String, &Value)| match value {
        _ if !is_annotation_key(key) => Err(format!(
            "`annotations` has a key that is not of up to 63 of A-Z, a-z, 0-9, `-`, `_`, `.`: {key:?}"
        )),
        Value::String(text) if text.len() > ANNOTATION_BYTES => {
            Err(format!("`annotations` has `{key}` with more than {ANNOTATION_BYTES} bytes"))
        }
        Value::String(text) => Ok((key.clone(), text.clone())),
        other => Err(format!("`annotations` has `{key}` that is {}, not a string", name_of(other))),
    };
    members.iter().map(read).collect()
}

/// The part behind the `/` of a qualified name, which the API server makes of it and the webhook's.
fn is_annotation_key(key: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=63).contains(&key.len()) && key.bytes().all(is_allowed)
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array or set",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(members: Value) -> BTreeMap<String, Value> {
        serde_json::from_value(members).unwrap()
    }

    #[test]
    fn violations_are_read_and_sorted_by_key() {
        let deny = json!([{ "msg": "b", "key": "1", "field": "spec.x", "details": { "remedy": "set x", "observed": 1, "required": "≥ 2" } }, "a"]);
        let judgement = judgement(values(json!({ "deny": deny })), &["deny"]);
        let messages: Vec<_> = judgement.deny.iter().map(|v| v.message.as_str()).collect();
        assert_eq!(messages, ["b", "a"]);
        assert_eq!(judgement.deny[0].remedy.as_deref(), Some("set x"));
    }

    #[test]
    fn every_other_shape_is_an_error() {
        let wrong = [
            json!({ "deny": true }),
            json!({ "deny": [1] }),
            json!({ "deny": [{ "message": "a" }] }),
            json!({ "deny": [{ "field": "a" }] }),
            json!({ "deny": [{ "msg": 1 }] }),
            json!({ "deny": [{ "msg": "a", "field": 1 }] }),
            json!({ "deny": [{ "msg": "a", "details": "b" }] }),
            json!({ "deny": [{ "msg": "a", "status": { "code": 200, "reason": "OK" } }] }),
            json!({}),
        ];
        for answer in wrong {
            let read = judgement(values(answer.clone()), &["deny"]);
            assert_eq!((read.deny.len(), read.errors.len()), (0, 1), "{answer}");
        }
        let long = "a".repeat(ANNOTATION_BYTES + 1);
        for (key, value) in [("a", json!(1)), ("a/b", json!("")), ("", json!("")), ("a", json!(long))] {
            let one = judgement(values(json!({ "annotations": { key: value } })), &["annotations"]);
            assert_eq!((one.errors.len(), one.annotations.len()), (1, 0), "{key}");
        }
        assert!(patch(values(json!({ "patch": { "op": "add" } }))).is_err());
    }

    #[test]
    fn only_a_denial_says_how_it_is_told() {
        let element = json!([{ "msg": "a", "status": { "code": 422, "reason": "Invalid" } }]);
        for (entry_point, expected) in [("deny", (1, 0)), ("warn", (0, 1)), ("audit", (0, 1))] {
            let read = judgement(values(json!({ entry_point: element })), &[entry_point]);
            let found = read.deny.len() + read.warn.len() + read.audit.len();
            assert_eq!((found, read.errors.len()), expected, "{entry_point}: {:?}", read.errors);
        }
    }

    #[test]
    fn what_is_too_much_is_an_error_beside_the_rest() {
        let many: Vec<_> = (0..=VIOLATIONS).map(|number| json!(number.to_string())).collect();
        let one = judgement(values(json!({ "deny": many, "warn": many[1..] })), &["deny", "warn"]);
        let error = "`deny` has more than 50000 elements; the others are left out".to_owned();
        assert_eq!((one.deny.len(), one.warn.len(), one.errors), (VIOLATIONS, VIOLATIONS, vec![error]));

        let (most, more) = ("a".repeat(TEXT_BYTES), "a".repeat(TEXT_BYTES + 1));
        let with = |text: &str| {
            let details = json!({ "remedy": text });
            [
                json!(text),
                json!({ "msg": text }),
                json!({ "msg": "m", "field": text }),
                json!({ "msg": "m", "key": text }),
                json!({ "msg": "m", "details": details }),
            ]
        };
        for (small, large) in with(&most).into_iter().zip(with(&more)) {
            let one = judgement(values(json!({ "deny": [small, large] })), &["deny"]);
            assert_eq!((one.deny.len(), one.errors.len()), (1, 1), "{:?}", one.errors);
            assert!(one.errors[0].ends_with("with more than 16384 bytes"), "{:?}", one.errors);
        }

        let operations = vec![json!({ "op": "remove", "path": "/a" }); OPERATIONS + 1];
        assert!(patch(values(json!({ "patch": operations[1..] }))).unwrap().is_some());
        let error = "`patch` has more than 10000 operations".to_owned();
        assert_eq!(patch(values(json!({ "patch": operations }))), Err(error));
    }

    #[test]
    fn what_can_not_be_used_takes_nothing_along() {
        let answer = values(json!({ "deny": [5, "no", {}, "neither"], "warn": [5], "annotations": [] }));
        let one = judgement(answer, &["deny", "warn", "annotations"]);
        assert_eq!((one.deny.len(), one.warn.len(), one.errors.len()), (2, 0, 3), "{one:?}");
    }

    #[test]
    fn an_undefined_or_empty_patch_is_none() {
        assert_eq!(patch(values(json!({}))).unwrap(), None);
        assert_eq!(patch(values(json!({ "patch": [] }))).unwrap(), None);
    }
}
