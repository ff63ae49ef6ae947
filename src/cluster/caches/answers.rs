//! Facts from what is kept.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use kube::Client;
use serde_json::{Map, Value, json};

use super::resource::Resource;
use super::{Caches, said};
use crate::admission::GroupVersionKind;
use crate::context::{
    ContextSource, Fact, FactKey, Images, Inventory, Keep, Listed, Owner, OwnerReference, Shelf, owner,
    runtime_classes,
};
use crate::kubernetes::label_selector::is_dns_subdomain;
use crate::policy::EXEMPT_LABEL;

/// How many inventories are kept for the next request: one for each set of kinds that a policy declares.
const INVENTORIES: usize = 16;

impl ContextSource for Caches {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        Box::pin(async move {
            let fact = match key {
                FactKey::Namespace(name) => self.namespace(name).await,
                FactKey::Owner { namespace, controller } => self.owner(namespace, controller).await,
                FactKey::Listed(listed, namespace) => listed.of(self, namespace),
                FactKey::RuntimeClasses => runtime_classes(self),
                FactKey::ClusterVersion => self.version(),
                FactKey::Inventory(kinds) => self.inventory(kinds),
                FactKey::Image(_) | FactKey::Signatures(_) => Images::default().fetch(key).await,
            };
            if matches!(fact, Fact::Unknown(_)) {
                self.metrics.fact_missing(name(key));
            }
            fact
        })
    }
}

impl Caches {
    async fn namespace(&self, name: &str) -> Fact {
        let kind = GroupVersionKind::new("", "v1", "Namespace");
        let kept = self.objects(&kind).ok().and_then(|objects| objects.get("", name));
        let namespace = match kept {
            Some(namespace) => namespace,
            None => match self.lookups.get("/api/v1/namespaces", name).await {
                Ok(Some(mut namespace)) => {
                    Keep::Labels.prune(&mut namespace);
                    namespace
                }
                Ok(None) => return Fact::Unknown(format!("there is no namespace `{name}`")),
                Err(why) => return Fact::Unknown(format!("the namespace `{name}` can't be read: {why}")),
            },
        };
        let member = |member: &str| {
            let value = namespace.pointer(&format!("/metadata/{member}")).filter(|value| value.is_object());
            value.cloned().unwrap_or_else(|| Value::Object(Map::new()))
        };
        let mut labels = member("labels");
        // Whether a namespace is exempt was decided by the API server that asks. What is kept here may be older: it must
        // not let off what was sent.
        if let Some(labels) = labels.as_object_mut() {
            labels.remove(EXEMPT_LABEL);
        }
        Fact::Known(json!({ "name": name, "labels": labels, "annotations": member("annotations") }))
    }

    /// From what is kept, with one GET for each owner that a watch has not shown yet.
    async fn owner(&self, namespace: &str, controller: &OwnerReference) -> Fact {
        let mut looked_up: Vec<(OwnerReference, Option<Value>)> = Vec::new();
        loop {
            let mut missing = None;
            let fact = owner(controller, |reference| {
                if let Some((_, found)) = looked_up.iter().find(|(known, _)| known == reference) {
                    return found.clone().map_or(Owner::Absent, Owner::Known);
                }
                let Some(kind) = self.watched(reference) else { return not_watched(reference) };
                match self.workload(&kind, namespace, reference) {
                    Some(workload) => Owner::Known(workload),
                    None => {
                        missing.get_or_insert_with(|| (reference.clone(), kind));
                        Owner::Absent
                    }
                }
            });
            let Some((reference, kind)) = missing else { return fact };
            match self.look_up(namespace, &reference, &kind).await {
                Ok(found) => looked_up.push((reference, found)),
                Err(why) => {
                    return Fact::Unknown(format!(
                        "{} {} can't be read: {why}",
                        reference.kind, reference.name
                    ));
                }
            }
        }
    }

    /// The kind of an owner, in the version in which it is watched.
    fn watched(&self, reference: &OwnerReference) -> Option<GroupVersionKind> {
        let group = reference.api_version.split_once('/').map_or("", |(group, _)| group);
        let is_it = |kind: &&GroupVersionKind| kind.group == group && kind.kind == reference.kind;
        let state = self.lock();
        let all = state.watches.keys().filter(|(_, namespace)| namespace.is_none());
        all.map(|(kind, _)| kind).find(is_it).cloned()
    }

