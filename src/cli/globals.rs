//! The flags that every command has.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::inputs::PolicyFlags;
use super::terminal::Color;
use crate::config::Configuration;
use crate::report::Detail;

/// Flags of every command.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Globals {
    /// Colours in what is written for people
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(super) color: Color,
    /// The configuration of a server: its policies where -p names none, its subjects and registries
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only what is wrong: no numbers, no notes, no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// What passed, too; for the server, what it does in detail
    #[arg(short, long, global = true)]
    verbose: bool,
}

impl Globals {
    /// How much is said to people.
    pub(super) fn detail(&self) -> Detail {
        match (self.quiet, self.verbose) {
            (true, _) => Detail::Faults,
            (false, true) => Detail::All,
            (false, false) => Detail::Usual,
        }
    }

    /// What a server with that configuration would judge by; None without one. `named`: whether policies are named by a flag.
    ///
    /// # Errors
    /// It can't be read, or its policies are not on this machine and no flag names them.
    pub(super) fn configuration(&self, named: bool) -> anyhow::Result<Option<Configuration>> {
        let Some(path) = &self.config else { return Ok(None) };
        let configuration = read(path)?;
        if configuration.source.is_some() && !named {
            bail!(
                "--config {}: its policies come from a repository (`source`), which only a server verifies and follows; name a tree with -p",
                path.display()
            );
        }
        Ok(Some(configuration))
    }

    /// The policies that flags name, else those of the configuration.
    ///
    /// # Errors
    /// As of [`Self::configuration`].
    pub(super) fn policies(&self, flags: &PolicyFlags) -> anyhow::Result<PolicyFlags> {
        Ok(flags.or_of(self.configuration(flags.named().is_some())?.as_ref()))
    }

    /// For a command that asks nothing of a configuration.
    ///
    /// # Errors
    /// One is given, and would not be read.
    pub(super) fn without_configuration(&self) -> anyhow::Result<()> {
        if let Some(path) = &self.config {
            bail!("--config {}: this command asks nothing of a configuration; leave it out", path.display());
        }
        Ok(())
    }
}

/// Reads a configuration's file.
///
/// # Errors
/// It can't be read, or something in it is wrong.
pub(super) fn read(path: &Path) -> anyhow::Result<Configuration> {
    let name = path.display().to_string();
    let content = std::fs::read(path)
        .with_context(|| format!("--config {name}: can't be read; check that it exists"))?;
    Configuration::read(&name, &content).with_context(|| "the configuration can't be used")
}
