//! Kubernetes objects that are kept: those of one kind, by namespace and name, without what no fact reads. Files and
//! watches fill the same store, so that equal objects give equal facts.
//!
//! An object is kept as JSON text, a third of what its tree takes. Who reads it often keeps what he made of it beside it
//! ([`Made`]); whatever is changed is a new object.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use super::pods;

/// kubectl's copy of what was applied: the object a second time.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What an object and its place in a map take beside the text, in bytes: two strings, two counters, the slot.
const OVERHEAD: usize = 200;

/// How much of an object is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keep {
    /// `metadata` with name, namespace, labels and annotations.
    Labels,
    /// What a chain of owners hangs on: `metadata` with name, namespace, uid and ownerReferences; `spec.replicas`.
    Owner,
    /// What the fact `pods` tells of a Pod.
    Pod,
    /// What tells which sidecars a node runs: `metadata` with its name, `status.nodeInfo.kubeletVersion`.
    Node,
    /// All but managedFields and kubectl's copy of the object.
    Whole,
}

impl Keep {
    /// What is enough for both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Whole }
    }

    /// Takes out what is not kept.
    pub fn prune(self, object: &mut Value) {
        match self {
            Self::Whole => whole(object),
            Self::Pod => *object = pods::pruned(object),
            Self::Node => {
                let version = object.pointer("/status/nodeInfo/kubeletVersion").cloned();
                *object = part(object, &["name"], None);
                if let Some(members) = object.as_object_mut() {
                    members.insert("status".to_owned(), json!({ "nodeInfo": { "kubeletVersion": version } }));
                }
            }
            Self::Labels => *object = part(object, &["name", "namespace", "labels", "annotations"], None),
            Self::Owner => {
                let replicas = object.pointer("/spec/replicas").filter(|value| !value.is_null()).cloned();
                *object = part(object, &["name", "namespace", "uid", "ownerReferences"], replicas);
            }
        }
    }
}

fn whole(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.remove("managedFields");
    let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
    if annotations.remove(LAST_APPLIED).is_some() && annotations.is_empty() {
        metadata.remove("annotations");
    }
}

fn part(object: &Value, members: &[&str], replicas: Option<Value>) -> Value {
    let metadata = object.get("metadata");
    let member = |name: &&str| Some(((*name).to_owned(), metadata?.get(*name)?.clone()));
    let metadata: Map<String, Value> = members.iter().filter_map(member).collect();
    let mut kept = json!({ "metadata": metadata });
    if let (Some(replicas), Some(kept)) = (replicas, kept.as_object_mut()) {
        kept.insert("spec".to_owned(), json!({ "replicas": replicas }));
    }
    whole(&mut kept);
    kept
}

/// What somebody made of the value beside which it stands: the first to ask makes it.
#[derive(Default)]
pub struct Made(OnceLock<Box<dyn Any + Send + Sync>>);

impl Made {
    /// What was made, made now if nothing was yet, or something of another type.
    pub fn or_make<T: Clone + Send + Sync + 'static>(&self, make: impl Fn() -> T) -> T {
        let made = self.0.get_or_init(|| Box::new(make()));
        made.downcast_ref::<T>().cloned().unwrap_or_else(make)
    }
}

/// A clone is a value of its own.
impl Clone for Made {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Made")
    }
}

/// An object that is kept.
#[derive(Clone, Debug)]
pub struct Stored {
    text: Box<str>,
    /// For whoever reads it often.
    pub made: Made,
}

impl Stored {
    fn new(object: &Value) -> Self {
        Self { text: object.to_string().into(), made: Made::default() }
    }

    /// The object.
    pub fn value(&self) -> Value {
        // What was written as JSON can be read as JSON.
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// The objects of a kind in one namespace, by name.
#[derive(Clone, Debug, Default)]
pub struct Names {
    objects: BTreeMap<Arc<str>, Arc<Stored>>,
    /// For whoever reads it often.
    pub made: Made,
}

impl Names {
    /// The objects by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Stored)> {
        self.objects.iter().map(|(name, object)| (&**name, &**object))
    }
}

/// The objects of a kind. Cloning is cheap: they are shared.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    namespaces: BTreeMap<Arc<str>, Arc<Names>>,
    bytes: usize,
}

