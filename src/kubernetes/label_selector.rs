//! `metav1.LabelSelector`: which labels a binding, a constraint or a workload asks for. Checked when it is read, so
//! that matching cannot fail.
//!
//! Source: `k8s.io/apimachinery`, `pkg/apis/meta/v1/validation` (`ValidateLabelSelector`) and `pkg/labels`.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// How many bytes a label's name, its value and each part of a DNS name may have.
const MAX_NAME: usize = 63;

/// How many bytes the DNS name before a label's name may have.
const MAX_PREFIX: usize = 253;

/// Requirements on labels, all of which must hold. Without any, every object matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector(Vec<Requirement>);

/// What is wrong with a selector, and at which of its fields.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelSelectorError {
    /// A value of another JSON type.
    #[error("{field} of a label selector must be {expected}")]
    Type {
        /// The field, from the selector.
        field: String,
        /// What must stand there.
        expected: &'static str,
    },
    /// A member that selectors do not have.
    #[error("{field} is no member of a label selector")]
    UnknownMember {
        /// The field, from the selector.
        field: String,
    },
    /// An operator that does not exist.
    #[error("{field} of a label selector must be In, NotIn, Exists or DoesNotExist")]
    Operator {
        /// The field, from the selector.
        field: String,
    },
    /// Values without use, or none where some are needed.
    #[error(
        "{field} of a label selector must have values for In and NotIn, and none for Exists and DoesNotExist"
    )]
    Values {
        /// The field, from the selector.
        field: String,
    },
    /// A text that is no label's key.
    #[error(
        "{field} of a label selector is no label key: [DNS name/]name, the name of at most 63 letters, digits, '-', \
         '_' and '.', the first and last a letter or digit"
    )]
    Key {
        /// The field, from the selector.
        field: String,
    },
    /// A text that is no label's value.
    #[error(
        "{field} of a label selector is no label value: at most 63 letters, digits, '-', '_' and '.', the first and \
         last a letter or digit"
    )]
    Value {
        /// The field, from the selector.
        field: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    In(BTreeSet<String>),
    NotIn(BTreeSet<String>),
    Exists,
    DoesNotExist,
}

impl LabelSelector {
    /// Reads a selector: an object with `matchLabels` and `matchExpressions`, each of which may be absent or null.
    ///
    /// # Errors
    /// The first fault. Kubernetes has the same rules, but ignores unknown members.
    pub fn from_value(value: &Value) -> Result<Self, LabelSelectorError> {
        let selector = value.as_object().ok_or_else(|| wrong_type("the whole", "an object"))?;
        known_members(selector, "", &["matchLabels", "matchExpressions"])?;
        let labels = match selector.get("matchLabels") {
            None | Some(Value::Null) => &Map::new(),
            Some(labels) => labels.as_object().ok_or_else(|| wrong_type("matchLabels", "an object"))?,
        };
        let expressions = list(selector, "matchExpressions", "matchExpressions")?.iter().enumerate();
        let labels = labels.iter().map(|(key, value)| read_label(key, value));
        let expressions =
            expressions.map(|(index, value)| read_expression(&format!("matchExpressions[{index}]"), value));
        labels.chain(expressions).collect::<Result<_, _>>().map(Self)
    }

    /// The labels that it looks at.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|requirement| requirement.key.as_str())
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether everything that `other` selects is selected here, as far as it can be told requirement by requirement:
    /// true is sure, false is not.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.iter().all(|wanted| other.0.iter().any(|given| given.implies(wanted)))
    }

    /// Whether an object with these labels is selected. An object without labels is one with none.
    pub fn matches(&self, labels: Option<&Map<String, Value>>) -> bool {
        self.0.iter().all(|requirement| requirement.matches(labels))
    }
}

impl Requirement {
    /// Whether labels that fulfil this one fulfil the other.
    fn implies(&self, other: &Self) -> bool {
        self.key == other.key
            && match (&self.operator, &other.operator) {
                (Operator::In(own), Operator::In(theirs)) => own.is_subset(theirs),
                (Operator::NotIn(own), Operator::NotIn(theirs)) => theirs.is_subset(own),
                (Operator::In(own), Operator::NotIn(theirs)) => own.is_disjoint(theirs),
                (Operator::In(_) | Operator::Exists, Operator::Exists) => true,
                (Operator::DoesNotExist, Operator::DoesNotExist | Operator::NotIn(_)) => true,
                _ => false,
            }
    }

