//! What a cluster would know, taken from Kubernetes objects: the ContextSource of the dry run, and of a server without
//! a cluster.

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::facts::{Fact, FactKey, OwnerReference};
use super::images::Images;
use super::inventory::Inventory;
use super::listed::{Shelf, runtime_classes};
use super::objects::{Keep, Names, Objects};
use super::owners::{self, Owner};
use super::source::ContextSource;
use crate::admission::GroupVersionKind;
use crate::kubernetes::kinds;

/// Objects that are known.
#[derive(Clone, Debug)]
pub struct World {
    objects: BTreeMap<GroupVersionKind, Arc<Objects>>,
    namespaces: BTreeMap<String, Value>,
    others: Others,
    /// Labels of every namespace that does not say otherwise.
    labels: BTreeMap<String, String>,
    version: (u64, u64),
    images: Images,
}

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
        let (objects, namespaces) = (BTreeMap::new(), BTreeMap::new());
        let (labels, images) = (BTreeMap::new(), Images::default());
        Self { objects, namespaces, others, labels, version: kinds::NEWEST, images }
    }

    /// With somebody who can be asked about images.
    #[must_use]
    pub fn with_images(self, images: Images) -> Self {
        Self { images, ..self }
    }

    /// Gives every namespace a label that has none of this name.
    #[must_use]
    pub fn with_label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Of a cluster of that version, major and minor.
    #[must_use]
    pub fn of_version(self, version: (u64, u64)) -> Self {
        Self { version, ..self }
    }

    /// Adds an object, or replaces it; labels and annotations of a Namespace that is known are added to, as `kubectl
    /// apply` does. `namespace` is where the object is, for those that have one.
    pub fn insert(&mut self, namespace: Option<&str>, object: &Value) {
        let mut object = object.clone();
        served_as(&mut object);
        Keep::Whole.prune(&mut object);
        let (kind, name) = (kind_of(&object), name_of(&object));
        if (kind.group.as_str(), kind.kind.as_str()) != ("", "Namespace") {
            return put(&mut self.objects, kind, namespace.unwrap_or_default(), &name, &object);
        }
        let known = self.namespaces.entry(name.clone()).or_insert_with(|| json!({}));
        let merged = ["labels", "annotations"].map(|member| {
            let mut all = map(known, member);
            all.extend(map(object.get("metadata").unwrap_or(&Value::Null), member));
            all
        });
        let [labels, annotations] = merged;
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            for (member, values) in [("labels", &labels), ("annotations", &annotations)] {
                if !values.is_empty() {
                    metadata.insert(member.to_owned(), Value::Object(values.clone()));
                }
            }
        }
        *known = json!({ "labels": labels, "annotations": annotations });
        put(&mut self.objects, kind, "", &name, &object);
    }

    /// Whether a namespace is not known and taken as freshly made.
    pub fn assumes(&self, namespace: &str) -> bool {
        self.others == Others::Fresh && !self.namespaces.contains_key(namespace)
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

    /// The workload at the top; `beside` is what is known, too, where this world knows nothing.
    pub(super) fn owner(&self, namespace: &str, first: &OwnerReference, beside: Option<&Self>) -> Fact {
        owners::owner(first, |reference| {
            let (group, kind) = (group(&reference.api_version), reference.kind.as_str());
            // A workload stays the same whatever version it is read in.
            let is_it = |of: &GroupVersionKind| of.group == group && of.kind == kind;
            let all = std::iter::once(self).chain(beside).flat_map(|world| &world.objects);
            let mut found = all
                .filter(|(of, _)| is_it(of))
                .filter_map(|(_, objects)| objects.get(namespace, &reference.name));
            found.next().map_or(Owner::Absent, Owner::Known)
        })
    }

    fn inventory(&self, kinds: impl Iterator<Item = GroupVersionKind>) -> Fact {
        let all = kinds.map(|kind| self.objects(&kind).map(|objects| (kind, objects)));
        all.collect::<Result<_, _>>()
            .map_or_else(Fact::Unknown, |kinds| Fact::Inventory(Arc::new(Inventory::new(kinds))))
    }
}

impl Shelf for World {
    fn objects(&self, kind: &GroupVersionKind) -> Result<Arc<Objects>, String> {
        self.told(kind, None)
    }

    fn objects_of(&self, kind: &GroupVersionKind, namespace: &str) -> Result<Arc<Objects>, String> {
        self.told(kind, Some(namespace))
    }
}

impl World {
    /// Those of a kind. No API server converts what stands in files: one in another version, in that namespace or
    /// anywhere, is an error.
    fn told(&self, kind: &GroupVersionKind, within: Option<&str>) -> Result<Arc<Objects>, String> {
        let is_other = |of: &GroupVersionKind| {
            of.group == kind.group && of.kind == kind.kind && of.version != kind.version
        };
        let named = |(namespace, names): (&str, &Arc<Names>)| {
            let name = names.iter().next().map(|(name, _)| name.to_owned())?;
            Some(if namespace.is_empty() { name } else { format!("{namespace}/{name}") })
        };
        let mut others = self.objects.iter().filter(|(of, _)| is_other(of));
        let other = others.find_map(|(other, objects)| {
            let mut namespaces = objects.namespaces().filter(|(name, _)| within.is_none_or(|of| of == *name));
            Some((other, namespaces.find_map(named)?))
        });
        if let Some((other, name)) = other {
            let (given, read) = (other.api_version(), kind.api_version());
            return Err(format!(
                "the {} {name} is given in {given} and read in {read}; write it in {read}, as the API server would give it",
                kind.kind
            ));
        }
        Ok(self.objects.get(kind).cloned().unwrap_or_default())
    }
}

