//! The keys of proofs: the Secret `meshgate-proof`, which all replicas read and the leader renews. Without it nothing is
//! proven, and sidecars are known by what is rendered anew.

use std::sync::Arc;

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio::sync::watch;

use super::authority::data;
use super::watched::{self, Presence, Seen, api, resource};
use crate::config::NAMESPACE;
use crate::context::{Now, PROOF_KEY_BYTES, ProofKeys};

/// The Secret.
const SECRET: &str = "meshgate-proof";

/// The keys as they are by now.
pub type Keys = watch::Receiver<Arc<ProofKeys>>;

/// The Secret, for who renews it.
#[derive(Clone)]
pub(super) struct Proof {
    secrets: Api<Secret>,
    seen: watch::Receiver<Seen>,
}

/// A key of this process alone, where no replica shares one.
pub fn own_proof_keys() -> Keys {
    let keys = fresh().map(|secret| ProofKeys::default().rotated(now(), secret)).unwrap_or_default();
    watch::channel(Arc::new(keys)).1
}

impl Proof {
    /// Watches it, for as long as somebody wants the keys.
    pub(super) fn watch(client: &Client) -> (Self, Keys) {
        let kind = resource("", "v1", "Secret", "secrets");
        let seen = watched::watch(api(client, &kind, Some(NAMESPACE)), &kind, SECRET);
        let (sender, keys) = watch::channel(Arc::default());
        let mut changes = seen.clone();
        tokio::spawn(async move {
            loop {
                let changed = tokio::select! {
                    changed = changes.changed() => changed,
                    () = sender.closed() => return,
                };
                if changed.is_err() {
                    return;
                }
                let known = kept(&changes.borrow_and_update().shown);
                if let Some(known) = known {
                    sender.send_replace(Arc::new(known));
                }
            }
        });
        (Self { secrets: Api::namespaced(client.clone(), NAMESPACE), seen }, keys)
    }

    /// Whether it is time for another key.
    pub(super) fn is_due(&self) -> bool {
        kept(&self.seen.borrow().shown).is_some_and(|keys| keys.is_due(now()))
    }

    /// Adds a key; refused where somebody else wrote since the Secret was read.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn renew(&self) -> Result<(), String> {
        let shown = self.seen.borrow().shown.clone();
        let Some(keys) = kept(&shown) else { return Ok(()) };
        let secret = fresh().ok_or("there is no randomness")?;
        let mut data: Map<String, Value> = keys
            .rotated(now(), secret)
            .data()
            .into_iter()
            .map(|(id, bytes)| (id, Value::from(STANDARD.encode(bytes))))
            .collect();
        let written = match shown.object() {
            Some(before) => {
                // What goes is null in a merge.
                let members = before.get("data").and_then(Value::as_object).into_iter().flatten();
                for (id, _) in members {
                    data.entry(id.as_str()).or_insert(Value::Null);
                }
                let version = before.pointer("/metadata/resourceVersion");
                let patch = json!({ "metadata": { "resourceVersion": version }, "data": data });
                self.secrets.patch(SECRET, &PatchParams::default(), &Patch::Merge(&patch)).await
            }
            None => {
                let secret = json!({ "metadata": { "name": SECRET }, "data": data });
                let secret = serde_json::from_value(secret).map_err(|error| error.to_string())?;
                self.secrets.create(&PostParams::default(), &secret).await
            }
        };
        written.map(drop).map_err(|error| error.to_string())
    }
}

/// The keys of the Secret; none where there is no Secret. None: nothing is known of it yet.
fn kept(shown: &Presence) -> Option<ProofKeys> {
    match shown {
        Presence::Unknown => None,
        Presence::Absent => Some(ProofKeys::default()),
        Presence::Present(secret) => Some(ProofKeys::read(&data(secret))),
    }
}

fn fresh() -> Option<[u8; PROOF_KEY_BYTES]> {
    let mut bytes = [0_u8; PROOF_KEY_BYTES];
    rand::fill(&mut bytes).ok().map(|()| bytes)
}

fn now() -> Now {
    Now::at(OffsetDateTime::now_utc())
}
