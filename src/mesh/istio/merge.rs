//! Strategic merge of a template's Pod into another, as k8s.io/apimachinery does it (util/strategicpatch, with
//! IgnoreUnmatchedNulls). Lists are merged by key where the Pod's type says so, and replaced elsewhere.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The lists of objects that are merged by a key, by the name of the field (the tags `patchStrategy` and
/// `patchMergeKey` of k8s.io/api/core/v1).
const KEYED: [(&str, &str); 17] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("env", "name"),
    ("imagePullSecrets", "name"),
    ("schedulingGates", "name"),
    ("volumes", "name"),
    ("resourceClaims", "name"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("ports", "containerPort"),
    ("hostAliases", "ip"),
    ("topologySpreadConstraints", "topologyKey"),
    ("ownerReferences", "uid"),
    ("containerStatuses", "name"),
    ("initContainerStatuses", "name"),
    ("conditions", "type"),
];

/// The lists of texts that are joined.
const JOINED: [&str; 1] = ["finalizers"];

/// How deep a document may be; as deep as an AdmissionReview.
const DEEPEST: usize = 127;

const ORDER: &str = "$setElementOrder/";
const DELETED: &str = "$deleteFromPrimitiveList/";

/// Merges `patch` into `original`.
///
/// # Errors
/// A directive that is not understood, or an element without its key.
pub(super) fn merge(original: &mut Value, patch: &Value) -> Result<(), String> {
    let (Value::Object(original), Value::Object(patch)) = (original, patch) else {
        return Err("is not an object".to_owned());
    };
    objects(original, patch, DEEPEST)
}

fn objects(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    depth: usize,
) -> Result<(), String> {
    let depth = depth.checked_sub(1).ok_or("is nested too deeply")?;
    match patch.get("$patch").map(Value::as_str) {
        None => {}
        Some(Some("replace")) => {
            *original = patch.clone();
            original.remove("$patch");
            return Ok(());
        }
        Some(Some("delete")) => {
            original.clear();
            return Ok(());
        }
        Some(Some("merge")) => {}
        Some(other) => return Err(format!("the directive $patch: {other:?} is not known")),
    }
    retain(original, patch)?;
    for (name, value) in patch {
        if name.starts_with('$') {
            continue;
        }
        member(original, patch, name, value, depth)?;
    }
    for (name, order) in patch {
        let Value::Array(order) = order else { continue };
        let list = name.strip_prefix(ORDER).or_else(|| name.strip_prefix(DELETED));
        match list.and_then(|list| Some((list, original.get_mut(list)?.as_array_mut()?))) {
            Some((list, items)) if name.starts_with(ORDER) => set_order(items, order, key_of(list)),
            Some((_, items)) => items.retain(|item| !order.contains(item)),
            None => {}
        }
    }
    Ok(())
}

/// `$retainKeys`: what it does not name goes.
fn retain(original: &mut Map<String, Value>, patch: &Map<String, Value>) -> Result<(), String> {
    let Some(keys) = patch.get("$retainKeys") else { return Ok(()) };
    let keys = keys.as_array().ok_or("$retainKeys is not a list")?;
    let keys: BTreeSet<&str> = keys.iter().filter_map(Value::as_str).collect();
    let mut named = patch.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
    if let Some((name, _)) = named.find(|(name, _)| !keys.contains(name.as_str())) {
        return Err(format!("{name} is not among $retainKeys"));
    }
    original.retain(|name, _| keys.contains(name.as_str()));
    Ok(())
}

fn member(
    original: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    name: &str,
    value: &Value,
    depth: usize,
) -> Result<(), String> {
    if value.is_null() {
        original.remove(name);
        return Ok(());
    }
    match (original.get_mut(name), value) {
        (Some(Value::Object(ours)), Value::Object(theirs)) => objects(ours, theirs, depth),
        (Some(Value::Array(ours)), Value::Array(theirs)) => match key_of(name) {
            // Lists of another kind share a name with those of a Pod: those of a status, or a webhook's.
            Some(key) if ours.iter().chain(theirs).all(Value::is_object) => {
                lists(ours, theirs, key, depth).map_err(|why| format!("{name}: {why}"))
            }
            None if JOINED.contains(&name) => {
                let order = patch.get(&format!("{ORDER}{name}")).is_none();
                join(ours, theirs, order);
                Ok(())
            }
            _ => {
                ours.clone_from(theirs);
                Ok(())
            }
        },
        _ => {
            if let Some(value) = cleaned(value, depth)? {
                original.insert(name.to_owned(), value);
            }
            Ok(())
        }
    }
}

