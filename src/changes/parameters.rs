//! Parameters of a binding: the schema says by `x-meshgate-stricter` which way is stricter.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Found, Thing, Verdict};
use crate::kubernetes::quantity::Quantity;

/// The keyword.
const STRICTER: &str = "x-meshgate-stricter";

pub(super) fn compare(thing: Thing<'_>, schema: &Value, (old, new): (&Value, &Value), found: &mut Found) {
    below(thing, "parameters", schema, (old, new), found);
}

/// Member by member, as deep as the schema says more.
fn below(thing: Thing<'_>, path: &str, schema: &Value, (old, new): (&Value, &Value), found: &mut Found) {
    if old == new {
        return;
    }
    let stricter = schema.get(STRICTER).and_then(Value::as_str);
    let properties = schema.get("properties").and_then(Value::as_object);
    if let (None, Some(properties), Some(old), Some(new)) =
        (stricter, properties, old.as_object(), new.as_object())
    {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            let value = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or(Value::Null);
            let schema = properties.get(name).unwrap_or(&Value::Null);
            below(thing, &format!("{path}.{name}"), schema, (&value(old), &value(new)), found);
        }
        return;
    }
    let verdict = stricter.map_or(Verdict::Unknown, |stricter| judged(stricter, old, new));
    found.add(thing, verdict, format!("{path}: {} → {}", shown(old), shown(new)));
}

fn judged(stricter: &str, old: &Value, new: &Value) -> Verdict {
    let grows = match stricter {
        "lower" | "higher" => is_higher(old, new),
        _ => has_more(old, new),
    };
    match (grows, ["higher", "more"].contains(&stricter)) {
        (None, _) => Verdict::Unknown,
        (Some(grows), more_is_stricter) if grows == more_is_stricter => Verdict::Strengthened,
        (Some(_), _) => Verdict::Weakened,
    }
}

/// Whether a number, a quantity or a version grows. A text that is both is told only where both say the same.
fn is_higher(old: &Value, new: &Value) -> Option<bool> {
    if let (Some(old), Some(new)) = (old.as_f64(), new.as_f64()) {
        return Some(new > old);
    }
    if let (Some(old), Some(new)) = (old.as_bool(), new.as_bool()) {
        return Some(new && !old);
    }
    let (old, new) = (old.as_str()?, new.as_str()?);
    let quantities = || Some(Quantity::parse(new).ok()? > Quantity::parse(old).ok()?);
    let version =
        |text: &str| text.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let versions = || Some(version(new)? > version(old)?);
    match (quantities(), versions()) {
        (Some(one), Some(other)) => (one == other).then_some(one),
        (one, other) => one.or(other),
    }
}

/// Whether a list or an object has all that it had, and more; None where it has other things.
fn has_more(old: &Value, new: &Value) -> Option<bool> {
    // What is not said at all can mean everything.
    let members = |value: &Value| -> Option<BTreeSet<String>> {
        match value {
            Value::Array(items) => Some(items.iter().map(Value::to_string).collect()),
            Value::Object(members) => {
                Some(members.iter().map(|(key, value)| format!("{key}: {value}")).collect())
            }
            _ => None,
        }
    };
    let (before, after) = (members(old)?, members(new)?);
    match (before.is_subset(&after), after.is_subset(&before)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

fn shown(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = if value.is_null() { "nothing".to_owned() } else { value.to_string() };
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST).chain(['…']).collect() }
}