    /// A workload that is kept.
    fn workload(
        &self,
        kind: &GroupVersionKind,
        namespace: &str,
        reference: &OwnerReference,
    ) -> Option<Value> {
        let found = self.objects(kind).ok().and_then(|objects| objects.get(namespace, &reference.name));
        // Another one of the same name took its place.
        let is_same = |object: &Value| {
            let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
            reference.uid.is_empty() || uid == reference.uid
        };
        found.filter(is_same)
    }

    async fn look_up(
        &self,
        namespace: &str,
        reference: &OwnerReference,
        kind: &GroupVersionKind,
    ) -> Result<Option<Value>, String> {
        if !is_dns_subdomain(namespace) {
            return Ok(None);
        }
        let resource = Resource::find(&self.client, kind).await.map_err(|error| said(&error))?;
        let Some(resource) = resource else { return Ok(None) };
        self.lookups.get(&resource.path_in(namespace), &reference.name).await
    }

    fn version(&self) -> Fact {
        match &self.lock().version {
            Some(Ok((major, minor))) => Fact::Known(json!({ "major": major, "minor": minor })),
            Some(Err(why)) => Fact::Unknown(why.clone()),
            None => Fact::Unknown("the version of the API server was not asked for".to_owned()),
        }
    }

    /// The one that was made for an earlier request, unless something changed since.
    fn inventory(&self, kinds: &BTreeSet<GroupVersionKind>) -> Fact {
        let objects = kinds.iter().map(|kind| Ok((kind.clone(), self.declared(kind)?)));
        let objects: Vec<_> = match objects.collect::<Result<_, String>>() {
            Ok(objects) => objects,
            Err(why) => return Fact::Unknown(why),
        };
        let mut state = self.lock();
        if let Some(known) = state.inventories.iter().find(|one| one.is_of(&objects)) {
            return Fact::Inventory(Arc::clone(known));
        }
        let inventory = Arc::new(Inventory::new(objects));
        state.inventories.retain(|one| !one.kinds().eq(kinds));
        state.inventories.truncate(INVENTORIES.saturating_sub(1));
        state.inventories.insert(0, Arc::clone(&inventory));
        Fact::Inventory(inventory)
    }
}

/// The name under `input.context`.
fn name(key: &FactKey) -> &'static str {
    match key {
        FactKey::Namespace(_) => "namespace",
        FactKey::Image(_) | FactKey::Signatures(_) => "images",
        FactKey::Owner { .. } => "owner",
        FactKey::Listed(Listed::Autoscalers, _) => "autoscalers",
        FactKey::Listed(Listed::DisruptionBudgets, _) => "disruption_budgets",
        FactKey::Listed(Listed::LimitRanges, _) => "limit_ranges",
        FactKey::Listed(Listed::Pods, _) => "pods",
        FactKey::Listed(Listed::ResourceQuotas, _) => "resource_quotas",
        FactKey::RuntimeClasses => "runtime_classes",
        FactKey::ClusterVersion => "cluster.version",
        FactKey::Inventory(_) => "inventory",
    }
}

/// Of kinds that are no workloads of Kubernetes' own nothing is known, which is not the same as that there is none.
fn not_watched(reference: &OwnerReference) -> Owner {
    let OwnerReference { api_version, kind, name, .. } = reference;
    Owner::Unknown(format!(
        "the owner {kind} {name} is of a kind that is not watched; add {api_version}/{kind} to the kinds of the policy's `inventory`"
    ))
}

/// The version of the API server; cloud providers write `33+`.
pub(super) async fn version(client: &Client) -> Result<(u64, u64), String> {
    let version = client.apiserver_version().await;
    let version =
        version.map_err(|error| format!("the version of the API server can't be read: {}", said(&error)))?;
    let number =
        |text: &str| -> Option<u64> { text.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok() };
    number(&version.major)
        .zip(number(&version.minor))
        .ok_or_else(|| format!("the API server's version is `{}.{}`", version.major, version.minor))
}
