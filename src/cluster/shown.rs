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
    /// Whether the API server has trusted it, or had nothing registered yet.
    pub(super) was_trusted: bool,
}

impl Shown {
    /// Goes on until dropped.
    pub(super) async fn run(
        mut self,
        mut credentials: watch::Receiver<Credentials>,
        mut live: watch::Receiver<Live>,
    ) {
        loop {
            let wanted = credentials.borrow_and_update().identity.clone();
            let shown = live.borrow_and_update().clone();
            if let Some(wanted) = &wanted {
                self.consider(wanted, &shown);
            }
            self.tell(&shown);
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

    /// Says how things are with what is shown. Requests come from when the API server trusts it first; where somebody
    /// changes what is registered later, the leader repairs that, and no replica goes away.
    fn tell(&mut self, live: &Live) {
        let Some(identity) = self.serving.identity() else {
            return self.condition.fails("there is no certificate yet");
        };
        let Some((begins, ends)) = identity.validity() else {
            return self.condition.fails("the certificate can't be read");
        };
        self.metrics.certificate_expiry("serving", ends.unix_timestamp());
        let now = OffsetDateTime::now_utc();
        if !(begins <= now && now < ends) {
            return self.condition.fails(format!("the certificate holds from {begins} to {ends} only"));
        }
        if !self.was_trusted {
            let trusts =
                live.authorities().map(|(trusted, _)| identity.leads_to(trusted, &server_name(), now));
            match trusts {
                Some(Err(why)) => {
                    return self.condition.fails(format!("the API server does not trust it yet: {why}"));
                }
                None if !live.is_known() => {
                    return self.condition.fails("it is not known yet what the API server trusts");
                }
                Some(Ok(())) | None => self.was_trusted = true,
            }
        }
        self.condition.holds(format!("until {ends}"));
    }
}
