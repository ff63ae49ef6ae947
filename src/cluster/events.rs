//! Events of the Deployment, for whoever looks at it: written beside everything else, and never more than others can bear.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::connection::Connection;
use super::registration::unique;
use crate::config::{NAMESPACE, SERVICE};
use crate::events::{Events, Reason};

/// How many at once; after that one a second (cluster: audit).
const BURST: u64 = 20;
/// How long an equal one is not written again.
const EQUAL: Duration = Duration::from_secs(3_600);
/// Bytes of a note (k8s.io/kubernetes, pkg/apis/core/validation/events.go, NoteLengthLimit).
const NOTE: usize = 1_024;

/// Writes Events of this replica.
pub struct EventWriter {
    written: Mutex<Written>,
    sender: mpsc::Sender<(Reason, String)>,
}

/// What was written a while ago.
struct Written {
    /// How many may follow at once, and since when.
    left: (u64, Instant),
    last: BTreeMap<(Reason, String), Instant>,
}

impl EventWriter {
    /// Writes for as long as somebody may tell. `name`: the replica's.
    pub fn start(connection: &Connection, name: &str) -> Arc<Self> {
        let (sender, mut receiver) = mpsc::channel::<(Reason, String)>(64);
        let (client, name) = (connection.client(), name.to_owned());
        tokio::spawn(async move {
            while let Some((reason, note)) = receiver.recv().await {
                if let Err(error) = write(&client, &name, reason, &note).await {
                    tracing::warn!(%error, reason = reason.as_str(), "an Event can't be written");
                }
            }
        });
        let written = Written { left: (BURST, Instant::now()), last: BTreeMap::new() };
        Arc::new(Self { written: Mutex::new(written), sender })
    }
}

impl Events for EventWriter {
    fn tell(&self, reason: Reason, note: &str) {
        let note = cut(note).to_owned();
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if written.may(reason, &note, Instant::now()) {
            // Who is too slow to write them loses the last ones.
            drop(self.sender.try_send((reason, note)));
        }
    }
}

impl Written {
    /// Whether it may be written now; then it counts.
    fn may(&mut self, reason: Reason, note: &str, now: Instant) -> bool {
        let seconds = now.saturating_duration_since(self.left.1).as_secs();
        let since = self.left.1.checked_add(Duration::from_secs(seconds)).unwrap_or(now);
        self.left = (self.left.0.saturating_add(seconds).min(BURST), since);
        self.last.retain(|_, when| now.saturating_duration_since(*when) < EQUAL);
        let one = (reason, note.to_owned());
        if self.left.0 == 0 || self.last.contains_key(&one) {
            return false;
        }
        self.left.0 = self.left.0.saturating_sub(1);
        self.last.insert(one, now);
        true
    }
}

async fn write(client: &Client, name: &str, reason: Reason, note: &str) -> Result<(), kube::Error> {
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), NAMESPACE);
    let uid = deployments.get_opt(SERVICE).await?.and_then(|found| found.metadata.uid);
    let event = json!({
        "metadata": { "name": unique(SERVICE), "namespace": NAMESPACE },
        "eventTime": MicroTime(Timestamp::now()),
        "reportingController": "meshgate.io/meshgate",
        "reportingInstance": name,
        "action": reason.action(),
        "reason": reason.as_str(),
        "type": "Warning",
        "note": note,
        "regarding": {
            "apiVersion": "apps/v1", "kind": "Deployment", "name": SERVICE, "namespace": NAMESPACE, "uid": uid,
        },
    });
    let event: Event = serde_json::from_value(event).map_err(kube::Error::SerdeError)?;
    let events: Api<Event> = Api::namespaced(client.clone(), NAMESPACE);
    events.create(&PostParams::default(), &event).await.map(drop)
}

/// As much of a note as an Event may have.
fn cut(note: &str) -> &str {
    let end = (0..=note.len().min(NOTE)).rev().find(|end| note.is_char_boundary(*end)).unwrap_or_default();
    note.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn equal_ones_are_written_each_hour_and_all_together_one_a_second() {
        let start = Instant::now();
        let mut written = Written { left: (BURST, start), last: BTreeMap::new() };
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(written.may(Reason::ProbeFailed, "a", start));
        assert!(!written.may(Reason::ProbeFailed, "a", at(3_599)), "an equal one");
        assert!(written.may(Reason::BundleRefused, "a", at(3_599)));
        assert!(written.may(Reason::ProbeFailed, "a", at(3_600)));
        let many = (0..100).filter(|n| written.may(Reason::ProbeFailed, &n.to_string(), at(4_000)));
        assert_eq!(many.count(), 20, "at once");
        let later = (0..100).filter(|n| written.may(Reason::ProbeFailed, &n.to_string(), at(4_003)));
        assert_eq!(later.count(), 3, "after three seconds");
    }

    #[test]
    fn a_note_is_cut_between_two_characters() {
        assert_eq!(cut("short"), "short");
        let long = format!("a{}", "é".repeat(600));
        assert_eq!((cut(&long).len(), long.starts_with(cut(&long))), (1_023, true));
    }
}
