//! A replica of an installation: what it registers, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

use super::Arguments;
use super::knowledge::Knowledge;
use crate::activation::Activation;
use crate::certificates::Serving;
use crate::cluster::{Connection, EventWriter, Pace, Registration, Rows, Surroundings};
use crate::config::Configuration;
use crate::delivery::Board;
use crate::events::{Events, Untold};
use crate::webhook::Limits;

/// For tests: the factor by which all waits are shortened.
const PACE: &str = "MESHGATE_PACE";

/// What whoever balances load needs at least to learn that a server ends, also in a test.
const SHORTEST_LEAVE: Duration = Duration::from_secs(4);

/// How long things are waited for, and what a server takes.
pub(super) fn waits() -> anyhow::Result<(Pace, Limits)> {
    let (pace, limits) = (Pace::default(), Limits::default());
    let Ok(factor) = std::env::var(PACE) else { return Ok((pace, limits)) };
    let number = factor.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    let number = number.with_context(|| format!("{PACE}={factor}: write a number from 0 to 1"))?;
    tracing::warn!(number, "{PACE} shortens what is waited for: for tests only");
    let leave = limits.leave.mul_f64(number).max(SHORTEST_LEAVE);
    Ok((pace.shortened(number), Limits { leave, ..limits }))
}

/// The part in the registration, where this process has one.
pub(super) async fn register(
    arguments: &Arguments,
    configuration: &Arc<Configuration>,
    knowledge: &Knowledge,
    serving: &Serving,
    around: Surroundings<'_>,
) -> Option<Registration> {
    let connection = registers(arguments, knowledge)?;
    let configuration = Arc::clone(configuration);
    Some(Registration::start(connection, configuration, serving.clone(), &replica(), around).await)
}

/// Who is told of what operators are to know.
pub(super) fn events(arguments: &Arguments, knowledge: &Knowledge) -> Arc<dyn Events> {
    match registers(arguments, knowledge) {
        Some(connection) => EventWriter::start(connection, &replica()),
        None => Arc::new(Untold),
    }
}

/// What this replica tells others, and they it.
pub(super) fn rows(
    arguments: &Arguments,
    knowledge: &Knowledge,
    activation: &Activation,
    pace: &Pace,
) -> Option<Arc<Rows>> {
    let connection = registers(arguments, knowledge)?;
    Some(Rows::start(connection, &replica(), activation.changes(), pace))
}

/// Where it hears of what they accepted.
pub(super) fn board(rows: &Option<Arc<Rows>>) -> Option<Arc<dyn Board>> {
    rows.clone().map(|rows| -> Arc<dyn Board> { rows })
}

/// Where there is a cluster and no flag says which certificate is shown: then somebody else registers this process.
fn registers<'a>(arguments: &Arguments, knowledge: &'a Knowledge) -> Option<&'a Connection> {
    match knowledge {
        Knowledge::Cluster(connection, _) if arguments.tls_cert_file.is_none() => Some(connection),
        Knowledge::Cluster(..) | Knowledge::Files(_) => None,
    }
}

/// A Pod's host name is its name.
fn replica() -> String {
    std::env::var("HOSTNAME").unwrap_or_else(|_| "meshgate".to_owned())
}
