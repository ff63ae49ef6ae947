//! The words of JSON Schema 2020-12. A validator passes over a word that it does not know, and a bound that is written
//! wrongly would be no bound.

use serde_json::{Map, Value};

use crate::policy::near::nearest;

/// Words whose value is a schema.
const SCHEMA: [&str; 11] = [
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Words whose value is a list of schemas.
const SCHEMAS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];

/// Words whose value has a schema for each name.
const NAMED: [&str; 4] = ["$defs", "dependentSchemas", "patternProperties", "properties"];

/// The others.
const OTHERS: [&str; 38] = [
    "$anchor",
    "$comment",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$ref",
    "$schema",
    "$vocabulary",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "dependentRequired",
    "deprecated",
    "description",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
];

/// Finds a word that is none, at any depth; `x-…` are words of others.
///
/// # Errors
/// The word, where it stands, and what may be meant.
pub(super) fn judge(schema: &Value) -> Result<(), String> {
    let Some(members) = schema.as_object() else { return Ok(()) };
    members.iter().try_for_each(|(word, value)| {
        if SCHEMA.contains(&word.as_str()) {
            return judge(value).map_err(|fault| format!("{word}.{fault}"));
        }
        if SCHEMAS.contains(&word.as_str()) {
            let mut all = value.as_array().into_iter().flatten().enumerate();
            return all.try_for_each(|(at, one)| judge(one).map_err(|fault| format!("{word}[{at}].{fault}")));
        }
        if NAMED.contains(&word.as_str()) {
            let mut all = value.as_object().into_iter().flat_map(Map::iter);
            return all
                .try_for_each(|(name, one)| judge(one).map_err(|fault| format!("{word}.{name}.{fault}")));
        }
        if OTHERS.contains(&word.as_str()) || word.starts_with("x-") {
            return Ok(());
        }
        let known = SCHEMA.iter().chain(&SCHEMAS).chain(&NAMED).chain(&OTHERS).copied();
        let near = nearest(word, known);
        let hint = near.map_or_else(|| "remove it".to_owned(), |near| format!("did you mean `{near}`?"));
        Err(format!("{word}: no word of JSON Schema; {hint}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_word_that_is_none_is_found_at_any_depth() {
        for (schema, expected) in [
            (json!({ "type": "object", "x-meshgate-stricter": "fewer" }), None),
            (json!({ "properties": { "minimun": { "type": "integer" } } }), None),
            (json!({ "default": { "minimun": 1 }, "enum": [{ "a": 1 }], "const": { "b": 2 } }), None),
            (json!({ "minimun": 1 }), Some("minimun: no word of JSON Schema; did you mean `minimum`?")),
            (
                json!({ "properties": { "a": { "items": { "patern": "a" } } } }),
                Some("properties.a.items.patern: no word of JSON Schema; did you mean `pattern`?"),
            ),
            (
                json!({ "anyOf": [true, { "nullable": true }] }),
                Some("anyOf[1].nullable: no word of JSON Schema; remove it"),
            ),
        ] {
            assert_eq!(judge(&schema).err().as_deref(), expected, "{schema}");
        }
    }
}
