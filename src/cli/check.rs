//! `meshgate check`: manifests, judged as the cluster would judge them.

use clap::{Args, ValueEnum};

use super::formats::Format;
use super::globals::Globals;
use super::manifests::ManifestFlags;
use super::output;
use crate::dry_run::{Outcome, Reviewed};
use crate::report::{self, FailOn, Sources};
use crate::yaml;

/// Flags of `check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate check deploy/ --mode deny         what would be refused in a namespace that enforces
  kustomize build . | meshgate check -       what comes out of a renderer
  meshgate check deploy/ --show patch        what policies would change
  meshgate check deploy/ --old live/         what is there is updated, what is not is created
  meshgate check deploy/ --format github     annotations in a pull request
  meshgate check deploy/ --fail-on warn      exit code 1 for warnings, too")]
pub(super) struct Arguments {
    #[command(flatten)]
    manifests: ManifestFlags,
    /// How the report is written
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// From what on the exit code is 1
    #[arg(long, value_enum, value_name = "EFFECT", default_value_t = Fails::Deny)]
    fail_on: Fails,
    /// Print what is let in to standard output, and the report to standard error
    #[arg(long, value_enum)]
    show: Option<Show>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Fails {
    /// A denial
    Deny,
    /// A warning, too
    Warn,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Show {
    /// The objects as they would be stored, as YAML
    Final,
    /// What policies change, as JSON Patch
    Patch,
}

/// Runs the command.
pub(super) fn run(mut arguments: Arguments, globals: &Globals) -> anyhow::Result<u8> {
    arguments.manifests.complete(globals)?;
    arguments.format.built()?;
    let files = arguments.manifests.files()?;
    let Outcome { report, reviewed, .. } =
        arguments.manifests.judged(&files, (arguments.show.is_some(), false), globals)?;
    let report = report.naming_files(|file| arguments.manifests.policies.shown(file));
    let fail_on = match arguments.fail_on {
        Fails::Deny => FailOn::Deny,
        Fails::Warn => FailOn::Warn,
    };
    let paint = if arguments.show.is_none() { globals.color.of_output() } else { globals.color.of_errors() };
    let sources = Sources::new(files.iter().map(|file| (file.name.as_str(), file.content.bytes())));
    let text = match arguments.format {
        Format::Text => report::pretty(&report, &sources, paint, globals.detail()),
        format => format.written(&report, fail_on)?,
    };
    match arguments.show {
        None => output::print(&text)?,
        Some(show) => {
            output::note(&text)?;
            output::print(&shown(show, &reviewed)?)?;
        }
    }
    Ok(report.exit_code(fail_on))
}

/// What would be refused is not printed, so that nothing can go on to `kubectl apply`.
fn shown(show: Show, reviewed: &[Reviewed]) -> anyhow::Result<String> {
    let mut text = String::new();
    for one in reviewed {
        let Reviewed { file, line, name, allowed, patch, object } = one;
        // What is deleted is stored no more.
        if object.is_null() {
            continue;
        }
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
