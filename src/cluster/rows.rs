//! The ConfigMap `meshgate-bundle`: what each replica has in force, a key each, what all of them have, and the commit
//! accepted last. `kubectl wait --for=jsonpath` works on it. Each replica writes its own row; what concerns all is only
//! written over what was shown, so that nothing of somebody else is lost. Admission never asks it.

mod archive;
mod row;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::connection::Connection;
use super::pace::Pace;
use super::watched::{self, Presence, Seen, api, resource};
use crate::activation::Status;
use crate::config::{NAMESPACE, SERVICE};
use crate::delivery::{self, Board, REPLICA, Shown};
pub use row::Row;
use told::Everywhere;
pub use told::{Told, ToldError};

/// The ConfigMap.
const NAME: &str = "meshgate-bundle";

/// Who says with what it goes, whichever replica does.
const MANAGER: &str = "meshgate";

/// How long one write may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// After a write that failed.
const RETRY: Duration = Duration::from_secs(1);

/// How long a watch may be interrupted before what it showed counts as old: what is waited between tries (kube,
/// runtime/watcher, DefaultBackoff, 30 s), and some air.
const OLD: Duration = Duration::from_secs(45);

/// This replica's row, and what it is shown of the others.
pub struct Rows {
    maps: Api<ConfigMap>,
    deployments: Api<Deployment>,
    /// The key of this replica's row.
    key: String,
    shown: watch::Receiver<Shown>,
    tasks: Vec<JoinHandle<()>>,
}

impl Rows {
    /// Begins to tell what is in force here. `name`: the replica's, also after its container was restarted; `changes`: what
    /// is in force.
    pub fn start(
        connection: &Connection,
        name: &str,
        changes: watch::Receiver<Status>,
        pace: &Pace,
    ) -> Arc<Self> {
        let client = connection.client();
        let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
        let deployments = Api::namespaced(client.clone(), NAMESPACE);
        let key = format!("{REPLICA}{name}");
        let (sender, shown) = watch::channel(Shown::default());
        let tasks = vec![
            tokio::spawn(show(observed(&client), sender)),
            tokio::spawn(tell(client, key.clone(), changes, pace.rows)),
            tokio::spawn(sum(maps.clone(), key.clone(), shown.clone(), *pace)),
        ];
        Arc::new(Self { maps, deployments, key, shown, tasks })
    }

    /// Takes this replica's row away: it answers nobody any more.
    pub async fn stop(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        let patch = json!({ "data": { &self.key: null } });
        let (parameters, patch) = (PatchParams::default(), Patch::Merge(&patch));
        drop(timeout(PATIENCE, self.maps.patch(NAME, &parameters, &patch)).await);
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Board for Rows {
    fn shown(&self) -> watch::Receiver<Shown> {
        self.shown.clone()
    }

    fn write<'a>(&'a self, version: &'a str, key: &'a str, text: String) -> delivery::Told<'a, bool> {
        Box::pin(async move { merge(&self.maps, version, json!({ key: text })).await })
    }

    fn keep(&self, files: BTreeMap<String, Vec<u8>>) -> delivery::Told<'_, ()> {
        Box::pin(archive::keep(&self.maps, &self.deployments, files))
    }

    fn kept(&self) -> delivery::Told<'_, Option<BTreeMap<String, Vec<u8>>>> {
        Box::pin(archive::kept(&self.maps))
    }
}