/// A value of a patch that meets nothing: without nulls and directives.
fn cleaned(value: &Value, depth: usize) -> Result<Option<Value>, String> {
    let depth = depth.checked_sub(1).ok_or("is nested too deeply")?;
    Ok(match value {
        Value::Null => None,
        Value::Object(members) if members.contains_key("$patch") => None,
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, value) in members.iter().filter(|(name, _)| !name.starts_with('$')) {
                kept.extend(cleaned(value, depth)?.map(|value| (name.clone(), value)));
            }
            Some(Value::Object(kept))
        }
        Value::Array(items) => {
            let mut kept = Vec::new();
            for item in items {
                kept.extend(cleaned(item, depth)?);
            }
            Some(Value::Array(kept))
        }
        _ => Some(value.clone()),
    })
}

fn key_of(list: &str) -> Option<&'static str> {
    KEYED.iter().find(|(name, _)| *name == list).map(|(_, key)| *key)
}

fn directive(item: &Value) -> Option<&str> {
    item.get("$patch").and_then(Value::as_str)
}

fn lists(original: &mut Vec<Value>, patch: &[Value], key: &str, depth: usize) -> Result<(), String> {
    if patch.iter().any(|item| directive(item) == Some("replace")) {
        *original = patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
        return Ok(());
    }
    let keyed = |item: &Value| item.get(key).cloned().ok_or_else(|| format!("an element has no {key}"));
    for item in original.iter() {
        keyed(item)?;
    }
    for item in patch.iter().filter(|item| directive(item) == Some("delete")) {
        let deleted = keyed(item)?;
        original.retain(|one| one.get(key) != Some(&deleted));
    }
    let places: Vec<Value> = original.iter().filter_map(|item| item.get(key).cloned()).collect();
    let mut order = Vec::new();
    for item in patch.iter().filter(|item| directive(item) != Some("delete")) {
        let own = keyed(item)?;
        match original.iter_mut().find(|one| one.get(key) == Some(&own)) {
            Some(Value::Object(ours)) => {
                let theirs = item.as_object().ok_or("an element is not an object")?;
                objects(ours, theirs, depth)?;
            }
            _ => original.extend(cleaned(item, depth)?),
        }
        order.push(own);
    }
    arrange(original, &order, &places, key);
    Ok(())
}

/// Elements of the patch in its order, the others in theirs; where the two meet, an element that stood before the
/// other in the original goes first, and one of the patch else.
fn arrange(items: &mut Vec<Value>, order: &[Value], places: &[Value], key: &str) {
    let place = |item: &Value| places.iter().position(|own| Some(own) == item.get(key));
    let (mut ours, theirs): (Vec<Value>, Vec<Value>) =
        items.drain(..).partition(|item| item.get(key).is_some_and(|own| order.contains(own)));
    ours.sort_by_key(|item| order.iter().position(|own| Some(own) == item.get(key)));
    let (mut ours, mut theirs) = (ours.into_iter().peekable(), theirs.into_iter().peekable());
    loop {
        let server_first = match (ours.peek(), theirs.peek()) {
            (None, None) => return,
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (Some(our), Some(their)) => {
                matches!((place(our), place(their)), (Some(our), Some(their)) if their < our)
            }
        };
        items.extend(if server_first { theirs.next() } else { ours.next() });
    }
}

fn set_order(items: &mut [Value], order: &[Value], key: Option<&str>) {
    let named = |item: &Value| match key {
        Some(key) => order.iter().position(|one| one.get(key) == item.get(key)),
        None => order.iter().position(|one| one == item),
    };
    items.sort_by_key(|item| named(item).unwrap_or(usize::MAX));
}

