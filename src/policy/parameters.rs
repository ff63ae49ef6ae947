//! A policy's parameters: JSON Schema (2020-12, as the crate `jsonschema` reads it) with defaults.

use std::sync::Arc;

use serde_json::{Map, Value};

/// The schema of a policy's parameters. Without one a binding can set nothing.
#[derive(Clone, Debug)]
pub struct Parameters {
    schema: Value,
    validator: Arc<jsonschema::Validator>,
}

impl Parameters {
    /// Reads the schema; None is the schema of an object without members.
    pub(super) fn read(schema: Option<Value>) -> Result<Self, String> {
        let schema =
            schema.unwrap_or_else(|| serde_json::json!({ "type": "object", "additionalProperties": false }));
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
    /// Every member that the schema refuses, one text each, with its path below `parameters`.
    pub fn complete(&self, given: Option<&Value>) -> Result<Value, Vec<String>> {
        let mut value = given.cloned().unwrap_or_else(|| Value::Object(Map::new()));
        fill(&mut value, &self.schema);
        let faults: Vec<String> = self
            .validator
            .iter_errors(&value)
            .map(|error| format!("parameters{}: {error}", error.instance_path().as_str().replace('/', ".")))
            .collect();
        if faults.is_empty() { Ok(value) } else { Err(faults) }
    }
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
    use serde_json::json;

    use super::*;

    fn parameters() -> Parameters {
        Parameters::read(Some(json!({
            "type": "object",
            "additionalProperties": false,
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
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(Parameters::read(None).unwrap().complete(Some(&json!({ "x": 1 }))).is_err());
        assert!(Parameters::read(Some(json!({ "type": "strnig" }))).is_err());
    }
}
