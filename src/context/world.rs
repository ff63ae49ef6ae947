//! What a cluster would know, taken from Kubernetes objects: the ContextSource of the dry run, and of a server without
//! a cluster.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;

use serde_json::{Map, Value, json};

use super::facts::{Fact, FactKey, OwnerReference};
use super::source::ContextSource;

/// How many owners stand above each other at most: Pod, Job, CronJob, and what operators add.
const OWNERS: usize = 16;

/// Namespaces and workloads that are known.
#[derive(Clone, Debug)]
pub struct World {
    namespaces: BTreeMap<String, Value>,
    workloads: BTreeMap<WorkloadKey, Value>,
    others: Others,
    /// Labels of every namespace that does not say otherwise.
    labels: BTreeMap<String, String>,
}

/// Namespace, API group, kind, name.
type WorkloadKey = (String, String, String, String);

/// What is said of a namespace that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// It is taken as freshly made.
    Fresh,
    /// Nothing: the fact is missing, which is an error of the policies that need it.
    Unknown,
}

impl World {
    /// Knows nothing yet.
    pub fn new(others: Others) -> Self {
        let (namespaces, workloads, labels) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { namespaces, workloads, others, labels }
    }

    /// Gives every namespace a label that has none of this name.
    #[must_use]
    pub fn with_label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Adds an object, or replaces it; labels and annotations of a Namespace that is known are added to, as `kubectl
    /// apply` does. `namespace` is where the object is, for those that have one.
    pub fn insert(&mut self, namespace: Option<&str>, object: &Value) {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        if (api_version.as_str(), kind.as_str()) == ("v1", "Namespace") {
            let known = self.namespaces.entry(name).or_insert_with(|| json!({}));
            let merged = ["labels", "annotations"].map(|member| {
                let mut all = map(known, member);
                all.extend(map(object.get("metadata").unwrap_or(&Value::Null), member));
                all
            });
            let [labels, annotations] = merged;
            *known = json!({ "labels": labels, "annotations": annotations });
        } else if let Some(namespace) = namespace {
            let metadata = object.get("metadata").cloned().unwrap_or_default();
            let replicas = object.pointer("/spec/replicas").cloned().unwrap_or_default();
            let known = json!({ "metadata": metadata, "replicas": replicas });
            let key = (namespace.to_owned(), group(&api_version).to_owned(), kind, name);
            self.workloads.insert(key, known);
        }
    }

    /// Whether a namespace is not known.
    pub fn assumes(&self, namespace: &str) -> bool {
        !self.namespaces.contains_key(namespace)
    }

    /// `{name, labels, annotations}`, with the label that the API server gives every namespace.
    fn namespace(&self, name: &str) -> Fact {
        let metadata = match (self.namespaces.get(name), self.others) {
            (Some(metadata), _) => metadata,
            (None, Others::Fresh) => &Value::Null,
            (None, Others::Unknown) => {
                return Fact::Unknown(format!("nothing is known of the namespace `{name}`"));
            }
        };
        let mut labels = map(metadata, "labels");
        labels.insert("kubernetes.io/metadata.name".to_owned(), Value::from(name));
        for (label, value) in &self.labels {
            labels.entry(label.as_str()).or_insert_with(|| Value::from(value.as_str()));
        }
        let annotations = map(metadata, "annotations");
        Fact::Known(json!({ "name": name, "labels": labels, "annotations": annotations }))
    }

    /// The workload at the top: follows controllers upwards; null where one is not known.
    fn owner(&self, namespace: &str, first: &OwnerReference) -> Fact {
        let mut reference = first.clone();
        for _ in 0..OWNERS {
            let OwnerReference { api_version, kind, name, uid } = reference;
            let key = (namespace.to_owned(), group(&api_version).to_owned(), kind.clone(), name.clone());
            let Some(workload) = self.workloads.get(&key) else { return Fact::Known(Value::Null) };
            match OwnerReference::controller_of(workload) {
                Ok(Some(above)) => reference = above,
                Ok(None) => {
                    let uid = workload.pointer("/metadata/uid").cloned().unwrap_or(Value::from(uid));
                    let replicas = replicas(&kind, workload);
                    return Fact::Known(
                        json!({ "kind": kind, "name": name, "uid": uid, "replicas": replicas }),
                    );
                }
                Err(why) => return Fact::Unknown(format!("{kind} {name}: {why}")),
            }
        }
        Fact::Unknown(format!("more than {OWNERS} owners above each other, or a circle"))
    }
}

