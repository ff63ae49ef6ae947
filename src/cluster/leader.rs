//! Who of several replicas does what only one may: the Lease `meshgate-leader`, as client-go's leaderelection takes and
//! keeps one. Background work only; admission never asks who leads (R34).

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::config::NAMESPACE;

const NAME: &str = "meshgate-leader";

/// How long others wait for a sign of life.
const LEASE: Duration = Duration::from_secs(15);
/// How long the leader tries to give one: it stops before others begin.
const RENEWAL: Duration = Duration::from_secs(10);
/// How long one try may take: two of them fit.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between tries.
const RETRY: Duration = Duration::from_secs(2);

/// That one leads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead {
    /// Until when somebody led before, by his clock; None: nobody did.
    pub(super) after: Option<OffsetDateTime>,
}

/// One who stands for election.
pub(super) struct Candidate {
    api: Api<Lease>,
    name: String,
    /// The last record that was seen, and when it was first seen. Its own times are of other clocks.
    observed: Option<(LeaseSpec, Instant)>,
    /// When the Lease was last renewed, before the last try.
    renewed_before: Option<OffsetDateTime>,
    leads: watch::Sender<Option<Lead>>,
}

impl Candidate {
    /// Stands under that name; the receiver tells while it leads.
    pub(super) fn new(client: Client, name: String) -> (Self, watch::Receiver<Option<Lead>>) {
        let (leads, receiver) = watch::channel(None);
        let api = Api::namespaced(client, NAMESPACE);
        (Self { api, name, observed: None, renewed_before: None, leads }, receiver)
    }

    /// Stands until dropped.
    pub(super) async fn run(&mut self) {
        let mut renewed: Option<Instant> = None;
        loop {
            let began = Instant::now();
            let tried = timeout(PATIENCE, self.acquire_or_renew()).await;
            match tried {
                Ok(Ok(true)) => renewed = Some(began),
                // Somebody else has it.
                Ok(Ok(false)) => renewed = None,
                Ok(Err(error)) => tracing::warn!(%error, "the Lease {NAME} can't be taken or kept"),
                Err(_) => tracing::warn!("the Lease {NAME} can't be taken or kept: no answer"),
            }
            let leads = renewed.is_some_and(|renewed| renewed.elapsed() < RENEWAL);
            if self.tell(leads) {
                tracing::info!(leads, "leader election");
            }
            sleep(RETRY).await;
        }
    }

    /// Tells whether this one leads; whether that is new.
    fn tell(&self, leads: bool) -> bool {
        let lead = Lead { after: self.renewed_before };
        self.leads.send_if_modified(|was| {
            let is_new = was.is_some() != leads;
            if is_new {
                *was = leads.then_some(lead);
            }
            is_new
        })
    }

    /// Gives the Lease up, so that nobody has to wait for its end.
    pub(super) async fn release(&mut self) {
        if self.leads.send_replace(None).is_none() {
            return;
        }
        let Ok(Some(mut lease)) = self.api.get_opt(NAME).await else { return };
        let Some(spec) = lease.spec.as_mut().filter(|spec| spec.holder_identity.as_ref() == Some(&self.name))
        else {
            return;
        };
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
        spec.renew_time = Some(MicroTime(Timestamp::now()));
        if let Err(error) = self.api.replace(NAME, &PostParams::default(), &lease).await {
            tracing::debug!(%error, "the Lease {NAME} is not given up");
        }
    }

    async fn acquire_or_renew(&mut self) -> Result<bool, kube::Error> {
        let Some(lease) = self.api.get_opt(NAME).await? else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
                spec: Some(self.record(&LeaseSpec::default())),
            };
            return self.written(self.api.create(&PostParams::default(), &lease).await);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        self.renewed_before = spec.renew_time.as_ref().and_then(moment);
        if self.observed.as_ref().is_none_or(|(before, _)| *before != spec) {
            self.observed = Some((spec.clone(), Instant::now()));
        }
        let holder = spec.holder_identity.clone().unwrap_or_default();
        let is_fresh = self.observed.as_ref().is_some_and(|(_, since)| since.elapsed() < LEASE);
        if !holder.is_empty() && holder != self.name && is_fresh {
            return Ok(false);
        }
        let lease = Lease { spec: Some(self.record(&spec)), ..lease };
        self.written(self.api.replace(NAME, &PostParams::default(), &lease).await)
    }

    /// The record after `before` with which this one leads.
    fn record(&self, before: &LeaseSpec) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let is_mine = before.holder_identity.as_ref() == Some(&self.name);
        let transitions = before.lease_transitions.unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.name.clone()),
            lease_duration_seconds: i32::try_from(LEASE.as_secs()).ok(),
            acquire_time: before.acquire_time.clone().filter(|_| is_mine).or_else(|| Some(now.clone())),
            renew_time: Some(now),
            lease_transitions: Some(transitions.saturating_add(i32::from(!is_mine))),
            ..LeaseSpec::default()
        }
    }

    /// Takes note of an answer. That somebody else was faster is no error.
    fn written(&mut self, answer: Result<Lease, kube::Error>) -> Result<bool, kube::Error> {
        match answer {
            Ok(lease) => {
                self.observed = Some((lease.spec.unwrap_or_default(), Instant::now()));
                Ok(true)
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn moment(MicroTime(time): &MicroTime) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(time.as_nanosecond()).ok()
}
