//! `meshgate review`: an AdmissionReview in, the webhook's answer out.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::globals::Globals;
use super::guard::GuardFlags;
use super::inject::installed;
use super::inputs::{FactFlags, PolicyFlags};
use super::missing::MissingFlags;
use super::{output, paths};
use crate::admission;
use crate::context::Facts;
use crate::dry_run::{Content, Manifests};
use crate::report::Detail;
use crate::review::{Mesh, NoMesh, Phase, complete_in};

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
    #[command(flatten)]
    missing: MissingFlags,
    /// The mesh's own configuration: what policies inject is rendered from it
    #[arg(long, value_name = "PATH")]
    mesh_config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PhaseName {
    /// `/mutate`: what policies change
    Mutate,
    /// `/validate`: what policies find
    Validate,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, globals: &Globals) -> anyhow::Result<u8> {
    let configured = globals.configuration(arguments.policies.named().is_some())?;
    let configured = configured.as_ref();
    let (now, given) = (arguments.facts.now(), arguments.facts.manifests()?);
    let bundle = arguments.policies.or_of(configured).bundle(now)?;
    let world = arguments.facts.world(&bundle, &given, arguments.missing.others())?;
    let world = world.with_images(arguments.missing.images(&bundle, configured, ([&given], None))?);
    let istio = match &arguments.mesh_config {
        Some(path) => Some(installed(path, &given, &Manifests::default(), bundle.meshes.as_ref())?),
        None => None,
    };
    let mesh: &dyn Mesh = istio.as_ref().map_or(&NoMesh, |istio| istio);
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
    let facts = Facts::at(now).guarded_by(Arc::new(arguments.guard.subjects(configured)));
    let mut decision = runtime.block_on(complete_in(mesh, &bundle, &world, facts, &request, phase));
    let left_out = arguments.missing.left_out(&bundle);
    let (skipped, kept): (Vec<_>, Vec<_>) =
        decision.findings.into_iter().partition(|finding| left_out.has(finding));
    decision.findings = kept;
    let answer = admission::respond(request.uid(), &decision.answer());
    if !skipped.is_empty() && globals.detail() != Detail::Faults {
        output::note(&format!("not judged, because a fact is missing: {}\n", skipped.len()))?;
    }
    output::print(&format!("{}\n", serde_json::to_string_pretty(&answer)?))?;
    Ok(match (decision.findings.iter().any(|finding| finding.is_error), decision.allowed()) {
        (true, _) => super::FAILED,
        (false, false) => 1,
        (false, true) => 0,
    })
}
