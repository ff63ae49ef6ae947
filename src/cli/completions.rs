//! `meshgate completions`: the script that a shell completes by.

use clap::{Args, Command};
use clap_complete::Shell;

use super::output;

/// Flags of `completions`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, command: &mut Command) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "meshgate", &mut script);
    output::print(&String::from_utf8(script)?)?;
    Ok(0)
}