    fn matches(&self, labels: Option<&Map<String, Value>>) -> bool {
        let label = labels.and_then(|labels| labels.get(&self.key));
        let is_among =
            |values: &BTreeSet<String>| label.and_then(Value::as_str).is_some_and(|l| values.contains(l));
        match &self.operator {
            Operator::In(values) => is_among(values),
            Operator::NotIn(values) => !is_among(values),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
        }
    }
}

fn read_label(key: &str, value: &Value) -> Result<Requirement, LabelSelectorError> {
    let field = format!("matchLabels[{key:?}]");
    check_key(key, &field)?;
    let values = BTreeSet::from([read_value(value, &field)?]);
    Ok(Requirement { key: key.to_owned(), operator: Operator::In(values) })
}

fn read_expression(field: &str, value: &Value) -> Result<Requirement, LabelSelectorError> {
    let expression = value.as_object().ok_or_else(|| wrong_type(field, "an object"))?;
    known_members(expression, &format!("{field}."), &["key", "operator", "values"])?;
    let member = |name: &str| expression.get(name).and_then(Value::as_str);

    let key_field = format!("{field}.key");
    let key = member("key").ok_or_else(|| wrong_type(&key_field, "a string"))?;
    check_key(key, &key_field)?;

    let values_field = format!("{field}.values");
    let values = list(expression, "values", &values_field)?.iter().enumerate();
    let values = values.map(|(index, value)| read_value(value, &format!("{values_field}[{index}]")));
    let values = values.collect::<Result<BTreeSet<_>, _>>()?;

    let operator = match (member("operator"), values.is_empty()) {
        (Some("In"), false) => Operator::In(values),
        (Some("NotIn"), false) => Operator::NotIn(values),
        (Some("Exists"), true) => Operator::Exists,
        (Some("DoesNotExist"), true) => Operator::DoesNotExist,
        (Some("In" | "NotIn" | "Exists" | "DoesNotExist"), _) => {
            return Err(LabelSelectorError::Values { field: values_field });
        }
        _ => return Err(LabelSelectorError::Operator { field: format!("{field}.operator") }),
    };
    Ok(Requirement { key: key.to_owned(), operator })
}

fn read_value(value: &Value, field: &str) -> Result<String, LabelSelectorError> {
    let value = value.as_str().ok_or_else(|| wrong_type(field, "a string"))?;
    if value.is_empty() || is_name(value) {
        return Ok(value.to_owned());
    }
    Err(LabelSelectorError::Value { field: field.to_owned() })
}

/// A member that is a list; empty where it is absent or null.
fn list<'a>(
    object: &'a Map<String, Value>,
    name: &str,
    field: &str,
) -> Result<&'a [Value], LabelSelectorError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(list) => list.as_array().map(Vec::as_slice).ok_or_else(|| wrong_type(field, "a list")),
    }
}

fn known_members(
    object: &Map<String, Value>,
    prefix: &str,
    known: &[&str],
) -> Result<(), LabelSelectorError> {
    let unknown = object.keys().find(|name| !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| Err(LabelSelectorError::UnknownMember { field: format!("{prefix}{name}") }))
}

fn wrong_type(field: &str, expected: &'static str) -> LabelSelectorError {
    LabelSelectorError::Type { field: field.to_owned(), expected }
}

fn check_key(key: &str, field: &str) -> Result<(), LabelSelectorError> {
    if is_label_key(key) { Ok(()) } else { Err(LabelSelectorError::Key { field: field.to_owned() }) }
}

/// Whether a text can be a label's key: a name, before it perhaps a DNS name and `/` (k8s.io/apimachinery,
/// IsQualifiedName).
pub fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_name(name),
        None => is_name(key),
    }
}

/// The name in a label's key, and a label's value that is not empty.
fn is_name(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let allowed = text.chars().all(|c| alphanumeric(c) || "-_.".contains(c));
    text.len() <= MAX_NAME && text.starts_with(alphanumeric) && text.ends_with(alphanumeric) && allowed
}

/// A lower case DNS name. The length of its parts is not bounded, as in Kubernetes.
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= MAX_PREFIX && text.split('.').all(is_dns_part)
}

/// Whether a text can be a namespace's name (RFC 1123 label; k8s.io/apimachinery, IsDNS1123Label).
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= MAX_NAME && is_dns_part(text)
}

