//! Facts that are lists of objects: those of a namespace, and what a cluster has beside. Pure: the dry run computes them
//! from files and the cluster's caches from what they watch, by this code.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::facts::Fact;
use super::objects::Objects;
use super::pods::pods;
use crate::admission::GroupVersionKind;

/// A fact that lists objects of the request's namespace, as they are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Listed {
    /// HorizontalPodAutoscalers, VerticalPodAutoscalers and ScaledObjects.
    Autoscalers,
    /// PodDisruptionBudgets.
    DisruptionBudgets,
    /// LimitRanges.
    LimitRanges,
    /// Pods, told as [`pods`](pods()) does.
    Pods,
    /// ResourceQuotas.
    ResourceQuotas,
}

/// Whoever has objects: files, or watches.
pub trait Shelf {
    /// All objects of a kind; none where the world has no such kind.
    ///
    /// # Errors
    /// Why they can't be told: a fact in error.
    fn objects(&self, kind: &GroupVersionKind) -> Result<Arc<Objects>, String>;

    /// The same, asked for those of one namespace: what keeps others from being told is no error.
    ///
    /// # Errors
    /// Why those of the namespace can't be told.
    fn objects_of(&self, kind: &GroupVersionKind, _namespace: &str) -> Result<Arc<Objects>, String> {
        self.objects(kind)
    }
}

impl Listed {
    /// The kinds that it lists, in the version in which it lists them.
    pub fn kinds(self) -> Vec<GroupVersionKind> {
        let kinds: &[(&str, &str, &str)] = match self {
            Self::Autoscalers => &[
                ("autoscaling", "v2", "HorizontalPodAutoscaler"),
                ("autoscaling.k8s.io", "v1", "VerticalPodAutoscaler"),
                ("keda.sh", "v1alpha1", "ScaledObject"),
            ],
            Self::DisruptionBudgets => &[("policy", "v1", "PodDisruptionBudget")],
            Self::LimitRanges => &[("", "v1", "LimitRange")],
            Self::Pods => &[("", "v1", "Pod")],
            Self::ResourceQuotas => &[("", "v1", "ResourceQuota")],
        };
        kinds.iter().map(|(group, version, kind)| GroupVersionKind::new(*group, *version, *kind)).collect()
    }

    /// Those in `namespace`, kind by kind, in the order of their names.
    pub fn of(self, shelf: &dyn Shelf, namespace: &str) -> Fact {
        let mut all = Vec::new();
        for kind in self.kinds() {
            match shelf.objects_of(&kind, namespace) {
                Ok(objects) => all.extend(objects.of(namespace)),
                Err(why) => return Fact::Unknown(why),
            }
        }
        Fact::Known(if self == Self::Pods { pods(&all) } else { Value::Array(all) })
    }
}

/// The kind of the fact `runtime_classes`.
pub fn runtime_class() -> GroupVersionKind {
    GroupVersionKind::new("node.k8s.io", "v1", "RuntimeClass")
}

/// The overhead of each RuntimeClass by its name: `overhead.podFixed`, `{}` where it has none.
pub fn runtime_classes(shelf: &dyn Shelf) -> Fact {
    let objects = match shelf.objects(&runtime_class()) {
        Ok(objects) => objects,
        Err(why) => return Fact::Unknown(why),
    };
    let overhead = |object: Value| {
        let name = object.pointer("/metadata/name").and_then(Value::as_str)?.to_owned();
        let overhead = object.pointer("/overhead/podFixed").filter(|value| !value.is_null()).cloned();
        Some((name, overhead.unwrap_or_else(|| json!({}))))
    };
    Fact::Known(Value::Object(objects.of("").into_iter().filter_map(overhead).collect::<Map<_, _>>()))
}
