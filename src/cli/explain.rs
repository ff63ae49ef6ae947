//! `meshgate explain`: how the decision about each manifest came about.

use anyhow::Context;
use clap::{Args, ValueEnum};

use super::guard::{GuardFlags, UserFlags};
use super::inputs::{FactFlags, PolicyFlags};
use super::{output, paths};
use crate::context::Others;
use crate::dry_run::{Check, Manifests, Outcome};
use crate::report;

/// Flags of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate explain deploy/web.yaml           why each policy was asked or not, and which rule said what
  meshgate explain deploy/ -p policies       … of your policies
  meshgate explain - --format json           for a program

Exit codes: as check has them")]
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
    /// How it is written
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
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
        explains: true,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("can't start")?;
    let Outcome { report, explained, .. } = runtime.block_on(check.run(&manifests));
    let file = |path: &str| arguments.policies.shown(path);
    output::print(&match arguments.format {
        Format::Text => report::explained_text(&explained, file),
        Format::Json => {
            let json = report::explained_json(&report.revision, &explained, file);
            format!("{}\n", serde_json::to_string_pretty(&json)?)
        }
    })?;
    Ok(report.exit_code())
}
