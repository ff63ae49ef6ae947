//! What a PATH argument means: a file, a directory (all YAML and JSON below it), `-` for standard input, a glob.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use glob::MatchOptions;

use crate::dry_run::File;

/// What manifests are written in.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// Reads all files that `paths` name, in their order; within a directory sorted by name.
pub(super) fn read(paths: &[String]) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for path in paths {
        let before = files.len();
        read_one(path, &mut files)?;
        if files.len() == before {
            bail!(
                "{path}: no file ending in .yaml, .yml or .json; name a file, a directory, a glob, or - for standard input"
            );
        }
    }
    Ok(files)
}

fn read_one(path: &str, files: &mut Vec<File>) -> anyhow::Result<()> {
    if path == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("can't read standard input")?;
        files.push(File { name: path.to_owned(), bytes, named: true });
        return Ok(());
    }
    let direct = Path::new(path);
    if direct.exists() || !path.contains(['*', '?', '[']) {
        return below(direct, true, files);
    }
    // As shells do it: a name that begins with a dot is meant only where the dot is written.
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::default() };
    let found = glob::glob_with(path, options).with_context(|| format!("{path}: not a glob"))?;
    for entry in found {
        below(&entry.with_context(|| path.to_owned())?, true, files)?;
    }
    Ok(())
}

fn below(path: &Path, named: bool, files: &mut Vec<File>) -> anyhow::Result<()> {
    let shown = || path.display().to_string();
    if let Some(entries) = entries(path)? {
        return entries
            .iter()
            .filter(|entry| is_wanted(entry))
            .try_for_each(|entry| below(entry, false, files));
    }
    let bytes = fs::read(path).with_context(|| format!("can't read {}", shown()))?;
    files.push(File { name: shown(), bytes, named });
    Ok(())
}

/// What is in a directory, in order; None where the path is none.
pub(super) fn entries(path: &Path) -> anyhow::Result<Option<Vec<PathBuf>>> {
    let unreadable = || format!("can't read {}", path.display());
    if !fs::metadata(path).with_context(unreadable)?.is_dir() {
        return Ok(None);
    }
    let entries = fs::read_dir(path).with_context(unreadable)?;
    let mut entries: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    Ok(Some(entries))
}

/// Below a directory: manifests and directories, but nothing hidden and no links to directories, which may lead
/// round in a circle.
fn is_wanted(entry: &Path) -> bool {
    let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let is_dir = entry.is_dir();
    let extension = entry.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    !hidden && ((is_dir && !entry.is_symlink()) || (!is_dir && EXTENSIONS.contains(&extension)))
}
