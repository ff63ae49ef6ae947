//! `meshgate init`: a policy repository to start from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::output;
use crate::source;

/// Flags of `init`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate init policy-repo                  a policies' tree with a policy, its tests, and what CI runs

What is there already is never written over.")]
pub(super) struct Arguments {
    /// The directory, which is made where there is none
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let root = &arguments.directory;
    let files = source::policy_repository();
    if let Some((path, _)) = files.iter().find(|(path, _)| root.join(path).exists()) {
        bail!("{} is there already; name another directory", root.join(path).display());
    }
    let mut text = String::new();
    for (path, content) in &files {
        write(&root.join(path), content)?;
        text.push_str(&format!("{}\n", root.join(path).display()));
    }
    output::print(&text)?;
    let root = root.display();
    output::note(&format!("\nNext: meshgate test {root}/policies, then read {root}/README.md\n"))?;
    Ok(0)
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, content));
    written.with_context(|| format!("can't write {}", path.display()))
}
