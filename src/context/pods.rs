//! The fact `pods`: the Pods of a namespace, for who asks more of them than before. Pods that are alike are told once, and
//! of each only what the checks of Pod Security read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::kubernetes::pod_types;

/// How many Pods are told, and how many different ones. With more, an answer would not come within a second.
const PODS: usize = 3_000;
const DIFFERENT: usize = 200;

/// The annotations that the checks read.
const ANNOTATIONS: [&str; 3] = [
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
];

/// What stands for Pods that are alike.
struct Item {
    name: String,
    count: usize,
    controller: Value,
    /// Whether the first Pod of the controller is among them.
    first: bool,
    annotations: Value,
    spec: Value,
}

/// `{total, truncated, items: [{name, count, controller, first, annotations, spec}]}`: in the order in which they are worth
/// looking at, first the Pods without a controller and the first of each, by their names, then the others. `name` is the first
/// of those that the item stands for, `controller` the uid of theirs, or null. Beyond 3,000 Pods, or 200 different ones, the
/// rest is counted in `total` only.
pub fn pods(pods: &[Value]) -> Value {
    let mut named: Vec<(&str, Value, &Value)> =
        pods.iter().map(|pod| (text(pod, "/metadata/name"), controller(pod), pod)).collect();
    named.sort_by_key(|(name, _, _)| *name);
    let mut seen: BTreeSet<(String, &str)> = BTreeSet::new();
    // Pods of one controller are let off by their runtime class, all or none.
    let mut is_first = |controller: &Value, pod| {
        let class = text(pod, "/spec/runtimeClassName");
        controller.as_str().is_none_or(|uid| seen.insert((uid.to_owned(), class)))
    };
    let (firsts, others): (Vec<_>, Vec<_>) = named
        .into_iter()
        .map(|(name, controller, pod)| (is_first(&controller, pod), name, controller, pod))
        .partition(|(is_first, ..)| *is_first);
    let mut items: Vec<Item> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut different: BTreeSet<String> = BTreeSet::new();
    for (first, name, controller, pod) in firsts.into_iter().chain(others).take(PODS) {
        let pruned = pruned(pod);
        let part = |pointer: &str| pruned.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
        let (annotations, spec) = (part("/metadata/annotations"), part("/spec"));
        let alike = json!([annotations, spec]).to_string();
        if different.len() >= DIFFERENT && !different.contains(&alike) {
            continue;
        }
        let place = *places.entry(format!("{controller}{alike}")).or_insert(items.len());
        different.insert(alike);
        match items.get_mut(place) {
            Some(item) => item.count = item.count.saturating_add(1),
            None => {
                items.push(Item { name: name.to_owned(), count: 1, controller, first, annotations, spec })
            }
        }
    }
    let told = items.iter().map(|item| item.count).fold(0, usize::saturating_add);
    let items: Vec<Value> = items.into_iter().map(Item::value).collect();
    json!({ "total": pods.len(), "truncated": told < pods.len(), "items": items })
}

impl Item {
    fn value(self) -> Value {
        let Self { name, count, controller, first, annotations, spec } = self;
        json!({
            "name": name, "count": count, "controller": controller, "first": first, "annotations": annotations, "spec": spec,
        })
    }
}

/// What the fact tells of a Pod; what is pruned once can be pruned again.
pub(super) fn pruned(pod: &Value) -> Value {
    let metadata = pod.get("metadata").and_then(Value::as_object);
    let mut kept: Map<String, Value> = ["name", "namespace", "ownerReferences"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), metadata?.get(name)?.clone())))
        .collect();
    let annotations = metadata.and_then(|metadata| metadata.get("annotations")).and_then(Value::as_object);
    let is_read = |(key, _): &(&String, &Value)| ANNOTATIONS.iter().any(|prefix| key.starts_with(prefix));
    let read = annotations.into_iter().flatten().filter(is_read);
    let read: Map<String, Value> = read.map(|(key, value)| (key.clone(), value.clone())).collect();
    kept.insert("annotations".to_owned(), Value::Object(read));
    json!({ "metadata": kept, "spec": pod.get("spec").map(pod_types::read_of_spec) })
}

