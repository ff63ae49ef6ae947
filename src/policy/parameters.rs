//! A policy's parameters: JSON Schema (2020-12, as the crate `jsonschema` reads it) with defaults.

mod keywords;

use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::files::{Misfit, field};

/// The schema of a policy's parameters. Without one a binding can set nothing.
#[derive(Clone, Debug)]
pub struct Parameters {
    schema: Value,
    validator: Arc<Validator>,
}

impl Parameters {
    /// Reads the schema; None is the schema of an object without members.
    pub(super) fn read(schema: Option<Value>) -> Result<Self, String> {
        let schema = closed(schema.unwrap_or_else(|| json!({ "type": "object" })));
        keywords::judge(&schema)?;
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .build(&schema)
            .map_err(|error| format!("not a JSON Schema: {error}"))?;
        Ok(Self { schema, validator: Arc::new(validator) })
    }

    /// The schema as its author wrote it.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// What a policy reads as `input.parameters`: what the binding gives, the schema's defaults for the rest.
    ///
    /// # Errors
    /// Everything that the schema refuses.
    pub(super) fn complete(&self, given: Option<&Value>) -> Result<Value, Vec<Misfit>> {
        let mut value = given.cloned().unwrap_or_else(|| Value::Object(Map::new()));
        fill(&mut value, &self.schema);
        let misfits: Vec<Misfit> =
            self.validator.iter_errors(&value).flat_map(|error| self.misfits(&error)).collect();
        if misfits.is_empty() { Ok(value) } else { Err(misfits) }
    }

    fn misfits(&self, error: &ValidationError<'_>) -> Vec<Misfit> {
        let pointer = error.instance_path().as_str();
        let misfit = |pointer: String, what: &str| Misfit {
            message: format!("{}: {what}", field("parameters", &pointer)),
            pointer,
        };
        let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() else {
            return vec![misfit(pointer.to_owned(), &error.to_string())];
        };
        let known = self.schema.get("properties").and_then(Value::as_object).filter(|_| pointer.is_empty());
        let known: Vec<&str> = known.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let what = if known.is_empty() {
            "unknown parameter; remove it".to_owned()
        } else {
            format!("unknown parameter; the policy has {}", known.join(", "))
        };
        let at = |name: &String| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        unexpected.iter().map(|name| misfit(at(name), &what)).collect()
    }
}

/// The schema, but that it takes no parameter which it does not name, unless it says so: a typo in a binding would else
/// leave a policy without its parameter.
fn closed(mut schema: Value) -> Value {
    let opens = [
        "additionalProperties",
        "unevaluatedProperties",
        "patternProperties",
        "$ref",
        "allOf",
        "anyOf",
        "oneOf",
    ];
    if let Some(members) = schema.as_object_mut()
        && !opens.iter().any(|name| members.contains_key(*name))
    {
        members.entry("properties").or_insert_with(|| json!({}));
        members.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    schema
}

/// Sets `default` of every property that is absent, at any depth of nested objects.
fn fill(value: &mut Value, schema: &Value) {
    let (Some(object), Some(properties)) =
        (value.as_object_mut(), schema.get("properties").and_then(Value::as_object))
    else {
        return;
    };
    for (name, property) in properties {
        if !object.contains_key(name)
            && let Some(default) = property.get("default")
        {
            object.insert(name.clone(), default.clone());
        }
        if let Some(member) = object.get_mut(name) {
            fill(member, property);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        Parameters::read(Some(json!({
            "type": "object",
            "required": ["label"],
            "properties": {
                "label": { "type": "string" },
                "limits": { "type": "object", "properties": { "cpu": { "type": "boolean", "default": true } }, "default": {} }
            }
        })))
        .unwrap()
    }

    #[test]
    fn defaults_fill_what_the_binding_leaves_out() {
        let value = parameters().complete(Some(&json!({ "label": "owner" }))).unwrap();
        assert_eq!(value, json!({ "label": "owner", "limits": { "cpu": true } }));
    }

    #[test]
    fn every_misfit_is_named() {
        let faults = parameters().complete(Some(&json!({ "lable": "owner" }))).unwrap_err();
        let faults: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
        let expected = [
            "parameters.lable: unknown parameter; the policy has label, limits",
            "parameters: \"label\" is a required property",
        ];
        assert_eq!(faults, expected);
        let deep = parameters().complete(Some(&json!({ "label": "a", "limits": { "cpu": 1 } }))).unwrap_err();
        assert_eq!(deep[0].pointer, "/limits/cpu");
        assert!(Parameters::read(None).unwrap().complete(Some(&json!({ "x": 1 }))).is_err());
        assert!(Parameters::read(Some(json!({ "type": "strnig" }))).is_err());
    }
}