fn join(ours: &mut Vec<Value>, theirs: &[Value], patch_first: bool) {
    let mut joined: Vec<Value> = Vec::new();
    let (first, second): (&[Value], &[Value]) = if patch_first { (theirs, ours) } else { (ours, theirs) };
    for item in first.iter().chain(second) {
        if !joined.contains(item) {
            joined.push(item.clone());
        }
    }
    *ours = joined;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(mut original: Value, patch: &Value) -> Result<Value, String> {
        merge(&mut original, patch).map(|()| original)
    }

    #[test]
    fn members_are_set_removed_and_replaced() {
        let rows = [
            (json!({ "a": 1 }), json!({ "a": null, "b": 2 }), json!({ "b": 2 })),
            (json!({}), json!({ "a": { "b": null, "c": [null, 1] } }), json!({ "a": { "c": [1] } })),
            (
                json!({ "a": { "b": 1 } }),
                json!({ "a": { "$patch": "replace", "c": 1 } }),
                json!({ "a": { "c": 1 } }),
            ),
            (json!({ "a": { "b": 1 } }), json!({ "a": { "$patch": "delete" } }), json!({ "a": {} })),
            (json!({ "a": [1] }), json!({ "a": { "b": 1 } }), json!({ "a": { "b": 1 } })),
            (
                json!({ "a": { "b": 1, "c": 2 } }),
                json!({ "a": { "$retainKeys": ["c"], "c": 3 } }),
                json!({ "a": { "c": 3 } }),
            ),
            (json!({ "args": ["a"] }), json!({ "args": ["b"] }), json!({ "args": ["b"] })),
            (json!({ "args": ["a"] }), json!({ "args": null }), json!({})),
        ];
        for (original, patch, expected) in rows {
            assert_eq!(merged(original, &patch), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn elements_meet_by_their_key() {
        let rows = [
            (
                json!({ "env": [{ "name": "a", "value": "1" }, { "name": "b", "value": "2" }] }),
                json!({ "env": [{ "name": "c" }, { "name": "b", "value": "3" }] }),
                json!({ "env": [{ "name": "c" }, { "name": "a", "value": "1" }, { "name": "b", "value": "3" }] }),
            ),
            (
                json!({ "env": [{ "name": "a" }, { "name": "b" }] }),
                json!({ "env": [{ "name": "a", "$patch": "delete" }] }),
                json!({ "env": [{ "name": "b" }] }),
            ),
            (
                json!({ "env": [{ "name": "a" }] }),
                json!({ "env": [{ "$patch": "replace" }, { "name": "c" }] }),
                json!({ "env": [{ "name": "c" }] }),
            ),
            (
                json!({ "ports": [{ "containerPort": 53, "protocol": "TCP" }, { "containerPort": 53, "protocol": "UDP" }] }),
                json!({ "ports": [{ "containerPort": 53, "name": "dns" }] }),
                json!({ "ports": [{ "containerPort": 53, "protocol": "TCP", "name": "dns" }, { "containerPort": 53, "protocol": "UDP" }] }),
            ),
            (
                json!({ "volumes": [] }),
                json!({ "volumes": [{ "name": "a", "emptyDir": null }] }),
                json!({ "volumes": [{ "name": "a" }] }),
            ),
            (
                json!({ "finalizers": ["a", "b"] }),
                json!({ "finalizers": ["c", "a"] }),
                json!({ "finalizers": ["c", "a", "b"] }),
            ),
            (
                json!({ "env": [{ "name": "a" }, { "name": "b" }] }),
                json!({ "$setElementOrder/env": [{ "name": "b" }, { "name": "a" }] }),
                json!({ "env": [{ "name": "b" }, { "name": "a" }] }),
            ),
        ];
        for (original, patch, expected) in rows {
            assert_eq!(merged(original, &patch), Ok(expected), "{patch}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for (original, patch, expected) in [
            (json!({}), json!({ "$patch": "swap" }), "$patch"),
            (json!({ "env": [{ "value": "1" }] }), json!({ "env": [{ "name": "a" }] }), "has no name"),
            (json!({ "env": [] }), json!({ "env": [{ "value": "1" }] }), "has no name"),
            (json!({ "a": 1 }), json!({ "$retainKeys": [], "b": 1 }), "$retainKeys"),
            (json!([]), json!({}), "is not an object"),
        ] {
            let why = merged(original, &patch).unwrap_err();
            assert!(why.contains(expected), "{why}");
        }
    }
}
