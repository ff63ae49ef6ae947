//! What the leader does: keeps both webhook configurations as they should be, and the certificate young. Everything follows
//! from what is seen, so whoever leads next goes on where this one stopped.
//!
//! The order at first: guard and own, which fail open; then a probe that comes back through the API server; then workloads,
//! which fail closed. Nothing is registered that nobody would answer (R57).

mod term;

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::authority::{Credentials, Held};
use super::caches::said;
use super::guards;
use super::leader::Lead;
use super::live::Live;
use super::pace::Pace;
use super::probe;
use super::proof::Proof;
use super::shown::server_name;
use super::state::State;
use super::wants::Wants;
use super::writer::Outcome;
use crate::certificates::{Progress, Step};
use crate::config::Configuration;
use crate::events::{Events, Reason};
use crate::metrics::Metrics;
use crate::registration::{CaBundle, MUTATING, VALIDATING, Wanted, desired};
use term::Term;

/// How often to look where nothing changes: for what only time changes.
const LOOK: Duration = Duration::from_secs(1);

/// What must be left of a certificate: our own are renewed with ten days left.
const LATE: time::Duration = time::Duration::days(7);

/// What the leader needs.
pub(super) struct Registrar {
    pub(super) client: Client,
    pub(super) configuration: Arc<Configuration>,
    pub(super) pace: Pace,
    pub(super) wants: Wants,
    pub(super) live: watch::Receiver<Live>,
    pub(super) credentials: watch::Receiver<Credentials>,
    pub(super) proof: Proof,
    pub(super) state: State,
    pub(super) metrics: Metrics,
    pub(super) events: Arc<dyn Events>,
    /// What keeps the leader from registering.
    pub(super) obstacle: watch::Sender<Option<String>>,
}

impl Registrar {
    /// Leads until dropped.
    pub(super) async fn lead(&mut self, lead: Lead) {
        let mut term = Term::new(self.client.clone(), lead.after);
        let mut wanted = self.wants.subscribe();
        loop {
            let looked = self.look(&mut term).await;
            if let Err(error) = &looked {
                tracing::warn!(%error, "the registration can't be kept; it is tried again");
            }
            let obstacle = looked.err().map(|error| said(&error));
            self.obstacle.send_replace(obstacle.or_else(|| term.probe_failed.clone()));
            let changed = async {
                tokio::select! {
                    _ = self.live.changed() => {}
                    _ = self.credentials.changed() => {}
                    _ = wanted.changed() => {}
                }
            };
            let look = if self.pace.settles < LOOK { self.pace.settles } else { LOOK };
            drop(timeout(look.max(Duration::from_millis(20)), changed).await);
        }
    }

    /// Looks once, and does what there is to do.
    async fn look(&mut self, term: &mut Term) -> Result<(), kube::Error> {
        if !term.begun {
            term.begin(self.state.renew().await?);
        }
        let (live, credentials) =
            (self.live.borrow_and_update().clone(), self.credentials.borrow_and_update().clone());
        if self.state.is_removed() != Some(false) || !live.is_known() {
            return Ok(());
        }
        self.warn(&credentials);
        if let Some(held) = &credentials.secret {
            self.renew(term, held, &live).await;
        }
        self.renew_proof(term).await;
        self.register(term, &live, credentials.authorities.as_ref()).await
    }

    /// Another key for proofs, if it is time. Without one, sidecars are known by what is rendered anew.
    async fn renew_proof(&self, term: &mut Term) {
        let waits = term.proof_renewed.is_some_and(|tried| tried.elapsed() < self.pace.renews);
        if waits || !self.proof.is_due() {
            return;
        }
        term.proof_renewed = Some(Instant::now());
        match self.proof.renew().await {
            Ok(()) => tracing::info!("the proofs of sidecars have a new key"),
            Err(why) => tracing::warn!(why, "there is no new key for proofs of sidecars; it is tried again"),
        }
    }

    /// Who keeps the certificate young is told where that does not come about.
    fn warn(&self, credentials: &Credentials) {
        let ends =
            credentials.identity.as_ref().and_then(|identity| identity.validity()).map(|(_, ends)| ends);
        if let Some(ends) = ends.filter(|ends| ends.saturating_sub(LATE) < OffsetDateTime::now_utc()) {
            let note = format!("the serving certificate ends at {ends}, and there is no other one yet");
            self.events.tell(Reason::CertificateLate, &note);
        }
    }

