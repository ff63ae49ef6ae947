//! Says how the registration stands, as this process's own watch shows it: a line of `/readyz?verbose`, and a metric. No
//! request is kept away by it: where nothing is registered, nothing comes.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::live::Live;
use super::state::State;
use super::wants::Wants;
use crate::activation::Condition;
use crate::metrics::Metrics;

/// How often to look where nothing changes.
const LOOK: Duration = Duration::from_secs(1);

/// Who is told.
pub(super) struct Told {
    pub(super) condition: Condition,
    pub(super) metrics: Metrics,
    pub(super) wants: Wants,
    pub(super) state: State,
    /// What keeps this replica from registering, where it leads.
    pub(super) obstacle: watch::Receiver<Option<String>>,
}

impl Told {
    /// Goes on until dropped.
    pub(super) async fn run(self, mut live: watch::Receiver<Live>) {
        loop {
            let missing = self.missing(&live.borrow_and_update());
            self.metrics.registration_complete(missing.is_none());
            match missing {
                None => self.condition.holds(""),
                Some(why) => self.condition.fails(why),
            }
            if matches!(timeout(LOOK, live.changed()).await, Ok(Err(_))) {
                return;
            }
        }
    }

    /// What is missing; None where the API server is told to send all that the policies in force want to see.
    fn missing(&self, live: &Live) -> Option<String> {
        if self.state.is_removed() == Some(true) {
            return Some("it is taken back; `meshgate install --apply` makes it anew".to_owned());
        }
        if !live.is_known() {
            return Some("it is not known yet what the API server is told".to_owned());
        }
        let Some(active) = self.wants.active() else {
            return Some("no policies are in force here yet".to_owned());
        };
        let missing = match live.needs() {
            None => "the API server is not told yet to ask about workloads in both phases",
            Some((registered, _)) if !registered.covers(&active) => {
                "the API server is not told yet of all that the policies in force want to see"
            }
            Some(_) if live.authorities().is_none() => "its entries do not all trust the same authorities",
            Some(_) => return None,
        };
        let because = self.obstacle.borrow().as_ref().map(|why| format!(": {why}"));
        Some(format!("{missing}{}", because.unwrap_or_default()))
    }
}
