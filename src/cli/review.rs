//! `meshgate review`: an AdmissionReview in, the webhook's answer out.

use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::guard::GuardFlags;
use super::inputs::{FactFlags, PolicyFlags};
use super::{output, paths};
use crate::admission;
use crate::context::{Facts, Others};
use crate::dry_run::Content;
use crate::review::{Phase, complete};

/// Flags of `review`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 allowed, 1 not allowed, 2 not an AdmissionReview, 3 a policy was in error or a fact is missing")]
pub(super) struct Arguments {
    /// The AdmissionReview: a file, or - for standard input
    #[arg(value_name = "FILE")]
    file: String,
    /// The webhook that is asked
    #[arg(long, value_enum)]
    phase: PhaseName,
    #[command(flatten)]
    policies: PolicyFlags,
    #[command(flatten)]
    facts: FactFlags,
    #[command(flatten)]
    guard: GuardFlags,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PhaseName {
    /// `/mutate`: what policies change
    Mutate,
    /// `/validate`: what policies find
    Validate,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let bundle = arguments.policies.bundle(arguments.facts.now())?;
    let world = arguments.facts.world(&bundle, &arguments.facts.manifests()?, Others::Fresh)?;
    let files = paths::read(std::slice::from_ref(&arguments.file))?;
    let [file] = files.as_slice() else { anyhow::bail!("{}: name one file", arguments.file) };
    if let Content::LeftOut(why) | Content::Unreadable(why) = &file.content {
        anyhow::bail!("{}: {why}", file.name);
    }
    let request = admission::decode(file.content.bytes()).with_context(|| file.name.clone())?;
    let phase = match arguments.phase {
        PhaseName::Mutate => Phase::Mutate,
        PhaseName::Validate => Phase::Validate,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("can't start")?;
    let facts = Facts::at(arguments.facts.now()).guarded_by(Arc::new(arguments.guard.subjects()));
    let decision = runtime.block_on(complete(&bundle, &world, facts, &request, phase));
    let answer = admission::respond(request.uid(), &decision.answer());
    output::print(&format!("{}\n", serde_json::to_string_pretty(&answer)?))?;
    Ok(match (decision.findings.iter().any(|finding| finding.is_error), decision.allowed()) {
        (true, _) => super::FAILED,
        (false, false) => 1,
        (false, true) => 0,
    })
}
