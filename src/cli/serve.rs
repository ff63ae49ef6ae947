//! `meshgate serve`: the webhook.

mod arguments;
mod cluster;
mod file_facts;
mod greeting;
mod identity;
mod knowledge;

use std::sync::Arc;

use anyhow::{Context, anyhow};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::output;
use crate::activation::{Activation, Readiness};
use crate::certificates;
use crate::cluster::Registration;
use crate::metrics::Metrics;
use crate::webhook::{self, Limits, Service};
pub(super) use arguments::Arguments;
use knowledge::Knowledge;

/// Runs the command until it is told to end.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let filter = EnvFilter::try_from_env("MESHGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
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
    let bundle = Arc::new(policies.bundle(arguments.facts.now())?);
    let (readiness, metrics) = (Readiness::default(), Metrics::new());
    let knowledge = Knowledge::of(arguments, &configuration, &metrics).await?;
    let serving = identity::serving(arguments, &configuration, &knowledge)?;
    let tls = certificates::server_config(&serving, None)?;
    let registration =
        cluster::register(arguments, &configuration, &knowledge, &serving, (&readiness, &metrics)).await?;
    let mut preparations = knowledge.preparations();
    preparations.extend(registration.as_ref().map(Registration::preparation));
    let activation = Activation::new(preparations, &readiness, metrics.clone());
    let service = Service {
        activation: Arc::clone(&activation),
        source: knowledge.source(),
        now: arguments.facts.now,
        subjects: Arc::clone(&configuration.subjects),
        metrics,
    };
    let address = configuration.webhook;
    let listener = TcpListener::bind(address).await.with_context(|| format!("can't listen on {address}"))?;
    let address = listener.local_addr().context("can't tell the address")?;
    let stop = stop_signal()?;
    output::note(&greeting::text(arguments, &knowledge, address, &bundle))?;
    activation.activate(bundle).await.map_err(|why| anyhow!(why))?;
    let served = webhook::serve(listener, tls, service, Limits::default(), stop).await;
    if let Some(registration) = registration {
        registration.stop().await;
    }
    served.context("the server failed")
}

/// SIGTERM from the kubelet, SIGINT from a terminal.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate()).context("can't listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("can't listen for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
