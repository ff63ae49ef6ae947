//! `meshgate check`: manifests, judged as the cluster would judge them.

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::guard::{GuardFlags, UserFlags};
use super::inputs::{FactFlags, PolicyFlags};
use super::{output, paths};
use crate::context::Others;
use crate::dry_run::{Check, Manifests, Outcome, Reviewed};
use crate::{report, yaml};

/// Flags of `check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate check deploy/ --mode deny         what would be refused in a namespace that enforces
  kustomize build . | meshgate check -       what comes out of a renderer
  meshgate check deploy/ --show patch        what policies would change
  meshgate check deploy/ --format json       for a program")]
pub(super) struct Arguments {
    /// Manifests: files, directories, globs, - for standard input
    #[arg(value_name = "PATH", required_unless_present = "filenames")]
    paths: Vec<String>,
    /// The same as PATH, as in kubectl
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    filenames: Vec<String>,
    #[command(flatten)]
    policies: PolicyFlags,
    #[command(flatten)]
    facts: FactFlags,
    #[command(flatten)]
    guard: GuardFlags,
    #[command(flatten)]
    user: UserFlags,
    /// The namespace of objects that name none [default: default]
    #[arg(short = 'n', long, value_name = "NAME")]
    namespace: Option<String>,
    /// How the report is written
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Print what is let in to standard output, and the report to standard error
    #[arg(long, value_enum)]
    show: Option<Show>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Show {
    /// The objects as they would be stored, as YAML
    Final,
    /// What policies change, as JSON Patch
    Patch,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let bundle = arguments.policies.bundle(arguments.facts.now())?;
    let facts = arguments.facts.manifests()?;
    let paths: Vec<String> = arguments.paths.iter().chain(&arguments.filenames).cloned().collect();
    let manifests = Manifests::read(&paths::read(&paths)?);
    let check = Check {
        bundle: &bundle,
        facts: &facts,
        world: arguments.facts.world(&bundle, &facts, Others::Fresh)?,
        now: arguments.facts.now(),
        namespace: arguments.namespace.clone(),
        user: arguments.user.info(),
        subjects: arguments.guard.subjects(),
        explains: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("can't start")?;
    let Outcome { report, reviewed, .. } = runtime.block_on(check.run(&manifests));
    let text = match arguments.format {
        Format::Text => report::text(&report),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&report)?),
    };
    match arguments.show {
        None => output::print(&text)?,
        Some(show) => {
            output::note(&text)?;
            output::print(&shown(show, &reviewed)?)?;
        }
    }
    Ok(report.exit_code())
}

/// What would be refused is not printed, so that nothing can go on to `kubectl apply`.
fn shown(show: Show, reviewed: &[Reviewed]) -> anyhow::Result<String> {
    let mut text = String::new();
    for one in reviewed {
        let Reviewed { file, line, name, allowed, patch, object } = one;
        let header = format!("# {file}:{line} {}/{}", name.kind, name.name);
        // A name is a manifest's; it must not end the comment.
        let header = header.replace(char::is_control, " ");
        match (allowed, show) {
            (false, _) => text.push_str(&format!("{header}: left out, it would be denied\n")),
            (true, Show::Final) => text.push_str(&format!("---\n{header}\n{}", yaml::write(object))),
            (true, Show::Patch) if patch.is_empty() => {}
            (true, Show::Patch) => {
                text.push_str(&format!(
                    "---\n{header}\n{}\n",
                    serde_json::to_string_pretty(&patch.to_value())?
                ));
            }
        }
    }
    Ok(text)
}