    async fn register(
        &mut self,
        term: &mut Term,
        live: &Live,
        authorities: Option<&CaBundle>,
    ) -> Result<(), kube::Error> {
        // Also where one of both is gone: the other must not lose what fails closed.
        if let Some(registered) = live.workloads()
            && !term.is_proven
        {
            self.wants.keep(&registered);
            term.is_proven = true;
        }
        let (Some(needs), Some(ca_bundle)) = (self.wants.needs(), authorities) else { return Ok(()) };
        let guard_stands = guards::stand(&self.client, &self.configuration, &mut term.guards).await;
        let desired_with =
            |needs| desired(&Wanted { needs, configuration: &self.configuration, ca_bundle, guard_stands });
        if !term.is_proven {
            let first = desired_with(None);
            self.write(term, live, &first).await?;
            // They were there before this look, so an API server may know them.
            let is_there =
                !live.is_absent() && live.authorities().is_some_and(|(shown, _)| shown == ca_bundle);
            if !is_there || !self.probe(term).await {
                return Ok(());
            }
            term.is_proven = true;
        }
        self.write(term, live, &desired_with(Some(&needs))).await?;
        if term.probed.is_none_or(|probed| probed.elapsed() >= self.pace.probes) {
            self.probe(term).await;
        }
        Ok(())
    }

    async fn write(&self, term: &mut Term, live: &Live, desired: &[Value; 2]) -> Result<(), kube::Error> {
        for (place, (desired, shown)) in desired.iter().zip(&live.configurations).enumerate() {
            let name = desired.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            let outcome = term.writer.write(place, desired, shown).await?;
            match &outcome {
                Outcome::TooSoon => continue,
                Outcome::Same => {}
                Outcome::Changed(why) => tracing::info!(name, why, "the registration is written"),
                Outcome::Repaired(why) => {
                    tracing::warn!(name, why, "somebody else changed the registration; it is repaired");
                    self.metrics.registration_repaired();
                    self.events.tell(Reason::RegistrationRepaired, &format!("{name} was changed: {why}"));
                    term.misses(place, why);
                }
            }
            term.stands(place, desired);
            // Without workloads it is not all that should be sent.
            if !term.is_proven {
                continue;
            }
            if let Some(seconds) = term.closes(place, name) {
                self.metrics.registration_gap(seconds);
            }
            // What is old may have been changed since.
            if outcome != Outcome::Same || live.is_current() {
                term.agrees(place);
            }
        }
        self.note_down(term).await
    }

    /// Writes down what others are to know, now or after this one: behind what had to be registered.
    async fn note_down(&self, term: &mut Term) -> Result<(), kube::Error> {
        while let Some(gap) = term.gaps.first() {
            self.state.record(gap).await?;
            term.gaps.remove(0);
        }
        for (place, name) in [MUTATING, VALIDATING].into_iter().enumerate() {
            if let Some(fingerprint) = term.unrecorded(place) {
                self.state.wrote(name, &fingerprint).await?;
                term.recorded(place, fingerprint);
            }
        }
        Ok(())
    }

    /// Whether the webhook answers through the API server.
    async fn probe(&self, term: &mut Term) -> bool {
        let asked = probe::ask(&self.client).await;
        term.probed = Some(Instant::now());
        self.metrics.probe(asked.is_ok());
        match (&asked, &term.probe_failed) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => tracing::info!("the webhook answers through the API server again"),
            (Err(why), before) if before.as_ref() != Some(why) => {
                tracing::warn!(why, "the webhook does not answer through the API server");
                let note = format!("the webhook does not answer through the API server: {why}");
                self.events.tell(Reason::ProbeFailed, &note);
            }
            (Err(_), _) => {}
        }
        let answers = asked.is_ok();
        term.probe_failed = asked.err();
        answers
    }

    /// Does the next step of the certificate's renewal, if it is time.
    async fn renew(&self, term: &mut Term, held: &Held, live: &Live) {
        if term.renewal_failed.is_some_and(|failed| failed.elapsed() < self.pace.renews) {
            return;
        }
        self.metrics.certificate_phase(held.kept.phase().as_str());
        let (name, now) = (server_name(), OffsetDateTime::now_utc());
        let trusted = live.authorities();
        let wanted = held.kept.authorities().ok();
        let settled = trusted.filter(|(shown, _)| Some(*shown) == wanted.as_ref()).map(|(_, since)| since);
        let mut progress = Progress {
            now,
            trusted: settled,
            in_use: term.in_use(&held.kept),
            is_everywhere: true,
            settles: self.pace.settles,
            lingers: self.pace.lingers,
        };
        let mut step = held.kept.step(&name, &progress);
        if step == Step::Forget {
            progress.is_everywhere = super::everywhere::shows(&self.client, &held.kept, &name).await;
            step = held.kept.step(&name, &progress);
        }
        if step == Step::Wait {
            return;
        }
        let taken = held.kept.clone().take(step, &name, now, trusted.map(|(bundle, _)| bundle));
        let result = match taken {
            Ok(kept) => held.write(&self.client, &kept).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match result {
            Ok(()) => {
                term.renewal_failed = None;
                tracing::info!(?step, "the certificate's renewal went a step");
            }
            Err(why) => {
                term.renewal_failed = Some(Instant::now());
                tracing::warn!(why, ?step, "the certificate's renewal is stuck; it is tried again");
                let note = format!("the certificate's renewal is stuck: {why}");
                self.events.tell(Reason::CertificateLate, &note);
            }
        }
    }
}
