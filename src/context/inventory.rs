//! The fact `inventory`: objects of the kinds that a policy declares, in the shape of Gatekeeper's `data.inventory`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::objects::{Made, Names, Objects};
use crate::admission::GroupVersionKind;

/// All objects of some kinds. Shared by all requests, because it may be large.
#[derive(Debug)]
pub struct Inventory {
    kinds: Vec<(GroupVersionKind, Arc<Objects>)>,
    /// For whoever reads it often.
    pub made: Made,
}

impl Inventory {
    /// Of these kinds.
    pub fn new(kinds: Vec<(GroupVersionKind, Arc<Objects>)>) -> Self {
        Self { kinds, made: Made::default() }
    }

    /// Its kinds.
    pub fn kinds(&self) -> impl Iterator<Item = &GroupVersionKind> {
        self.kinds.iter().map(|(kind, _)| kind)
    }

    /// Whether it is of the very same objects.
    pub fn is_of(&self, kinds: &[(GroupVersionKind, Arc<Objects>)]) -> bool {
        self.kinds.len() == kinds.len()
            && self
                .kinds
                .iter()
                .zip(kinds)
                .all(|((kind, objects), (other, others))| kind == other && Arc::ptr_eq(objects, others))
    }

    /// Those of each namespace by apiVersion and kind; those of the cluster under the empty name.
    pub fn namespaces(&self) -> BTreeMap<&str, BTreeMap<String, BTreeMap<&str, &Names>>> {
        let mut all: BTreeMap<&str, BTreeMap<String, BTreeMap<&str, &Names>>> = BTreeMap::new();
        for (kind, objects) in &self.kinds {
            let api_version = kind.api_version();
            for (namespace, names) in objects.namespaces() {
                let by_kind = all.entry(namespace).or_default();
                by_kind.entry(api_version.clone()).or_default().insert(kind.kind.as_str(), names);
            }
        }
        all
    }

    /// As one value: `cluster/<apiVersion>/<kind>/<name>` and `namespace/<namespace>/<apiVersion>/<kind>/<name>`
    /// (open-policy-agent/gatekeeper, pkg/target, ProcessData); `{}` where there is nothing.
    pub fn value(&self) -> Value {
        let (mut cluster, mut namespaces) = (None, Map::new());
        for (namespace, by_kind) in self.namespaces() {
            let value: Map<String, Value> =
                by_kind.into_iter().map(|(version, kinds)| (version, of_version(&kinds))).collect();
            if namespace.is_empty() {
                cluster = Some(Value::Object(value));
            } else {
                namespaces.insert(namespace.to_owned(), Value::Object(value));
            }
        }
        let namespaces = (!namespaces.is_empty()).then_some(Value::Object(namespaces));
        let members = [("cluster", cluster), ("namespace", namespaces)];
        members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

fn of_version(kinds: &BTreeMap<&str, &Names>) -> Value {
    let names = |names: &Names| -> Value {
        names.iter().map(|(name, object)| (name.to_owned(), object.value())).collect()
    };
    kinds.iter().map(|(kind, objects)| ((*kind).to_owned(), names(objects))).collect()
}

/// What it says, not how it came to be.
impl PartialEq for Inventory {
    fn eq(&self, other: &Self) -> bool {
        self.value() == other.value()
    }
}