/// The uid of the Pod's controller, or null. The API server lets a Pod have no two.
fn controller(pod: &Value) -> Value {
    let references = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let is_controller = |reference: &&Value| reference.get("controller") == Some(&Value::Bool(true));
    let controller = references.into_iter().flatten().find(is_controller);
    controller.and_then(|controller| controller.get("uid")).cloned().unwrap_or_default()
}

fn text<'a>(pod: &'a Value, pointer: &str) -> &'a str {
    pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Pod with that container, and what no check reads.
    fn pod(name: &str, controller: Option<&str>, container: &str) -> Value {
        let owners = controller
            .map(|uid| json!([{ "kind": "Other", "uid": "x" }, { "uid": uid, "controller": true }]));
        let key = format!("{}{container}", ANNOTATIONS[0]);
        json!({
            "metadata": {
                "name": name, "namespace": "shop", "labels": { "a": name }, "ownerReferences": owners,
                "annotations": { "a": name, key: "unconfined" },
            },
            "spec": {
                "nodeName": name, "hostPID": true, "runtimeClassName": "fast", "initContainers": null,
                "volumes": [{ "name": "v", "hostPath": { "path": name } }],
                "containers": [{
                    "name": container, "image": name,
                    "securityContext": { "privileged": true, "readOnlyRootFilesystem": true },
                }],
            },
            "status": { "phase": name },
        })
    }

    fn item(name: &str, count: usize, controller: Option<&str>, first: bool, container: &str) -> Value {
        json!({
            "name": name, "count": count, "controller": controller, "first": first,
            "annotations": { format!("{}{container}", ANNOTATIONS[0]): "unconfined" },
            "spec": {
                "hostPID": true, "runtimeClassName": "fast", "volumes": [{ "name": "v", "hostPath": {} }],
                "containers": [{ "name": container, "securityContext": { "privileged": true } }],
            },
        })
    }

    #[test]
    fn pods_that_are_alike_are_told_once_and_what_stands_for_others_first() {
        let given = [
            pod("z", None, "a"),
            pod("web-2", Some("1"), "b"),
            pod("web-1", Some("1"), "a"),
            pod("web-3", Some("1"), "a"),
            pod("db-1", Some("2"), "a"),
            pod("a", None, "a"),
        ];
        let items = [
            item("a", 2, None, true, "a"),
            item("db-1", 1, Some("2"), true, "a"),
            item("web-1", 2, Some("1"), true, "a"),
            item("web-2", 1, Some("1"), false, "b"),
        ];
        let expected = json!({ "total": 6, "truncated": false, "items": items });
        assert_eq!(pods(&given), expected);
        let pruned: Vec<Value> = given.iter().map(pruned).collect();
        assert_eq!(pods(&pruned), expected);
        assert_eq!(pods(&[]), json!({ "total": 0, "truncated": false, "items": [] }));
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let many = |count: usize, kinds: usize| -> Value {
            pods(
                &(0..count)
                    .map(|n| pod(&format!("{n:05}"), None, &format!("{:05}", n % kinds)))
                    .collect::<Vec<_>>(),
            )
        };
        let told = |fact: &Value| {
            let items = fact["items"].as_array().unwrap();
            let count: u64 = items.iter().map(|item| item["count"].as_u64().unwrap()).sum();
            (fact["total"].as_u64().unwrap(), fact["truncated"].as_bool().unwrap(), items.len(), count)
        };
        assert_eq!(told(&many(PODS, 2)), (3_000, false, 2, 3_000));
        assert_eq!(told(&many(PODS + 1, 2)), (3_001, true, 2, 3_000));
        assert_eq!(told(&many(DIFFERENT, DIFFERENT)), (200, false, 200, 200));
        // Of the others those that are like one of the first are told still.
        assert_eq!(told(&many(404, 202)), (404, true, 200, 400));
    }
}
