//! The fact `owner`: the workload at the top of a chain of controllers.

use serde_json::{Value, json};

use super::facts::{Fact, OwnerReference};

/// How many owners stand above each other at most: Pod, Job, CronJob, and what operators add.
const OWNERS: usize = 16;

/// What is known of an owner.
pub enum Owner {
    /// It is there: the object, or as much as [`Keep::Owner`](super::Keep) keeps of it.
    Known(Value),
    /// There is no such thing.
    Absent,
    /// It could not be learnt, and why.
    Unknown(String),
}

/// Follows controllers upwards from `first`. Null where one of them is not there.
pub fn owner(first: &OwnerReference, mut look: impl FnMut(&OwnerReference) -> Owner) -> Fact {
    let mut reference = first.clone();
    for _ in 0..OWNERS {
        let workload = match look(&reference) {
            Owner::Known(workload) => workload,
            Owner::Absent => return Fact::Known(Value::Null),
            Owner::Unknown(why) => return Fact::Unknown(why),
        };
        let OwnerReference { kind, name, uid, .. } = reference;
        match OwnerReference::controller_of(&workload) {
            Ok(Some(above)) => reference = above,
            Ok(None) => {
                let uid = workload.pointer("/metadata/uid").cloned().unwrap_or(Value::from(uid));
                let replicas = replicas(&kind, &workload);
                return Fact::Known(json!({ "kind": kind, "name": name, "uid": uid, "replicas": replicas }));
            }
            Err(why) => return Fact::Unknown(format!("{kind} {name}: {why}")),
        }
    }
    Fact::Unknown(format!("more than {OWNERS} owners above each other, or a circle"))
}

/// `spec.replicas`; where a kind has that field, its default is 1.
fn replicas(kind: &str, workload: &Value) -> Value {
    match workload.pointer("/spec/replicas") {
        Some(replicas) if !replicas.is_null() => replicas.clone(),
        _ if matches!(kind, "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController") => {
            Value::from(1)
        }
        _ => Value::Null,
    }
}
