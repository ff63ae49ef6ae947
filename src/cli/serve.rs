//! `meshgate serve`: the webhook.

mod arguments;
mod cluster;
mod delivered;
mod file_facts;
mod greeting;
mod identity;
mod images;
mod knowledge;
mod ports;
mod reload;
mod servable;

use std::sync::Arc;

use anyhow::{Context, anyhow};
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

use super::globals::Globals;
use super::inputs::PolicyFlags;
use super::output;
use crate::activation::{Activation, Readiness};
use crate::cluster::{self as part, Registration, Rows, own_proof_keys};
use crate::config::Configuration;
use crate::context::Now;
use crate::delivery::Surroundings;
use crate::engine::Bundle;
use crate::metrics::Metrics;
use crate::record::Decisions;
use crate::report::Detail;
use crate::webhook::{self, Limits, Service, Stop};
pub(super) use arguments::Arguments;
pub(super) use delivered::compile;
use knowledge::Knowledge;
use ports::Ports;
use reload::Reload;

/// Runs the command until it is told to end.
pub(super) fn run(arguments: &Arguments, globals: &Globals) -> anyhow::Result<u8> {
    let level = match globals.detail() {
        Detail::Faults => "warn",
        Detail::Usual => "info",
        Detail::All => "debug",
    };
    let filter = EnvFilter::try_from_env("MESHGATE_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // A standard error that is closed must not end a review: errors of logging are said there, with a panic.
    let log = tracing_subscriber::fmt().json().with_env_filter(filter).log_internal_errors(false);
    log.with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(super::STACK_BYTES)
        .build()
        .context("can't start")?;
    runtime.block_on(serve(arguments))?;
    Ok(0)
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let configuration = Arc::new(arguments.configuration()?);
    let policies = arguments.policies.or_configured(&configuration.policies);
    policies.can_be_served()?;
    let bundle = first(&policies, &configuration, arguments.facts.now())?;
    let (readiness, metrics) = (Readiness::default(), Metrics::new());
    let knowledge = Knowledge::of(arguments, &configuration, &metrics).await?;
    let serving = identity::serving(arguments, &configuration, &knowledge)?;
    if let Some((_, end)) = serving.identity().and_then(|identity| identity.validity()) {
        metrics.certificate_expiry("serving", end.unix_timestamp());
    }
    let ports = Ports::bind(arguments, &configuration, &serving).await?;
    let events = cluster::events(arguments, &knowledge);
    let (pace, limits) = cluster::waits()?;
    let around =
        part::Surroundings { readiness: &readiness, metrics: &metrics, events: Arc::clone(&events), pace };
    let registration = cluster::register(arguments, &configuration, &knowledge, &serving, around).await;
    let mut preparations = knowledge.preparations();
    let images = images::in_force(&configuration.images, &knowledge, &metrics)
        .context("the configuration can't be used")?;
    preparations.push(images.clone());
    preparations.extend(registration.as_ref().map(Registration::preparation));
    let activation = Activation::new(preparations, &readiness, metrics.clone(), Arc::clone(&events));
    let rows = cluster::rows(arguments, &knowledge, &activation, &pace);
    let service = Service {
        activation: Arc::clone(&activation),
        source: knowledge.source(),
        images,
        events: Arc::clone(&events),
        now: arguments.facts.now,
        decisions: decisions(&configuration, &metrics)?,
        configuration: Arc::clone(&configuration),
        readiness: readiness.clone(),
        metrics: metrics.clone(),
        meshes: knowledge.meshes(),
        proof_keys: registration.as_ref().map_or_else(own_proof_keys, Registration::proof_keys),
    };
    let signals = stop_signal()?;
    output::note(&greeting::text(arguments, &knowledge, &ports, bundle.as_deref())?)?;
    let (now, runtime) = (arguments.facts.now, Handle::current());
    match bundle {
        Some(bundle) => {
            if matches!(knowledge, Knowledge::Files(_)) {
                // Nothing else has to be waited for, and what is wrong is told who started it.
                activation.activate(Arc::clone(&bundle)).await.map_err(|why| anyhow!(why))?;
            }
            let (is_plain, interval) = (configuration.is_plain, pace.policies);
            Reload { policies, is_plain, activation, now, runtime, interval }.start(bundle)?;
        }
        None => {
            let (board, compile, condition) = (cluster::board(&rows), compile(now), readiness.told("source"));
            let around = Surroundings { activation, condition, metrics, events, runtime, compile, board };
            delivered::start(&configuration, around, &pace).await?;
        }
    }
    run_to_the_end(ports, (service, limits), (registration, rows), signals).await
}

/// The bundle that a server begins with. None: a source brings it, it is judged where it is delivered, and waited for.
fn first(
    policies: &PolicyFlags,
    configuration: &Configuration,
    now: Now,
) -> anyhow::Result<Option<Arc<Bundle>>> {
    if configuration.source.is_some() {
        return Ok(None);
    }
    let tree = policies.served(configuration.is_plain)?;
    Ok(Some(Arc::new(servable::servable(policies.compile(&tree, now)?)?)))
}

/// Serves until a signal comes. What this replica does for all ends then, while requests are still answered; its
/// row goes when none is.
async fn run_to_the_end(
    ports: Ports,
    (service, limits): (Service, Limits),
    (registration, rows): (Option<Registration>, Option<Arc<Rows>>),
    signals: impl Future<Output = Stop> + Send,
) -> anyhow::Result<()> {
    let (tell, told) = oneshot::channel();
    let stop = async {
        let stop = signals.await;
        // Nobody listens where nothing is registered.
        tell.send(()).unwrap_or_default();
        stop
    };
    let leave = async {
        drop(told.await);
        if let Some(registration) = registration {
            registration.stop().await;
        }
    };
    let Ports { webhook, admin } = ports;
    let served = webhook::serve(webhook, admin, service, limits, stop);
    let (served, ()) = tokio::join!(served, leave);
    // Until now it answered by what its row says.
    if let Some(rows) = rows {
        rows.stop().await;
    }
    served.context("the server failed")
}

/// The decision log, where one is configured.
fn decisions(configuration: &Configuration, metrics: &Metrics) -> anyhow::Result<Option<Arc<Decisions>>> {
    let Some(log) = &configuration.decision_log else { return Ok(None) };
    // In a Pod, its name.
    let id = std::env::var("HOSTNAME").unwrap_or_else(|_| "meshgate".to_owned());
    let decisions = Decisions::open(&log.file, log.messages, id, metrics.clone()).with_context(|| {
        format!("decisionLog.file: can't write to {}; check that its directory exists", log.file.display())
    })?;
    Ok(Some(Arc::new(decisions)))
}

/// SIGTERM from the kubelet, while others still send requests here; SIGINT from a terminal.
fn stop_signal() -> anyhow::Result<impl Future<Output = Stop> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => Stop::Leave,
            _ = interrupt.recv() => Stop::Now,
        }
    })
}