impl ContextSource for World {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let fact = match key {
            FactKey::Namespace(name) => self.namespace(name),
            FactKey::Image(_) => Fact::Unknown("no registry is read by this release".to_owned()),
            FactKey::Owner { namespace, controller } => self.owner(namespace, controller),
        };
        Box::pin(ready(fact))
    }
}

/// A member of metadata that is an object; empty where it is not.
fn map(metadata: &Value, member: &str) -> Map<String, Value> {
    metadata.get(member).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The API group of an apiVersion; a workload stays the same whatever version it is read in.
fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// `spec.replicas`; where a kind has that field, its default is 1.
fn replicas(kind: &str, workload: &Value) -> Value {
    match workload.get("replicas") {
        Some(replicas) if !replicas.is_null() => replicas.clone(),
        _ if matches!(kind, "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController") => {
            Value::from(1)
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(fact: Fact) -> Value {
        match fact {
            Fact::Known(value) => value,
            Fact::Unknown(why) => panic!("{why}"),
        }
    }

    #[test]
    fn a_namespace_that_is_applied_keeps_the_labels_that_it_has() {
        let mut world = World::new(Others::Unknown).with_label("meshgate.io/mode", "warn");
        let namespace = |labels: Value| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": labels } });
        world.insert(None, &namespace(json!({ "meshgate.io/mode": "deny", "a": "1" })));
        world.insert(None, &namespace(json!({ "a": "2" })));
        world.insert(None, &namespace(json!(null)));
        let labels = json!({ "kubernetes.io/metadata.name": "shop", "meshgate.io/mode": "deny", "a": "2" });
        assert_eq!(known(world.namespace("shop"))["labels"], labels);
        assert!(!world.assumes("shop") && world.assumes("other"));
        assert!(matches!(world.namespace("other"), Fact::Unknown(_)));
    }

    #[test]
    fn a_fresh_namespace_has_the_labels_of_all() {
        let world = World::new(Others::Fresh).with_label("meshgate.io/mode", "deny");
        let labels = json!({ "kubernetes.io/metadata.name": "shop", "meshgate.io/mode": "deny" });
        assert_eq!(
            known(world.namespace("shop")),
            json!({ "name": "shop", "labels": labels, "annotations": {} })
        );
    }

    #[test]
    fn owners_are_followed_to_the_top_or_to_where_nothing_is_known() {
        let mut world = World::new(Others::Fresh);
        let reference = |kind: &str| json!([{ "apiVersion": "apps/v1", "kind": kind, "name": "web", "uid": "1", "controller": true }]);
        let object = |kind: &str, owners: Value| json!({ "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": "web", "ownerReferences": owners } });
        world.insert(Some("shop"), &object("ReplicaSet", reference("Deployment")));
        let first = OwnerReference {
            api_version: "apps/v1".into(),
            kind: "ReplicaSet".into(),
            name: "web".into(),
            uid: "2".into(),
        };
        assert_eq!(world.owner("shop", &first), Fact::Known(Value::Null));
        world.insert(Some("shop"), &object("Deployment", json!(null)));
        let top = json!({ "kind": "Deployment", "name": "web", "uid": "1", "replicas": 1 });
        assert_eq!(world.owner("shop", &first), Fact::Known(top));
        assert_eq!(world.owner("other", &first), Fact::Known(Value::Null));
        world.insert(Some("shop"), &object("Deployment", reference("ReplicaSet")));
        assert!(matches!(world.owner("shop", &first), Fact::Unknown(_)), "a circle");
    }
}