/// Writes over what was shown as `version`; whether it still was so.
async fn merge(maps: &Api<ConfigMap>, version: &str, data: Value) -> Result<bool, String> {
    let patch = json!({ "metadata": { "resourceVersion": version }, "data": data });
    match maps.patch(NAME, &PatchParams::default(), &Patch::Merge(&patch)).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

/// The ConfigMap under watch.
fn observed(client: &Client) -> watch::Receiver<Seen> {
    let kind = resource("", "v1", "ConfigMap", "configmaps");
    watched::watch(api(client, &kind, Some(NAMESPACE)), &kind, NAME)
}

/// Hands on what the watch shows.
async fn show(mut seen: watch::Receiver<Seen>, sender: watch::Sender<Shown>) {
    loop {
        let now = shown(&seen.borrow_and_update());
        sender.send_if_modified(|before| {
            let is_new = *before != now;
            *before = now;
            is_new
        });
        // An interruption grows old without a word.
        if matches!(timeout(OLD, seen.changed()).await, Ok(Err(_))) {
            return;
        }
    }
}

fn shown(seen: &Seen) -> Shown {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let object = seen.shown.object();
    let data = object.and_then(|object| object.get("data")).and_then(Value::as_object);
    let texts = data.into_iter().flatten().filter_map(|(key, value)| Some((key.clone(), text(value)?)));
    let is_old = seen.interrupted.is_some_and(|since| since.elapsed() >= OLD);
    Shown {
        is_known: seen.shown != Presence::Unknown,
        version: object.and_then(|object| object.pointer("/metadata/resourceVersion")).and_then(text),
        texts: texts.collect(),
        outage: is_old
            .then(|| "the ConfigMap meshgate-bundle is not shown any more; check the API server".to_owned()),
    }
}

/// Keeps the row as things stand. A field manager of its own, so that no replica undoes what another says.
async fn tell(client: Client, key: String, mut changes: watch::Receiver<Status>, renewed: Duration) {
    let manager = key.replace(REPLICA, "meshgate-");
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    let deployments: Api<Deployment> = Api::namespaced(client, NAMESPACE);
    let mut written: Option<(Row, Instant)> = None;
    let mut is_owned = false;
    loop {
        let row = Row::of(&changes.borrow_and_update());
        let since = written.as_ref().filter(|(before, _)| *before == row).map(|(_, since)| since.elapsed());
        // Most of what changes of a source is when it was asked.
        if since.is_none_or(|since| since >= renewed) {
            match timeout(PATIENCE, write((&maps, &deployments), (&manager, &key), &row, &mut is_owned)).await
            {
                Ok(Ok(_)) => written = Some((row, Instant::now())),
                failed => {
                    written = None;
                    tracing::warn!(?failed, "the ConfigMap {NAME} can't be written");
                }
            }
        }
        let wait = written.as_ref().map_or(RETRY, |(_, since)| renewed.saturating_sub(since.elapsed()));
        if matches!(timeout(wait, changes.changed()).await, Ok(Err(_))) {
            return;
        }
    }
}

async fn write(
    (maps, deployments): (&Api<ConfigMap>, &Api<Deployment>),
    (manager, key): (&str, &str),
    row: &Row,
    is_owned: &mut bool,
) -> Result<(), kube::Error> {
    // It goes with the Deployment, and is not made anew by who still serves then.
    let deployment = deployments.get_opt(SERVICE).await?;
    if deployment.is_none() && *is_owned {
        return Ok(());
    }
    *is_owned = deployment.is_some();
    let apply = async |manager: &str, object: Value| {
        maps.patch(NAME, &PatchParams::apply(manager).force(), &Patch::Apply(&object)).await
    };
    // Nothing but its row is this replica's: once that is gone, no entry of its manager is left.
    let row = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": NAME }, "data": { key: row.text() },
    });
    let written = apply(manager, row).await?;
    let owners = owners(deployment);
    if is_of(&written, &owners) {
        return Ok(());
    }
    let owned = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": NAME, "ownerReferences": owners },
    });
    apply(MANAGER, owned).await.map(drop)
}

/// Whether a ConfigMap goes with all of these.
fn is_of(map: &ConfigMap, owners: &[Value]) -> bool {
    let known: Vec<&str> = map.owner_references().iter().map(|owner| owner.uid.as_str()).collect();
    owners
        .iter()
        .all(|owner| owner.get("uid").and_then(Value::as_str).is_some_and(|uid| known.contains(&uid)))
}

/// What goes with the Deployment names it as its owner.
fn owners(deployment: Option<Deployment>) -> Vec<Value> {
    let owner = |uid| json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": SERVICE, "uid": uid });
    deployment.and_then(|found| found.metadata.uid).map(owner).into_iter().collect()
}

/// Keeps what all rows come to, and takes away rows of replicas that end without a word. Each replica does: who is too
/// late finds it done.
async fn sum(maps: Api<ConfigMap>, own: String, mut shown: watch::Receiver<Shown>, pace: Pace) {
    // When each row was last seen to change, by the clock of this process.
    let mut since: BTreeMap<String, (String, Instant)> = BTreeMap::new();
    let silence = pace.rows.saturating_mul(ROWS_MISSED);
    loop {
        let now = shown.borrow_and_update().clone();
        let rows = now.texts.iter().filter(|(key, _)| key.starts_with(REPLICA));
        since = rows
            .map(|(key, text)| {
                let known = since.get(key).filter(|(before, _)| before == text).map(|(_, when)| *when);
                (key.clone(), (text.clone(), known.unwrap_or_else(Instant::now)))
            })
            .collect();
        let is_silent =
            |key: &String| *key != own && since.get(key).is_some_and(|(_, when)| when.elapsed() >= silence);
        let (gone, alive): (Vec<&String>, Vec<&String>) = since.keys().partition(|key| is_silent(key));
        let rows = alive.into_iter().filter_map(|key| Row::read(now.texts.get(key)?));
        let mut data = Everywhere::of(rows).missing(&now.texts);
        data.extend(gone.into_iter().map(|key| (key.clone(), Value::Null)));
        if let Some(version) = now.version.as_ref().filter(|_| !data.is_empty()) {
            match timeout(PATIENCE, merge(&maps, version, Value::Object(data))).await {
                Ok(Ok(_)) => {}
                // What this replica has is told by its row all the same.
                failed => {
                    tracing::warn!(
                        ?failed,
                        "what all replicas have can't be written into the ConfigMap {NAME}"
                    );
                    sleep(RETRY).await;
                }
            }
        }
        if matches!(timeout(pace.rows, shown.changed()).await, Ok(Err(_))) {
            return;
        }
    }
}

/// How often in a row a replica may miss to renew its row.
const ROWS_MISSED: u32 = 5;