fn is_dns_part(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let allowed = text.chars().all(|c| alphanumeric(c) || c == '-');
    text.starts_with(alphanumeric) && text.ends_with(alphanumeric) && allowed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(selector: Value, labels: Value) -> bool {
        LabelSelector::from_value(&selector).unwrap().matches(labels.as_object())
    }

    fn fault(selector: Value) -> LabelSelectorError {
        LabelSelector::from_value(&selector).unwrap_err()
    }

    #[test]
    fn nothing_asked_for_is_everything() {
        for selector in
            [json!({}), json!({ "matchLabels": {}, "matchExpressions": [] }), json!({ "matchLabels": null })]
        {
            assert!(matches(selector.clone(), json!(null)) && matches(selector, json!({ "a": "b" })));
        }
    }

    #[test]
    fn operators_tell_absent_from_empty() {
        let expression = |operator: &str, values: Value| json!({ "matchExpressions": [{ "key": "k", "operator": operator, "values": values }] });
        let rows = [
            (expression("In", json!(["a", ""])), [true, false, true, false]),
            (expression("NotIn", json!(["a", ""])), [false, true, false, true]),
            (expression("Exists", json!(null)), [true, true, true, false]),
            (expression("DoesNotExist", json!([])), [false, false, false, true]),
            (json!({ "matchLabels": { "k": "" } }), [false, false, true, false]),
        ];
        let labels = [json!({ "k": "a" }), json!({ "k": "b" }), json!({ "k": "" }), json!({ "other": "a" })];
        for (selector, expected) in rows {
            assert_eq!(
                labels.clone().map(|labels| matches(selector.clone(), labels)),
                expected,
                "{selector}"
            );
        }
    }

    #[test]
    fn faults_name_their_field() {
        let expression = |expression: Value| json!({ "matchExpressions": [{ "key": "ok", "operator": "Exists" }, expression] });
        let rows = [
            (json!([]), "the whole of a label selector must be an object"),
            (json!({ "matchLabels": ["a"] }), "matchLabels of a label selector must be an object"),
            (json!({ "matchlabels": {} }), "matchlabels is no member of a label selector"),
            (json!({ "matchLabels": { "a": 1 } }), "matchLabels[\"a\"] of a label selector must be a string"),
            (expression(json!(["k", "Exists"])), "matchExpressions[1] of a label selector must be an object"),
            (
                expression(json!({ "key": "k", "op": "In" })),
                "matchExpressions[1].op is no member of a label selector",
            ),
            (
                expression(json!({ "operator": "Exists" })),
                "matchExpressions[1].key of a label selector must be a string",
            ),
        ];
        for (selector, message) in rows {
            assert_eq!(fault(selector).to_string(), message);
        }
        for (operator, values) in [
            ("In", json!([])),
            ("NotIn", json!(null)),
            ("Exists", json!([""])),
            ("DoesNotExist", json!(["a"])),
        ] {
            let error = fault(expression(json!({ "key": "k", "operator": operator, "values": values })));
            assert_eq!(
                error,
                LabelSelectorError::Values { field: "matchExpressions[1].values".into() },
                "{operator}"
            );
        }
        for operator in ["in", "Gt", "", "=="] {
            let error = fault(expression(json!({ "key": "k", "operator": operator, "values": ["1"] })));
            assert_eq!(
                error,
                LabelSelectorError::Operator { field: "matchExpressions[1].operator".into() },
                "{operator}"
            );
        }
    }

    #[test]
    fn keys_and_values_follow_their_grammar() {
        let (name, prefix) = ("n".repeat(63), "p".repeat(253));
        for key in ["a", "A.b_c-D", "0", "example.com/a", &name, &format!("{prefix}/{name}")] {
            assert!(LabelSelector::from_value(&json!({ "matchLabels": { key: "" } })).is_ok(), "{key}");
        }
        let wrong = [
            "",
            "/a",
            "a/",
            "a/b/c",
            "-a",
            "a_",
            "a b",
            "\u{e9}",
            "Example.com/a",
            "a..b/c",
            "a_b/c",
            "a.-b/c",
        ];
        for key in wrong.into_iter().chain([&*format!("n{name}"), &*format!("p{prefix}/a")]) {
            assert!(
                matches!(fault(json!({ "matchLabels": { key: "" } })), LabelSelectorError::Key { .. }),
                "{key:?}"
            );
        }
        assert!(LabelSelector::from_value(&json!({ "matchLabels": { "k": name } })).is_ok());
        for value in ["-a", "a.", "a/b", "*", "a\n", &format!("n{name}")] {
            let error = fault(
                json!({ "matchExpressions": [{ "key": "k", "operator": "In", "values": ["a", value] }] }),
            );
            assert_eq!(
                error,
                LabelSelectorError::Value { field: "matchExpressions[0].values[1]".into() },
                "{value:?}"
            );
        }
    }
}
