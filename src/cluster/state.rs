//! The ConfigMap `meshgate-state`: whether the registration was taken back, what was written of it last, and when it had
//! gaps. It belongs to the Deployment, so that a new installation does not find what was said of a former one.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use super::watched::{Presence, Seen, api, resource};
use crate::config::{NAMESPACE, SERVICE};
use crate::registration::{MUTATING, VALIDATING};

const NAME: &str = "meshgate-state";

/// How many gaps are kept.
const GAPS: usize = 100;

/// Of what was written last: mutating, validating.
pub(super) type Fingerprints = [Option<String>; 2];

/// What is written down of an installation.
#[derive(Clone)]
pub(super) struct State {
    maps: Api<ConfigMap>,
    deployments: Api<Deployment>,
    watched: tokio::sync::watch::Receiver<Seen>,
}

impl State {
    /// Watches it.
    pub(super) fn watch(client: &Client) -> Self {
        let kind = resource("", "v1", "ConfigMap", "configmaps");
        let watched = super::watched::watch(api(client, &kind, Some(NAMESPACE)), &kind, NAME);
        Self {
            maps: Api::namespaced(client.clone(), NAMESPACE),
            deployments: Api::namespaced(client.clone(), NAMESPACE),
            watched,
        }
    }

    /// Whether the registration is taken back, for good; None before that is known.
    pub(super) fn is_removed(&self) -> Option<bool> {
        match &self.watched.borrow().shown {
            Presence::Unknown => None,
            Presence::Absent => Some(false),
            Presence::Present(map) => Some(map.pointer("/data/registration") == Some(&json!("removed"))),
        }
    }

    /// Takes what was said of a former installation away: its Deployment is not the one that there is now, or it had none.
    /// Gives the fingerprints of what earlier leaders of this one wrote last: mutating, validating.
    pub(super) async fn renew(&self) -> Result<Fingerprints, kube::Error> {
        let Some(map) = self.maps.get_opt(NAME).await? else { return Ok(Fingerprints::default()) };
        let data = map.data.unwrap_or_default();
        let written = [MUTATING, VALIDATING].map(|name| data.get(&written(name)).cloned());
        let Some(ours) = self.deployment().await? else { return Ok(written) };
        if map.metadata.owner_references.iter().flatten().any(|owner| owner.uid == ours) {
            return Ok(written);
        }
        let data = of_registration(None);
        self.merge(&json!({ "metadata": owners(Some(&ours)), "data": data })).await?;
        Ok(Fingerprints::default())
    }

    /// Says that the registration is taken back.
    pub(super) async fn remove(&self) -> Result<(), kube::Error> {
        self.write(of_registration(Some("removed"))).await
    }

    /// Says what was written of a configuration last.
    pub(super) async fn wrote(&self, name: &str, fingerprint: &str) -> Result<(), kube::Error> {
        self.write(json!({ written(name): fingerprint })).await
    }

    /// Says no longer that it is.
    pub(super) async fn restore(&self) -> Result<(), kube::Error> {
        match self.maps.get_opt(NAME).await? {
            Some(_) => self.merge(&json!({ "data": { "registration": null } })).await,
            None => Ok(()),
        }
    }

    /// Says that from a moment to another not all was sent that should have been.
    pub(super) async fn record(&self, gap: &Value) -> Result<(), kube::Error> {
        // Asked for, because the watch may not have shown the last one yet.
        let text = self.maps.get_opt(NAME).await?.and_then(|map| map.data?.remove("gaps"));
        let mut gaps: Vec<Value> = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        gaps.push(gap.clone());
        let last = gaps.split_off(gaps.len().saturating_sub(GAPS));
        self.write(json!({ "gaps": Value::Array(last).to_string() })).await
    }

    /// The Deployment's uid; None where there is none.
    pub(super) async fn deployment(&self) -> Result<Option<String>, kube::Error> {
        Ok(self.deployments.get_opt(SERVICE).await?.and_then(|found| found.metadata.uid))
    }

    /// Writes members of its data; null: takes one away.
    async fn write(&self, mut data: Value) -> Result<(), kube::Error> {
        if self.maps.get_opt(NAME).await?.is_some() {
            return self.merge(&json!({ "data": data })).await;
        }
        if let Some(members) = data.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        let mut metadata = owners(self.deployment().await?.as_deref());
        if let Some(members) = metadata.as_object_mut() {
            members.insert("name".to_owned(), NAME.into());
        }
        let map = serde_json::from_value(json!({ "metadata": metadata, "data": data }));
        let map = map.map_err(kube::Error::SerdeError)?;
        self.maps.create(&PostParams::default(), &map).await.map(drop)
    }

    async fn merge(&self, patch: &Value) -> Result<(), kube::Error> {
        self.maps.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)
    }
}

/// The key of what was written of a configuration.
fn written(name: &str) -> String {
    format!("written.{name}")
}

/// What is said of the registration, and nothing of what was written of an earlier one.
fn of_registration(said: Option<&str>) -> Value {
    json!({ "registration": said, written(MUTATING): null, written(VALIDATING): null })
}

fn owners(deployment: Option<&str>) -> Value {
    let owner = |uid| json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": SERVICE, "uid": uid });
    json!({ "ownerReferences": deployment.map(owner).into_iter().collect::<Vec<_>>() })
}
