//! Where the serving certificate is from, and what the API server is to trust for it: the Secret `meshgate-certificates`,
//! which the leader keeps, or files, which somebody else renews.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::pace::Pace;
use super::watched::{self, Presence, api, resource};
use crate::certificates::{Identity, Kept};
use crate::config::{Certificates, NAMESPACE};
use crate::registration::CaBundle;

/// The Secret.
pub(super) const SECRET: &str = "meshgate-certificates";

const PHASE: &str = "meshgate.io/phase";
const RENEW_AFTER: &str = "meshgate.io/renew-after";

/// What is to be shown, and what is to be trusted.
#[derive(Clone, Debug, Default)]
pub(super) struct Credentials {
    /// The certificate that is to be shown; None: there is none yet.
    pub(super) identity: Option<Identity>,
    /// What the API server is to trust; None: nothing yet.
    pub(super) authorities: Option<CaBundle>,
    /// The former authorities of files, until when.
    former: Option<(CaBundle, Instant)>,
    /// What the Secret holds, where it is one.
    pub(super) secret: Option<Held>,
}

/// The Secret as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    pub(super) kept: Kept,
    /// None: there is no Secret.
    version: Option<String>,
}

/// Watches where certificates are from, for as long as somebody wants to know.
pub(super) fn watch(client: &Client, of: &Certificates, pace: &Pace) -> watch::Receiver<Credentials> {
    match of {
        Certificates::Own => watch_secret(client),
        Certificates::Files { certificate, key, ca } => {
            watch_files([certificate.clone(), key.clone(), ca.clone()], pace)
        }
    }
}

fn watch_secret(client: &Client) -> watch::Receiver<Credentials> {
    let kind = resource("", "v1", "Secret", "secrets");
    let mut watched = watched::watch(api(client, &kind, Some(NAMESPACE)), &kind, SECRET);
    let (sender, receiver) = watch::channel(Credentials::default());
    tokio::spawn(async move {
        loop {
            let changed = tokio::select! {
                changed = watched.changed() => changed,
                () = sender.closed() => return,
            };
            if changed.is_err() {
                return;
            }
            let held = match &watched.borrow_and_update().shown {
                Presence::Unknown => continue,
                Presence::Absent => Held::default(),
                Presence::Present(secret) => Held::read(secret),
            };
            let _ = sender.send(Credentials {
                identity: held.kept.current.as_ref().map(|leaf| leaf.identity().clone()),
                authorities: held.kept.authorities().ok(),
                former: None,
                secret: Some(held),
            });
        }
    });
    receiver
}

/// Reads again and again: a kubelet swaps links, and not every file system tells.
fn watch_files([certificate, key, ca]: [PathBuf; 3], pace: &Pace) -> watch::Receiver<Credentials> {
    let (sender, receiver) = watch::channel(Credentials::default());
    let (mut ticks, lingers) = (interval(pace.files), pace.lingers);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = sender.closed() => return,
            }
            match Identity::from_mounted(&certificate, &key, &ca) {
                Ok((identity, authorities)) => {
                    sender.send_if_modified(|before| before.renew(identity, authorities, lingers));
                }
                Err(error) => {
                    tracing::error!(%error, "the certificate's files can't be used; what was read before stays")
                }
            }
        }
    });
    receiver
}

/// What a Secret holds; what is not base64 is left out.
pub(super) fn data(secret: &Value) -> BTreeMap<String, Vec<u8>> {
    let decode =
        |(key, value): (&String, &Value)| Some((key.clone(), STANDARD.decode(value.as_str()?).ok()?));
    secret.get("data").and_then(Value::as_object).into_iter().flatten().filter_map(decode).collect()
}

impl Credentials {
    /// Takes what files hold now; whether anything is new. The former authorities go after a while.
    fn renew(&mut self, identity: Identity, own: CaBundle, lingers: std::time::Duration) -> bool {
        let now = Instant::now();
        let is_same = self.identity.as_ref().is_some_and(|before| before.is(&identity));
        if self.former.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.former = None;
        }
        let before = self.authorities.take();
        if !is_same {
            self.former = before.clone().map(|before| (before, now.checked_add(lingers).unwrap_or(now)));
        }
        let texts = [Some(&own), self.former.as_ref().map(|(former, _)| former)];
        self.authorities = CaBundle::read(texts.into_iter().flatten().map(CaBundle::as_pem)).ok();
        let is_new = !is_same || self.authorities != before;
        self.identity = Some(identity);
        is_new
    }
}

impl Held {
    fn read(secret: &Value) -> Self {
        let text = |pointer: &str| secret.pointer(pointer).and_then(Value::as_str);
        let renew_after = text("/metadata/annotations/meshgate.io~1renew-after");
        let renew_after = renew_after.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        Self {
            kept: Kept::read(&data(secret), renew_after),
            version: text("/metadata/resourceVersion").map(str::to_owned),
        }
    }

    /// Writes what is kept from now on; refused where somebody else wrote since it was read.
    pub(super) async fn write(&self, client: &Client, kept: &Kept) -> Result<(), kube::Error> {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), NAMESPACE);
        let encode = |(key, text): (String, Option<String>)| (key, text.map(|text| STANDARD.encode(text)));
        let data: BTreeMap<String, Option<String>> = kept.data().into_iter().map(encode).collect();
        let annotations = json!({
            PHASE: kept.phase().as_str(),
            RENEW_AFTER: kept.renew_after.and_then(|moment| moment.format(&Rfc3339).ok()),
        });
        match &self.version {
            Some(version) => {
                let metadata = json!({ "resourceVersion": version, "annotations": annotations });
                let patch = json!({ "metadata": metadata, "data": data });
                secrets.patch(SECRET, &PatchParams::default(), &Patch::Merge(&patch)).await.map(drop)
            }
            None => {
                let data: BTreeMap<String, String> =
                    data.into_iter().filter_map(|(key, text)| Some((key, text?))).collect();
                let secret =
                    json!({ "metadata": { "name": SECRET, "annotations": annotations }, "data": data });
                let secret = serde_json::from_value(secret).map_err(kube::Error::SerdeError)?;
                secrets.create(&PostParams::default(), &secret).await.map(drop)
            }
        }
    }
}
