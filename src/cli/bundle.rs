//! `meshgate bundle`: policies' trees as artifacts, what changed between two, and what replicas have in force.

mod build;
mod diff;
mod inspect;
mod replicas;
mod status;
mod verify;
mod wait;

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
    /// What each replica of a running installation has in force
    Status(status::Arguments),
    /// Whether a bundle is signed by whom it has to be
    Verify(verify::Arguments),
    /// Wait until every replica of a running installation has a commit in force
    Wait(wait::Arguments),
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    match &arguments.command {
        Command::Build(arguments) => build::run(arguments),
        Command::Diff(arguments) => diff::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Status(arguments) => status::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Wait(arguments) => wait::run(arguments),
    }
}
