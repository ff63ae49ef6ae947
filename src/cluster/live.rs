//! What is registered, as this process's own watch shows it, and for how long it has shown that.

use std::time::Duration;

use kube::Client;
use kube::api::ApiResource;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::watched::{self, Presence, Seen, api, resource};
use crate::registration::{CaBundle, Coverage, MUTATING, Rules, VALIDATING};

const GROUP: &str = "admissionregistration.k8s.io";

/// After so long an interrupted watch goes on or is interrupted again: what is waited between tries (kube,
/// runtime/watcher, DefaultBackoff, 30 s), and some air.
const RESUMED: Duration = Duration::from_secs(45);

/// Both configurations as they are shown.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// Mutating, validating.
    pub(super) configurations: [Presence; 2],
    authorities: (Option<CaBundle>, Instant),
    needs: (Option<Coverage>, Instant),
    /// When either watch was last interrupted, where it showed nothing since.
    interrupted: Option<Instant>,
}

/// The kinds of both configurations, with their names.
pub(super) fn kinds() -> [(ApiResource, &'static str); 2] {
    let mutating = resource(GROUP, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations");
    let validating =
        resource(GROUP, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations");
    [(mutating, MUTATING), (validating, VALIDATING)]
}

/// Watches both, for as long as somebody wants to know.
pub(super) fn watch(client: &Client) -> watch::Receiver<Live> {
    let [mut mutating, mut validating] =
        kinds().map(|(kind, name)| watched::watch(api(client, &kind, None), &kind, name));
    let (sender, receiver) = watch::channel(Live::new());
    tokio::spawn(async move {
        loop {
            let changed = tokio::select! {
                changed = mutating.changed() => changed,
                changed = validating.changed() => changed,
                () = sender.closed() => return,
            };
            if changed.is_err() {
                return;
            }
            let both = [mutating.borrow_and_update().clone(), validating.borrow_and_update().clone()];
            sender.send_modify(|live| live.show(both));
        }
    });
    receiver
}

impl Live {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            configurations: [Presence::Unknown, Presence::Unknown],
            authorities: (None, now),
            needs: (None, now),
            interrupted: None,
        }
    }

    fn show(&mut self, seen: [Seen; 2]) {
        let now = Instant::now();
        self.interrupted = seen.iter().filter_map(|one| one.interrupted).max();
        let both = seen.map(|one| one.shown);
        let (authorities, needs) = (authorities(&both), needs(&both));
        if authorities != self.authorities.0 {
            self.authorities = (authorities, now);
        }
        if needs != self.needs.0 {
            self.needs = (needs, now);
        }
        self.configurations = both;
    }

    /// Whether both have been looked for.
    pub(super) fn is_known(&self) -> bool {
        !self.configurations.contains(&Presence::Unknown)
    }

    /// Whether it is as it was a moment ago, and not older.
    pub(super) fn is_current(&self) -> bool {
        self.is_known() && self.interrupted.is_none_or(|since| since.elapsed() >= RESUMED)
    }

    /// Whether neither is there.
    pub(super) fn is_absent(&self) -> bool {
        self.configurations == [Presence::Absent, Presence::Absent]
    }

    /// What every entry of both trusts, and for how long; None where they differ or one is no bundle.
    pub(super) fn authorities(&self) -> Option<(&CaBundle, Duration)> {
        self.authorities.0.as_ref().map(|bundle| (bundle, self.authorities.1.elapsed()))
    }

    /// What the API server sends, and for how long; None where workloads are not sent in both phases.
    pub(super) fn needs(&self) -> Option<(&Coverage, Duration)> {
        self.needs.0.as_ref().map(|needs| (needs, self.needs.1.elapsed()))
    }

    /// What either of both sends of workloads; None where none does.
    pub(super) fn workloads(&self) -> Option<Coverage> {
        let [mutating, validating] = self.configurations.each_ref().map(workloads);
        if mutating.is_none() && validating.is_none() {
            return None;
        }
        Some(Coverage { mutating: mutating.unwrap_or_default(), validating: validating.unwrap_or_default() })
    }
}

fn entries(one: &Presence) -> Option<&Vec<Value>> {
    one.object()?.get("webhooks")?.as_array()
}

fn authorities(both: &[Presence; 2]) -> Option<CaBundle> {
    let mut all = Vec::new();
    for one in both {
        all.extend(entries(one)?.iter().map(|entry| entry.pointer("/clientConfig/caBundle")));
    }
    let first = all.first().copied().flatten()?;
    let alike = all.iter().all(|one| *one == Some(first));
    CaBundle::decode(first.as_str().filter(|_| alike)?).ok()
}

fn needs(both: &[Presence; 2]) -> Option<Coverage> {
    let [mutating, validating] = both;
    Some(Coverage { mutating: workloads(mutating)?, validating: workloads(validating)? })
}

/// The rules of the entry for workloads.
fn workloads(one: &Presence) -> Option<Rules> {
    let is_workloads = |entry: &&Value| entry.get("name").is_some_and(|name| name == "workloads.meshgate.io");
    let entry = entries(one)?.iter().find(is_workloads)?;
    Some(Rules::read(entry.get("rules").unwrap_or(&Value::Null)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_one_of_both_sends_is_known_where_the_other_is_gone() {
        let rules = json!([{
            "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"], "scope": "*",
        }]);
        let configuration = |name: &str| {
            Presence::Present(
                json!({ "webhooks": [{ "name": format!("{name}.meshgate.io"), "rules": rules }] }),
            )
        };
        let read = Rules::read(&rules);
        let of = |mutating: Presence, validating: Presence| {
            let mut live = Live::new();
            live.show([mutating, validating].map(|shown| Seen { shown, interrupted: None }));
            live.workloads()
        };
        let needs = |mutating: &Rules, validating: &Rules| {
            Some(Coverage { mutating: mutating.clone(), validating: validating.clone() })
        };
        let (none, workloads) = (Rules::default(), || configuration("workloads"));
        assert_eq!(of(workloads(), workloads()), needs(&read, &read));
        assert_eq!(of(Presence::Absent, workloads()), needs(&none, &read));
        assert_eq!(of(workloads(), Presence::Present(json!({ "webhooks": [] }))), needs(&read, &none));
        assert_eq!(of(configuration("guard"), Presence::Absent), None);
    }
}
