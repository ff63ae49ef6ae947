//! Puts a certificate in force in this process, once the API server is seen to trust it (R31).

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::authority::Credentials;
use super::live::Live;
use super::pace::Pace;
use crate::activation::Condition;
use crate::certificates::{Identity, Serving};
use crate::config::{NAMESPACE, SERVICE};
use crate::metrics::Metrics;

/// The name by which the API server calls the webhook.
pub(super) fn server_name() -> String {
    format!("{SERVICE}.{NAMESPACE}.svc")
}

/// What this process shows, and who is to know.
pub(super) struct Shown {
    pub(super) serving: Serving,
    pub(super) condition: Condition,
    pub(super) metrics: Metrics,
    pub(super) pace: Pace,
}

impl Shown {
    /// Goes on until dropped.
    pub(super) async fn run(
        self,
        mut credentials: watch::Receiver<Credentials>,
        mut live: watch::Receiver<Live>,
    ) {
        loop {
            let wanted = credentials.borrow_and_update().identity.clone();
            if let Some(wanted) = &wanted {
                self.consider(wanted, &live.borrow_and_update().clone());
            }
            self.tell();
            let waits = self.pace.shown.max(std::time::Duration::from_millis(50));
            let changed = async {
                tokio::select! {
                    changed = credentials.changed() => changed,
                    changed = live.changed() => changed,
                }
            };
            // Time passes also where nothing changes.
            if let Ok(Err(_)) = timeout(waits, changed).await {
                sleep(waits).await;
            }
        }
    }

    /// Takes it if it leads to what the API server has trusted for a while; the first one in any case, since there is
    /// nothing to lose.
    fn consider(&self, wanted: &Identity, live: &Live) {
        let name = server_name();
        let now = OffsetDateTime::now_utc();
        match self.serving.identity() {
            Some(shown) if shown.is(wanted) => return,
            Some(_) => {
                let Some((trusted, since)) = live.authorities() else { return };
                if since < self.pace.shown {
                    return;
                }
                if let Err(why) = wanted.leads_to(trusted, &name, now) {
                    return tracing::warn!(
                        why,
                        "a new certificate is not shown: the API server would refuse it"
                    );
                }
            }
            None => {}
        }
        tracing::info!("a new certificate is shown");
        self.serving.swap(wanted.clone());
    }

    /// Says how things are with what is shown.
    fn tell(&self) {
        let Some((begins, ends)) = self.serving.identity().and_then(|identity| identity.validity()) else {
            return self.condition.fails("there is no certificate yet");
        };
        self.metrics.certificate_expiry("serving", ends.unix_timestamp());
        let now = OffsetDateTime::now_utc();
        if begins <= now && now < ends {
            self.condition.holds(format!("until {ends}"));
        } else {
            self.condition.fails(format!("the certificate holds from {begins} to {ends} only"));
        }
    }
}
