//! What the entry point `inject` answered, checked against the contract's shape.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a policy says of an injection that its mesh proposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The mesh; None where there is none.
    pub mesh: Option<String>,
    /// Its revision.
    pub revision: Option<String>,
    /// Whether to inject.
    pub inject: bool,
    /// Why, or why not.
    pub reasons: Vec<String>,
}

/// Reads `inject`; None where the rule is undefined. `rule` may be handed on from the proposal.
pub(super) fn read(mut values: BTreeMap<String, Value>) -> Result<Option<Injection>, String> {
    let Some(value) = values.remove("inject") else { return Ok(None) };
    let members = value.as_object().ok_or("`inject` is not an object")?;
    let known = ["mesh", "revision", "inject", "reasons", "rule"];
    if let Some(unknown) = members.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(format!(
            "`inject` has the member `{unknown}`; the members are mesh, revision, inject and reasons"
        ));
    }
    let text = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`inject` has `{name}` that is neither a string nor null")),
    };
    let inject = members.get("inject").and_then(Value::as_bool).ok_or("`inject` has no boolean `inject`")?;
    let reason = |reason: &Value| {
        reason.as_str().map(str::to_owned).ok_or("`inject` has `reasons` that are not all strings".to_owned())
    };
    let reasons = match members.get("reasons") {
        None => Vec::new(),
        Some(Value::Array(reasons)) => reasons.iter().map(reason).collect::<Result<_, _>>()?,
        Some(_) => return Err("`inject` has `reasons` that are not an array or set".to_owned()),
    };
    Ok(Some(Injection { mesh: text("mesh")?, revision: text("revision")?, inject, reasons }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(value: Value) -> Result<Option<Injection>, String> {
        read(BTreeMap::from([("inject".to_owned(), value)]))
    }

    #[test]
    fn what_is_left_out_is_none() {
        let injection = |inject| Some(Injection { mesh: None, revision: None, inject, reasons: Vec::new() });
        assert_eq!(read(BTreeMap::new()), Ok(None));
        assert_eq!(of(json!({ "inject": false })), Ok(injection(false)));
        assert_eq!(of(json!({ "mesh": null, "inject": true, "rule": "W1" })), Ok(injection(true)));
    }

    #[test]
    fn every_other_shape_is_an_error() {
        let wrong = [
            (json!(true), "is not an object"),
            (json!({}), "has no boolean `inject`"),
            (json!({ "inject": "true" }), "has no boolean `inject`"),
            (json!({ "inject": true, "mesh": 1 }), "`mesh` that is neither"),
            (json!({ "inject": true, "revision": [] }), "`revision` that is neither"),
            (json!({ "inject": true, "reasons": "a" }), "not an array or set"),
            (json!({ "inject": true, "reasons": [1] }), "not all strings"),
            (json!({ "inject": true, "template": "a" }), "has the member `template`"),
        ];
        for (value, needle) in wrong {
            let error = of(value.clone()).unwrap_err();
            assert!(error.contains(needle), "{value}: {error}");
        }
    }
}
