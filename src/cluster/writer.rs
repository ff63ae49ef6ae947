//! Writes both webhook configurations, at most as often as others can bear.

use std::collections::VecDeque;
use std::time::Duration;

use kube::Client;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::live::kinds;
use super::state::Fingerprints;
use super::watched::{Presence, api, present};
use crate::config::SERVICE;
use crate::registration::{difference, fingerprint};

/// Who writes, as managedFields name it.
const MANAGER: &str = "meshgate";

/// The soonest that a repair follows another, so that two writers who disagree do not keep the API server busy.
const APART: Duration = Duration::from_secs(1);
/// After so many within a minute …
const MANY: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);
/// … they are rarer.
const FAR_APART: Duration = Duration::from_secs(30);

/// Writes configurations.
pub(super) struct Writer {
    client: Client,
    /// What was written last, so that a repair is told from a change.
    written: [Option<Written>; 2],
    /// What an earlier leader wrote last.
    former: Fingerprints,
    repairs: VecDeque<Instant>,
}

/// A configuration as it was written, and what was shown of it before.
struct Written {
    desired: Value,
    before: Option<(Presence, Instant)>,
}

/// What became of a configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is as desired.
    Same,
    /// It was written: why.
    Changed(String),
    /// Somebody had changed it, and it was written again: how it differed.
    Repaired(String),
    /// Somebody had changed it, and it is too soon to write it again.
    TooSoon,
}

impl Writer {
    pub(super) fn new(client: Client) -> Self {
        Self { client, written: [None, None], former: Fingerprints::default(), repairs: VecDeque::new() }
    }

    /// Takes note of what an earlier leader wrote last: what is something else now, somebody has changed.
    pub(super) fn follows(&mut self, former: Fingerprints) {
        self.former = former;
    }

    /// The ClusterRole of the installation, with which both go. Looked up each time: one that was made anew has another uid,
    /// and who is owned by what is gone is collected. Where it can't be read, what is shown stays.
    async fn owners(&self, live: &Presence) -> Option<Value> {
        let kind = super::watched::resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles");
        match api(&self.client, &kind, None).get_opt(SERVICE).await {
            Ok(found) => {
                let uid = found?.metadata.uid?;
                Some(
                    json!([{ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "name": SERVICE, "uid": uid }]),
                )
            }
            Err(error) => {
                tracing::warn!(%error, "the ClusterRole {SERVICE} can't be read, so the owner of the webhook configurations stays as it is");
                live.object()?.pointer("/metadata/ownerReferences").cloned()
            }
        }
    }

    /// Makes the configuration at `place` (mutating, validating) what is desired, if `live` is not.
    pub(super) async fn write(
        &mut self,
        place: usize,
        desired: &Value,
        live: &Presence,
    ) -> Result<Outcome, kube::Error> {
        let differs = match live {
            Presence::Present(live) => difference(desired, live),
            Presence::Absent | Presence::Unknown => Some("it is gone".to_owned()),
        };
        let Some(differs) = differs else {
            self.remember(place, desired, None);
            return Ok(Outcome::Same);
        };
        let written = self.written.get(place).and_then(Option::as_ref);
        // The watch comes a little later than the answer to what was written.
        let is_stale = |written: &Written| {
            written.before.as_ref().is_some_and(|(before, when)| before == live && when.elapsed() < APART)
        };
        let is_repair = match (written, self.former.get(place)) {
            (Some(written), _) => written.desired == *desired,
            (None, Some(Some(former))) => fingerprint(live.object().unwrap_or(&Value::Null)) != *former,
            (None, _) => false,
        };
        if is_repair && (written.is_some_and(is_stale) || !self.may_repair()) {
            return Ok(Outcome::TooSoon);
        }
        self.put(place, desired, live).await?;
        self.remember(place, desired, Some((live.clone(), Instant::now())));
        if is_repair {
            self.repairs.push_back(Instant::now());
            return Ok(Outcome::Repaired(differs));
        }
        Ok(Outcome::Changed(differs))
    }

    fn remember(&mut self, place: usize, desired: &Value, before: Option<(Presence, Instant)>) {
        if let Some(written) = self.written.get_mut(place) {
            *written = Some(Written { desired: desired.clone(), before });
        }
    }

    fn may_repair(&mut self) -> bool {
        while self.repairs.front().is_some_and(|first| first.elapsed() >= MINUTE) {
            self.repairs.pop_front();
        }
        // One incident often touches both configurations.
        let apart = if self.repairs.len() >= MANY.saturating_mul(2) { FAR_APART } else { APART };
        let recent = self.repairs.iter().filter(|repair| repair.elapsed() < apart).count();
        recent < 2
    }

    /// Server-side apply; what others added stays there then, so it is replaced where it still differs.
    async fn put(&self, place: usize, desired: &Value, live: &Presence) -> Result<(), kube::Error> {
        let [mutating, validating] = kinds();
        let (kind, name) = if place == 0 { mutating } else { validating };
        let api = api(&self.client, &kind, None);
        let mut object = desired.clone();
        if let (Some(owners), Some(metadata)) =
            (self.owners(live).await, object.get_mut("metadata").and_then(Value::as_object_mut))
        {
            metadata.insert("ownerReferences".to_owned(), owners);
        }
        let applied = api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(&object)).await?;
        let Presence::Present(applied) = present(applied, &kind) else { return Ok(()) };
        if let Some(differs) = difference(desired, &applied) {
            tracing::info!(name, differs, "what others added is taken out");
            let mut object = applied;
            if let (Some(members), Some(webhooks)) = (object.as_object_mut(), desired.get("webhooks")) {
                members.insert("webhooks".to_owned(), webhooks.clone());
            }
            let object: DynamicObject = serde_json::from_value(object).map_err(kube::Error::SerdeError)?;
            let parameters = PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() };
            api.replace(name, &parameters, &object).await?;
        }
        Ok(())
    }
}
