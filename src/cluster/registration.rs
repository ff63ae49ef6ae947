//! A replica of an installation: it shows a certificate that the API server trusts, stands for election, and where it leads
//! keeps the registration.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use kube::Client;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::authority;
use super::connection::Connection;
use super::leader::{Candidate, Lead};
use super::live::{self, Live};
use super::pace::Pace;
use super::proof::{Keys, Proof};
use super::registrar::Registrar;
use super::removal;
use super::shown::Shown;
use super::state::State;
use super::told::Told;
use super::wants::Wants;
use crate::activation::{Preparation, Readiness};
use crate::certificates::Serving;
use crate::config::Configuration;
use crate::engine::Bundle;
use crate::events::Events;
use crate::metrics::Metrics;

/// How long an end may take: the API server may be away, and nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a replica is part of.
pub struct Surroundings<'a> {
    /// Where it says whether requests may come.
    pub readiness: &'a Readiness,
    /// Where what happens is counted.
    pub metrics: &'a Metrics,
    /// Who is told of what operators are to know.
    pub events: Arc<dyn Events>,
    /// How long things are waited for.
    pub pace: Pace,
}

/// This replica's part in the registration. It ends when this is dropped.
pub struct Registration {
    client: Client,
    wants: Wants,
    live: watch::Receiver<Live>,
    pace: Pace,
    state: State,
    proof_keys: Keys,
    /// The Deployment that there was at the start.
    deployment: Option<String>,
    tasks: Vec<JoinHandle<()>>,
    resign: Option<oneshot::Sender<()>>,
    election: Option<JoinHandle<()>>,
}

impl Registration {
    /// Begins. What `serving` shows is its matter from now on. `name` is whom others see leading.
    pub async fn start(
        connection: &Connection,
        configuration: Arc<Configuration>,
        serving: Serving,
        name: &str,
        Surroundings { readiness, metrics, events, pace }: Surroundings<'_>,
    ) -> Self {
        let client = connection.client();
        let (live, state, wants) = (live::watch(&client), State::watch(&client), Wants::new(&pace));
        let credentials = authority::watch(&client, &configuration.certificates, &pace);
        let (proof, proof_keys) = Proof::watch(&client);
        let shown = Shown {
            serving,
            condition: readiness.condition("certificate"),
            metrics: metrics.clone(),
            pace,
            was_trusted: false,
        };
        let (obstacle, obstructed) = watch::channel(None);
        let told = Told {
            condition: readiness.told("registration"),
            metrics: metrics.clone(),
            wants: wants.clone(),
            state: state.clone(),
            obstacle: obstructed,
        };
        let registrar = Registrar {
            client: client.clone(),
            configuration,
            pace,
            wants: wants.clone(),
            live: live.clone(),
            credentials: credentials.clone(),
            proof,
            state: state.clone(),
            metrics: metrics.clone(),
            events,
            obstacle,
        };
        let (candidate, leads) = Candidate::new(client.clone(), unique(name));
        let (resign, resigned) = oneshot::channel();
        let election = tokio::spawn(stand(candidate, wants.clone(), resigned));
        let tasks = vec![
            tokio::spawn(shown.run(credentials, live.clone())),
            tokio::spawn(told.run(live.clone())),
            tokio::spawn(lead(registrar, leads, metrics.clone())),
        ];
        let asked = timeout(PATIENCE, state.deployment()).await;
        let deployment = asked.ok().and_then(Result::ok).flatten();
        let (resign, election) = (Some(resign), Some(election));
        Self { client, wants, live, pace, state, proof_keys, deployment, tasks, resign, election }
    }

    /// The keys by which what any replica rendered is known again.
    pub fn proof_keys(&self) -> Keys {
        self.proof_keys.clone()
    }

    /// What a candidate waits for: that the API server sends what it wants to see.
    pub fn preparation(&self) -> Arc<dyn Preparation> {
        Arc::new(Widening { wants: self.wants.clone(), live: self.live.clone(), shown: self.pace.shown })
    }

    /// Gives the Lease up, and takes the registration back if the Deployment is gone: nobody is left to answer.
    pub async fn stop(mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        drop(self.resign.take());
        if let Some(election) = self.election.take() {
            drop(timeout(PATIENCE, election).await);
        }
        // Scaled to nothing, it is still there. A process that never had one can't miss it.
        if self.deployment.is_none() {
            return;
        }
        if let Ok(Ok(None)) = timeout(PATIENCE, self.state.deployment()).await {
            tracing::info!("the Deployment is gone, so the registration is taken back");
            match timeout(PATIENCE, removal::delete(&self.client)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the webhook configurations can't be deleted"),
                Err(_) => tracing::error!("the webhook configurations can't be deleted: no answer"),
            }
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.tasks.iter().chain(&self.election).for_each(JoinHandle::abort);
    }
}

/// Stands for election until told to resign.
async fn stand(mut candidate: Candidate, wants: Wants, resigned: oneshot::Receiver<()>) {
    // Who has nothing to register would keep the Lease from those that do.
    let stand = async {
        wants.first().await;
        candidate.run().await;
    };
    tokio::select! {
        () = stand => {}
        _ = resigned => candidate.release().await,
    }
}

/// Keeps the registration for as long as this replica leads.
async fn lead(mut registrar: Registrar, mut leads: watch::Receiver<Option<Lead>>, metrics: Metrics) {
    loop {
        let lead = match leads.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(lead)) => *lead,
            Ok(None) => continue,
            Err(_) => return,
        };
        metrics.leader(true);
        tokio::select! {
            () = registrar.lead(lead) => {}
            _ = leads.wait_for(Option::is_none) => {}
        }
        registrar.obstacle.send_replace(None);
        metrics.leader(false);
    }
}

/// A name that nothing else has.
pub(super) fn unique(name: &str) -> String {
    let mut bytes = [0_u8; 4];
    // Without randomness there is no TLS either.
    rand::fill(&mut bytes).unwrap_or_default();
    format!("{name}-{:08x}", u32::from_be_bytes(bytes))
}

struct Widening {
    wants: Wants,
    live: watch::Receiver<Live>,
    shown: Duration,
}

impl Preparation for Widening {
    fn prepare<'a>(
        &'a self,
        candidate: &'a Arc<Bundle>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            let mut live = self.live.clone();
            self.wants.widened(candidate, &mut live, self.shown).await
        })
    }

    fn activated(&self, bundle: &Arc<Bundle>) {
        self.wants.activated(bundle);
    }
}
