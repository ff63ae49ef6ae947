//! `meshgate bundle`: policies' trees as artifacts, and what changed between two.

mod build;
mod diff;
mod inspect;
mod verify;

use clap::{Args, Subcommand};

/// Flags of `bundle`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge and test a policies' tree, and write it as an archive, an OCI layout or a directory
    Build(build::Arguments),
    /// What a bundle weakens and strengthens against another
    Diff(diff::Arguments),
    /// What a bundle is made of: its revision, policies, bindings, exceptions and facts
    Inspect(inspect::Arguments),
    /// Whether a bundle is signed by whom it has to be
    Verify(verify::Arguments),
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    match &arguments.command {
        Command::Build(arguments) => build::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
    }
}
