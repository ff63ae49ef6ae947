//! `meshgate test`: what a policies' tree proves of itself, its tests and its examples.

use clap::{Args, ValueEnum};
use regex::Regex;

use super::globals::Globals;
use super::inputs::PolicyFlags;
use super::output;
use crate::source;
use crate::suite::{self, Choice, Suite};

/// Flags of `test`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate test policies                     all tests and examples of your policies
  meshgate test policies --run no_latest     those with this in their name
  meshgate test policies --coverage          and which lines no test reaches
  meshgate test policies --format junit      for a build server

Exit codes: 0 passed, 1 a test or an example failed, 2 the policies can't be read or don't load")]
pub(super) struct Arguments {
    /// The policies, as with --policies
    #[arg(value_name = "DIR", conflicts_with = "policies")]
    directory: Option<String>,
    #[command(flatten)]
    policies: PolicyFlags,
    /// Run only what has a name (data.PACKAGE.test_NAME, or an example's file) in which this regular expression is found
    #[arg(long, value_name = "REGEX")]
    run: Option<Regex>,
    /// Say which lines of policies the tests reach
    #[arg(long)]
    coverage: bool,
    /// How the results are written
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For build servers
    Junit,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, globals: &Globals) -> anyhow::Result<u8> {
    let flags = globals.policies(&arguments.policies.or_in(arguments.directory.as_ref()))?;
    let root = flags.name().trim_end_matches(std::path::is_separator);
    let suite =
        Suite::read(&flags.tree()?, &source::catalogue(), root).map_err(|faults| flags.unusable(&faults))?;
    let results =
        suite.run(&Choice { run: arguments.run.clone(), coverage: arguments.coverage, one_by_one: false });
    let text = match arguments.format {
        Format::Text => suite::text(&results, globals.detail(), globals.color.of_output()),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&results)?),
        Format::Junit => suite::junit(&results),
    };
    output::print(&text)?;
    if results.cases.is_empty() && !matches!(arguments.format, Format::Text) {
        output::note("no tests and no examples: nothing was run\n")?;
    }
    Ok(results.exit_code())
}
