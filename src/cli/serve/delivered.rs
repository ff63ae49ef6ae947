//! Policies from a repository: how their tree is compiled, and that they begin to be delivered.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context, anyhow};
use tokio::task::spawn_blocking;

use super::servable::servable;
use crate::cli::inputs::clock;
use crate::cluster::Pace;
use crate::config::Configuration;
use crate::context::Now;
use crate::delivery::{Compile, Delivery, Settings, Surroundings};
use crate::engine;
use crate::policy::Draft;
use crate::source;

/// Faults of a tree that are told; the rest is counted.
const LISTED: usize = 20;

/// Begins; what is faulty is told who started the server.
pub(super) async fn start(
    configuration: &Configuration,
    around: Surroundings,
    pace: &Pace,
) -> anyhow::Result<()> {
    let mut source = configuration.source.clone().context("there is no source")?;
    source.interval = source.interval.mul_f64(pace.factor);
    let settings = Settings {
        source,
        trust: configuration.trust.clone().context("there is no trust")?,
        state: configuration.state.clone().context("there is no state")?,
        trials: configuration.trials.clone(),
    };
    // What it keeps has a runtime of its own, which must not end within this one.
    let started = spawn_blocking(move || Delivery::open(settings, around)?.start());
    started.await.context("can't start")?.map_err(|error| anyhow!(error))
}

/// How a tree becomes a bundle that a server can serve.
pub(in crate::cli) fn compile(now: Option<Now>) -> Compile {
    Box::new(move |tree| {
        let compile = || {
            let draft = Draft::read(tree, &source::catalogue()).at(now.unwrap_or_else(clock));
            let bundle = engine::compile(draft).map_err(|faults| {
                let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
                let more = lines.len().saturating_sub(LISTED);
                let mut text = lines.into_iter().take(LISTED).collect::<Vec<_>>().join("\n");
                if more > 0 {
                    text.push_str(&format!("\n… and {more} more"));
                }
                text
            })?;
            servable(bundle).map_err(|error| error.to_string())
        };
        // The thread that delivers is the only one: it outlives what it finds.
        let compiled = catch_unwind(AssertUnwindSafe(compile));
        compiled.unwrap_or_else(|_| Err("loading them failed inside meshgate; its log says where".to_owned()))
    })
}
