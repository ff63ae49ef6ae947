//! A replica of an installation: what it registers, and how it ends.

use std::sync::Arc;

use anyhow::Context;

use super::Arguments;
use super::knowledge::Knowledge;
use crate::activation::Readiness;
use crate::certificates::Serving;
use crate::cluster::{Pace, Registration};
use crate::config::Configuration;
use crate::metrics::Metrics;

/// For tests: the factor by which all waits are shortened.
const PACE: &str = "MESHGATE_PACE";

/// How long things are waited for.
pub(super) fn pace() -> anyhow::Result<Pace> {
    let Ok(factor) = std::env::var(PACE) else { return Ok(Pace::default()) };
    let number = factor.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    let number = number.with_context(|| format!("{PACE}={factor}: write a number from 0 to 1"))?;
    tracing::warn!(number, "{PACE} shortens what is waited for: for tests only");
    Ok(Pace::default().shortened(number))
}

/// The part in the registration, where there is a cluster and no flag says which certificate is shown: then somebody else
/// registers this process.
pub(super) async fn register(
    arguments: &Arguments,
    configuration: &Arc<Configuration>,
    knowledge: &Knowledge,
    serving: &Serving,
    (readiness, metrics): (&Readiness, &Metrics),
) -> anyhow::Result<Option<Registration>> {
    let Knowledge::Cluster(connection, _) = knowledge else { return Ok(None) };
    if arguments.tls_cert_file.is_some() {
        return Ok(None);
    }
    // A Pod's host name is its name.
    let name = std::env::var("HOSTNAME").unwrap_or_else(|_| "meshgate".to_owned());
    let others = (readiness, metrics, pace()?);
    Ok(Some(Registration::start(connection, Arc::clone(configuration), serving.clone(), &name, others).await))
}