impl Objects {
    /// Adds an object, which is pruned, or takes it in the place of the one that is there. `namespace` is empty for
    /// objects of the cluster.
    pub fn insert(&mut self, namespace: &str, name: &str, object: &Value) {
        self.remove(namespace, name);
        let stored = Stored::new(object);
        self.bytes = self.bytes.saturating_add(size(name, &stored));
        let names = match self.namespaces.get_mut(namespace) {
            Some(names) => names,
            None => self.namespaces.entry(Arc::from(namespace)).or_default(),
        };
        let names = Arc::make_mut(names);
        names.made = Made::default();
        names.objects.insert(Arc::from(name), Arc::new(stored));
    }

    /// Takes an object out.
    pub fn remove(&mut self, namespace: &str, name: &str) {
        let Some(names) = self.namespaces.get_mut(namespace) else { return };
        if !names.objects.contains_key(name) {
            return;
        }
        let names = Arc::make_mut(names);
        names.made = Made::default();
        if let Some(stored) = names.objects.remove(name) {
            self.bytes = self.bytes.saturating_sub(size(name, &stored));
        }
        if names.objects.is_empty() {
            self.namespaces.remove(namespace);
        }
    }

    /// Whether an object is there as it is.
    pub fn holds(&self, namespace: &str, name: &str, object: &Value) -> bool {
        let stored = self.namespaces.get(namespace).and_then(|names| names.objects.get(name));
        stored.is_some_and(|stored| *stored.text == *object.to_string())
    }

    /// An object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Value> {
        self.namespaces.get(namespace)?.objects.get(name).map(|object| object.value())
    }

    /// Those of a namespace, in the order of their names.
    pub fn of(&self, namespace: &str) -> Vec<Value> {
        let names = self.namespaces.get(namespace);
        names.into_iter().flat_map(|names| names.iter()).map(|(_, object)| object.value()).collect()
    }

    /// Those of each namespace; those of the cluster under the empty name.
    pub fn namespaces(&self) -> impl Iterator<Item = (&str, &Arc<Names>)> {
        self.namespaces.iter().map(|(namespace, names)| (&**namespace, names))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.namespaces.values().map(|names| names.objects.len()).sum()
    }

    /// What they take in memory, estimated.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(name: &str, stored: &Stored) -> usize {
    stored.text.len().saturating_add(name.len()).saturating_add(OVERHEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": "web", "namespace": "shop", "uid": "1", "resourceVersion": "7", "managedFields": [{}],
                "annotations": { LAST_APPLIED: "{}" }, "ownerReferences": [{ "name": "web" }],
            },
            "spec": { "replicas": 3, "template": {} },
        })
    }

    #[test]
    fn what_is_kept_is_what_facts_read() {
        let kept = |keep: Keep| {
            let mut object = sample();
            keep.prune(&mut object);
            object
        };
        assert_eq!(kept(Keep::Labels), json!({ "metadata": { "name": "web", "namespace": "shop" } }));
        let owner =
            json!({ "name": "web", "namespace": "shop", "uid": "1", "ownerReferences": [{ "name": "web" }] });
        assert_eq!(kept(Keep::Owner), json!({ "metadata": owner, "spec": { "replicas": 3 } }));
        let mut whole = sample();
        let metadata = whole["metadata"].as_object_mut().unwrap();
        metadata.remove("managedFields");
        metadata.remove("annotations");
        assert_eq!(kept(Keep::Whole), whole);
    }

    #[test]
    fn objects_come_and_go_and_are_counted() {
        let mut objects = Objects::default();
        objects.insert("shop", "web", &sample());
        let (one, before) = (objects.bytes(), objects.clone());
        objects.insert("shop", "web", &sample());
        objects.insert("", "web", &sample());
        assert_eq!((objects.count(), objects.bytes()), (2, one * 2));
        assert_eq!(objects.get("shop", "web"), Some(sample()));
        objects.remove("shop", "web");
        objects.remove("shop", "other");
        assert_eq!((objects.of("shop"), objects.bytes()), (Vec::new(), one));
        assert_eq!(before.of("shop"), [sample()], "what was read stays what it was");
    }

    #[test]
    fn what_was_made_is_made_again_after_a_change() {
        let mut objects = Objects::default();
        objects.insert("shop", "web", &sample());
        let made = |objects: &Objects, n: usize| objects.namespaces().next().unwrap().1.made.or_make(|| n);
        assert_eq!((made(&objects, 1), made(&objects, 2)), (1, 1));
        objects.insert("shop", "api", &sample());
        assert_eq!(made(&objects, 3), 3);
        objects.remove("shop", "api");
        assert_eq!(made(&objects, 4), 4);
    }
}
