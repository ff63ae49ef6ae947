//! What a cluster would know, taken from manifests: the ContextSource of the dry run, and of a server without a
//! cluster.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;

use serde_json::{Map, Value, json};

use crate::context::{ContextSource, Fact, FactKey, OwnerReference};
use crate::policy::Mode;

/// How many owners stand above each other at most: Pod, Job, CronJob, and what operators add.
const OWNERS: usize = 16;

/// Namespaces and workloads that are known. A namespace that is not known is taken as freshly made.
#[derive(Clone, Debug, Default)]
pub struct World {
    namespaces: BTreeMap<String, Value>,
    workloads: BTreeMap<WorkloadKey, Value>,
    mode: Option<Mode>,
}

/// Namespace, API group, kind, name.
type WorkloadKey = (String, String, String, String);

impl World {
    /// Knows nothing yet. `mode`: the mode of namespaces that are not known; None: they say nothing.
    pub fn new(mode: Option<Mode>) -> Self {
        Self { mode, ..Self::default() }
    }

    /// Adds an object, or replaces it. `namespace` is where it is, for those that have one.
    pub fn insert(&mut self, namespace: Option<&str>, object: &Value) {
        let text =
            |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind, name) = (text("/apiVersion"), text("/kind"), text("/metadata/name"));
        if (api_version.as_str(), kind.as_str()) == ("v1", "Namespace") {
            self.namespaces.insert(name, object.get("metadata").cloned().unwrap_or_default());
        } else if let Some(namespace) = namespace {
            let metadata = object.get("metadata").cloned().unwrap_or_default();
            let replicas = object.pointer("/spec/replicas").cloned().unwrap_or_default();
            let known = json!({ "metadata": metadata, "replicas": replicas });
            self.workloads.insert((namespace.to_owned(), group(&api_version).to_owned(), kind, name), known);
        }
    }

    /// Whether a namespace is not known.
    pub fn assumes(&self, namespace: &str) -> bool {
        !self.namespaces.contains_key(namespace)
    }

    /// `{name, labels, annotations}`, with the label that the API server gives every namespace.
    fn namespace(&self, name: &str) -> Value {
        let metadata = self.namespaces.get(name);
        let member = |member: &str| -> Map<String, Value> {
            metadata
                .and_then(|metadata| metadata.get(member))
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let mut labels = member("labels");
        labels.insert("kubernetes.io/metadata.name".to_owned(), Value::from(name));
        if let (None, Some(mode)) = (metadata, self.mode) {
            labels.insert("meshgate.io/mode".to_owned(), json!(mode));
        }
        json!({ "name": name, "labels": labels, "annotations": member("annotations") })
    }

    /// The workload at the top: follows controllers upwards; null where one is not known.
    fn owner(&self, namespace: &str, first: &OwnerReference) -> Fact {
        let mut reference = first.clone();
        for _ in 0..OWNERS {
            let OwnerReference { api_version, kind, name, uid } = reference;
            let key = (namespace.to_owned(), group(&api_version).to_owned(), kind.clone(), name.clone());
            let Some(workload) = self.workloads.get(&key) else { return Fact::Known(Value::Null) };
            match controller(workload) {
                Some(above) => reference = above,
                None => {
                    let uid = workload.pointer("/metadata/uid").cloned().unwrap_or(Value::from(uid));
                    let replicas = replicas(&kind, workload);
                    return Fact::Known(
                        json!({ "kind": kind, "name": name, "uid": uid, "replicas": replicas }),
                    );
                }
            }
        }
        Fact::Unknown(format!("more than {OWNERS} owners above each other, or a circle"))
    }
}

impl ContextSource for World {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let fact = match key {
            FactKey::Namespace(name) => Fact::Known(self.namespace(name)),
            FactKey::Owner { namespace, controller } => self.owner(namespace, controller),
        };
        Box::pin(ready(fact))
    }
}

/// The API group of an apiVersion; a workload stays the same whatever version it is read in.
fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

fn controller(workload: &Value) -> Option<OwnerReference> {
    let references = workload.pointer("/metadata/ownerReferences")?.as_array()?;
    let controller =
        references.iter().find(|reference| reference.get("controller") == Some(&Value::Bool(true)))?;
    let text = |name: &str| controller.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(OwnerReference {
        api_version: text("apiVersion"),
        kind: text("kind"),
        name: text("name"),
        uid: text("uid"),
    })
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