impl ContextSource for World {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let fact = match key {
            FactKey::Namespace(name) => self.namespace(name),
            FactKey::Image(_) | FactKey::Signatures(_) => return self.images.fetch(key),
            FactKey::Owner { namespace, controller } => self.owner(namespace, controller, None),
            FactKey::Listed(listed, namespace) => listed.of(self, namespace),
            FactKey::RuntimeClasses => runtime_classes(self),
            FactKey::ClusterVersion => {
                let (major, minor) = self.version;
                Fact::Known(json!({ "major": major, "minor": minor }))
            }
            FactKey::Inventory(kinds) => self.inventory(kinds.iter().cloned()),
        };
        Box::pin(ready(fact))
    }
}

/// Puts an object in the place of the one of its name, in whatever version that is.
fn put(
    all: &mut BTreeMap<GroupVersionKind, Arc<Objects>>,
    kind: GroupVersionKind,
    namespace: &str,
    name: &str,
    object: &Value,
) {
    for (of, objects) in all.iter_mut().filter(|(of, _)| of.group == kind.group && of.kind == kind.kind) {
        if *of != kind {
            Arc::make_mut(objects).remove(namespace, name);
        }
    }
    Arc::make_mut(all.entry(kind).or_default()).insert(namespace, name, object);
}

fn kind_of(object: &Value) -> GroupVersionKind {
    let text = |member: &str| object.get(member).and_then(Value::as_str).unwrap_or_default();
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
    GroupVersionKind::new(group, version, text("kind"))
}

/// Writes an object in the version that took its own's place, where the two differ in nothing that the object has: what an
/// API server that had served both would give. Kubernetes' guide of deprecated APIs tells of each version what is new in
/// its successor: of these nothing, but that an empty selector of a budget selected no Pods and selects all.
fn served_as(object: &mut Value) {
    let of = kind_of(object);
    let is_bounded =
        || object.pointer("/spec/selector").and_then(Value::as_object).is_none_or(|all| !all.is_empty());
    let served = match (of.api_version().as_str(), of.kind.as_str()) {
        ("policy/v1beta1", "PodDisruptionBudget") if is_bounded() => "policy/v1",
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler") => "autoscaling/v2",
        ("batch/v1beta1", "CronJob") => "batch/v1",
        _ => return,
    };
    if let Some(version) = object.get_mut("apiVersion") {
        *version = Value::from(served);
    }
}

/// The name, or what the API server would begin it with.
fn name_of(object: &Value) -> String {
    let text = |member: &str| {
        object.get("metadata").and_then(|metadata| metadata.get(member)).and_then(Value::as_str)
    };
    text("name").filter(|name| !name.is_empty()).or(text("generateName")).unwrap_or_default().to_owned()
}

/// A member of metadata that is an object; empty where it is not.
fn map(metadata: &Value, member: &str) -> Map<String, Value> {
    metadata.get(member).and_then(Value::as_object).cloned().unwrap_or_default()
}

/// The API group of an apiVersion.
fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_its_version_only_is_written_in_the_one_that_is_served() {
        let budget = |selector: Value| json!({ "apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "spec": { "selector": selector } });
        let of = |api_version: &str, kind: &str| json!({ "apiVersion": api_version, "kind": kind });
        let rows = [
            (budget(json!({ "matchLabels": { "app": "a" } })), "policy/v1"),
            (budget(Value::Null), "policy/v1"),
            (budget(json!({})), "policy/v1beta1"),
            (of("autoscaling/v2beta2", "HorizontalPodAutoscaler"), "autoscaling/v2"),
            (of("autoscaling/v2beta1", "HorizontalPodAutoscaler"), "autoscaling/v2beta1"),
            (of("batch/v1beta1", "CronJob"), "batch/v1"),
            (of("networking.k8s.io/v1beta1", "Ingress"), "networking.k8s.io/v1beta1"),
            (of("policy/v1beta1", "PodSecurityPolicy"), "policy/v1beta1"),
        ];
        for (given, expected) in rows {
            let mut object = given.clone();
            served_as(&mut object);
            assert_eq!(object["apiVersion"], expected, "{given}");
            object["apiVersion"] = given["apiVersion"].clone();
            assert_eq!(object, given);
        }
    }

    fn known(fact: Fact) -> Value {
        fact.known().unwrap()
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
        assert!(!world.assumes("shop") && !world.assumes("other"));
        assert!(matches!(world.namespace("other"), Fact::Unknown(_)));
    }

    #[test]
    fn a_fresh_namespace_has_the_labels_of_all() {
        let world = World::new(Others::Fresh).with_label("meshgate.io/mode", "deny");
        assert!(world.assumes("shop"));
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
        assert_eq!(world.owner("shop", &first, None), Fact::Known(Value::Null));
        world.insert(Some("shop"), &object("Deployment", json!(null)));
        let top = json!({ "kind": "Deployment", "name": "web", "uid": "1", "replicas": 1 });
        assert_eq!(world.owner("shop", &first, None), Fact::Known(top));
        assert_eq!(world.owner("other", &first, None), Fact::Known(Value::Null));
        world.insert(Some("shop"), &object("Deployment", reference("ReplicaSet")));
        assert!(matches!(world.owner("shop", &first, None), Fact::Unknown(_)), "a circle");
    }
}
