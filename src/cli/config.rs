//! `meshgate config`: the process's own configuration.

use clap::{Args, Subcommand};

use super::output;
use crate::config::Configuration;

/// Flags of `config`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the JSON Schema of meshgate.yaml
    #[command(after_help = "\
Examples:
  meshgate config schema > meshgate.schema.json")]
    Schema,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let text = match arguments.command {
        Command::Schema => serde_json::to_string_pretty(&Configuration::schema())?,
    };
    output::print(&format!("{text}\n"))?;
    Ok(0)
}
