//! `meshgate explain`: how the decision about each manifest came about.

use clap::Args;

use super::formats::TextOrJson;
use super::globals::Globals;
use super::manifests::ManifestFlags;
use super::output;
use crate::dry_run::Outcome;
use crate::report::{self, FailOn};

/// Flags of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate explain deploy/web.yaml           why each policy was asked or not, and which rule said what
  meshgate explain deploy/ -p policies       … of your policies
  meshgate explain - --format json           for a program

Exit codes: as check has them")]
pub(super) struct Arguments {
    #[command(flatten)]
    manifests: ManifestFlags,
    /// How it is written
    #[arg(short = 'o', long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Runs the command.
pub(super) fn run(mut arguments: Arguments, globals: &Globals) -> anyhow::Result<u8> {
    arguments.manifests.complete(globals)?;
    let Outcome { report, explained, .. } =
        arguments.manifests.judged(&arguments.manifests.files()?, (false, true), globals)?;
    let file = |path: &str| arguments.manifests.policies.shown(path);
    output::print(&match arguments.format {
        TextOrJson::Text => report::explained_text(&explained, file, globals.color.of_output()),
        TextOrJson::Json => {
            let json = report::explained_json(&report.revision, &explained, file);
            format!("{}\n", serde_json::to_string_pretty(&json)?)
        }
    })?;
    Ok(report.exit_code(FailOn::Deny))
}
