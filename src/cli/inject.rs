//! `meshgate inject`: manifests with the sidecars that their mesh would inject, where policies agree.

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use serde_json::Value;

use super::globals::Globals;
use super::guard::GuardFlags;
use super::inputs::{FactFlags, PolicyFlags, given};
use super::missing::MissingFlags;
use super::{diff, output, paths};
use crate::dry_run::{Inject, InjectOutcome, InjectedDocument, Manifest, Manifests, Note};
use crate::mesh::istio::Istio;
use crate::policy::MeshSettings;
use crate::report::Detail;
use crate::yaml;

/// The policies where nobody says which.
const DEFAULT: &str = "embedded/mesh";

/// The exit code where a sidecar that is wanted can't be injected.
const REFUSED: u8 = 1;
/// The exit code where a document can't be read.
const INVALID: u8 = 2;

/// Flags of `inject`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate inject deploy/ --mesh-config mesh/ | kubectl apply -f -
  meshgate inject web.yaml --mesh-config mesh/ --revision canary
  meshgate inject web.yaml --mesh-config mesh/ --diff

What belongs below mesh/:
  kubectl -n istio-system get configmap istio istio-sidecar-injector -o yaml > mesh/configmaps.yaml
  kubectl get mutatingwebhookconfiguration -l app=sidecar-injector -o yaml > mesh/webhooks.yaml
  kubectl get nodes -o yaml > mesh/nodes.yaml")]
pub(super) struct Arguments {
    /// Manifests: files, directories, globs, - for standard input
    #[arg(value_name = "PATH", required_unless_present = "filenames")]
    paths: Vec<String>,
    /// The same as PATH, as in kubectl
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    filenames: Vec<String>,
    /// The mesh's own configuration: its ConfigMaps, webhook configurations, ProxyConfigs and the Nodes
    #[arg(long, value_name = "PATH", required = true)]
    mesh_config: PathBuf,
    /// That revision of the mesh, whatever labels say [default: as webhooks select, or the only one]
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    #[command(flatten)]
    policies: PolicyFlags,
    #[command(flatten)]
    facts: FactFlags,
    #[command(flatten)]
    guard: GuardFlags,
    #[command(flatten)]
    missing: MissingFlags,
    /// Print what is changed instead, as a unified diff
    #[arg(long)]
    diff: bool,
    /// The namespace of objects that name none [default: default]
    #[arg(short = 'n', long, value_name = "NAME")]
    namespace: Option<String>,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, globals: &Globals) -> anyhow::Result<u8> {
    let configured = globals.configuration(arguments.policies.named().is_some())?;
    let configured = configured.as_ref();
    let now = arguments.facts.now();
    let policies = arguments.policies.or_of(configured).or_configured(DEFAULT);
    let bundle = policies.bundle(now)?;
    let facts = arguments.facts.manifests()?;
    let paths: Vec<String> = arguments.paths.iter().chain(&arguments.filenames).cloned().collect();
    let manifests = Manifests::read(&paths::read(&paths)?);
    let mut mesh = installed(&arguments.mesh_config, &facts, &manifests, bundle.meshes.as_ref())?.by_hand();
    if let Some(revision) = &arguments.revision {
        mesh = mesh.only(revision).map_err(|why| anyhow!("--revision: {why}"))?;
    }
    let stated = ([&facts, &manifests], arguments.namespace.as_deref());
    let images = arguments.missing.images(&bundle, configured, stated)?;
    let inject = Inject {
        bundle: &bundle,
        mesh: &mesh,
        facts: &facts,
        world: arguments.facts.world(&bundle, &facts, arguments.missing.others())?.with_images(images),
        now,
        namespace: arguments.namespace.clone(),
        left_out: arguments.missing.left_out(&bundle),
        subjects: arguments.guard.subjects(configured),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("can't start")?;
    let injections = runtime.block_on(inject.run(&manifests));
    output::note(&report(&injections.notes, globals.detail()))?;
    let written = if arguments.diff { diffs(&injections.documents) } else { whole(&injections.documents) };
    let code = injections.notes.iter().map(|note| code(&note.outcome)).max().unwrap_or_default();
    // Half of what was asked for is not to be applied.
    if code == 0 {
        output::print(&written)?;
    }
    Ok(code)
}

fn whole(documents: &[InjectedDocument]) -> String {
    documents.iter().map(|document| yaml::write(&document.after)).collect::<Vec<_>>().join("---\n")
}

/// What is changed of each document. Both sides are written anew, so that comments and quotes are no change.
fn diffs(documents: &[InjectedDocument]) -> String {
    let of = |document: &InjectedDocument| {
        diff::unified(&document.file, &yaml::write(&document.before), &yaml::write(&document.after))
    };
    documents.iter().map(of).collect()
}

/// The mesh below a path, in the cluster that the facts tell of. What is judged may make Namespaces and ProxyConfigs,
/// but not the mesh: else it could say itself which containers are a sidecar's.
pub(super) fn installed(
    path: &std::path::Path,
    facts: &Manifests,
    judged: &Manifests,
    settings: Option<&MeshSettings>,
) -> anyhow::Result<Istio> {
    let own = given("--mesh-config", &path.display().to_string())?;
    let is_told = |one: &&Manifest| ["Namespace", "ProxyConfig"].contains(&one.text("kind"));
    let all = own.objects().chain(facts.objects()).chain(judged.objects().filter(is_told));
    let objects: Vec<Value> = all.map(|one| Value::Object(one.object().clone())).collect();
    let istio = Istio::of_objects(&objects, settings).map_err(|why| anyhow!("--mesh-config: {why}"))?;
    if istio.is_empty() {
        bail!(
            "--mesh-config {}: no ConfigMap istio-sidecar-injector; export it with `kubectl -n istio-system get configmap istio istio-sidecar-injector -o yaml`",
            path.display()
        );
    }
    Ok(istio)
}

fn code(outcome: &InjectOutcome) -> u8 {
    match outcome {
        InjectOutcome::Injected(_) | InjectOutcome::Skipped(_) => 0,
        InjectOutcome::Refused(_) => REFUSED,
        InjectOutcome::Invalid(_) => INVALID,
    }
}

fn report(notes: &[Note], detail: Detail) -> String {
    let mut text = String::new();
    let is_said = |note: &&Note| detail != Detail::Faults || code(&note.outcome) != 0;
    for Note { file, line, name, outcome } in notes.iter().filter(is_said) {
        let (word, why) = match outcome {
            InjectOutcome::Injected(why) => ("injected", why),
            InjectOutcome::Skipped(why) => ("skipped", why),
            InjectOutcome::Refused(why) => ("refused", why),
            InjectOutcome::Invalid(why) => ("invalid", why),
        };
        let shown = format!("{file}:{line} {name}: {word}: {why}");
        // What a manifest says must not look like a line of ours.
        text.push_str(&shown.replace(char::is_control, " "));
        text.push('\n');
    }
    if detail == Detail::Faults {
        return text;
    }
    let count = |code_of: u8| notes.iter().filter(|note| code(&note.outcome) == code_of).count();
    let injected = notes.iter().filter(|note| matches!(note.outcome, InjectOutcome::Injected(_))).count();
    text.push_str(&format!(
        "{injected} injected, {} skipped, {} refused, {} invalid\n",
        count(0).saturating_sub(injected),
        count(REFUSED),
        count(INVALID)
    ));
    text
}
