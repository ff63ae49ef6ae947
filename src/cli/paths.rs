//! What a PATH argument means: a file, a directory (all YAML and JSON below it), `-` for standard input, a glob.
//!
//! What can't be read below a directory is told as a document of its own, and keeps nothing else from being judged.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use glob::MatchOptions;

use crate::dry_run::{Content, File};

/// What manifests are written in.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// The largest file that is read: 60,000 manifests of the usual size, and all that a cluster stores of one object forty
/// times (etcd takes 1.5 MiB). What is read takes some ten times as much memory.
const LARGEST: u64 = 64 * 1024 * 1024;

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
        let content = bytes(io::stdin().lock());
        files.push(File { name: path.to_owned(), content, named: true });
        return Ok(());
    }
    let direct = Path::new(path);
    if direct.exists() || !path.contains(['*', '?', '[']) {
        return named(direct, files);
    }
    // As shells do it: a name that begins with a dot is meant only where the dot is written.
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::default() };
    let found = glob::glob_with(path, options).with_context(|| format!("{path}: not a glob"))?;
    for entry in found {
        named(&entry.with_context(|| path.to_owned())?, files)?;
    }
    Ok(())
}

/// What somebody has named is there, or nothing is judged.
fn named(path: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    let metadata = fs::metadata(path).with_context(|| format!("can't read {}", path.display()))?;
    if metadata.is_dir() {
        below(path, files);
        return Ok(());
    }
    let content = fs::File::open(path).map_or_else(|error| unreadable(&error), bytes);
    files.push(File { name: path.display().to_string(), content, named: true });
    Ok(())
}

/// Everything below a directory.
fn below(directory: &Path, files: &mut Vec<File>) {
    let file = |path: &Path, content| File { name: path.display().to_string(), content, named: false };
    let entries = match sorted(directory) {
        Ok(entries) => entries,
        Err(error) => return files.push(file(directory, unreadable(&error))),
    };
    let is_chart = entries.iter().any(|entry| entry.ends_with("Chart.yaml"));
    for entry in entries.iter().filter(|entry| !is_hidden(entry)) {
        let extension = entry.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_manifest = EXTENSIONS.contains(&extension);
        let content = match fs::metadata(entry) {
            Ok(metadata) if metadata.is_dir() && entry.is_symlink() => link(),
            Ok(metadata) if metadata.is_dir() && is_chart && entry.ends_with("templates") => templates(),
            Ok(metadata) if metadata.is_dir() => {
                below(entry, files);
                continue;
            }
            Ok(metadata) if is_manifest => found(entry, &metadata),
            Err(error) if is_manifest => unreadable(&error),
            Ok(_) | Err(_) => continue,
        };
        files.push(file(entry, content));
    }
}

/// What is in a directory, in order; None where the path is none.
pub(super) fn entries(path: &Path) -> anyhow::Result<Option<Vec<PathBuf>>> {
    let unreadable = || format!("can't read {}", path.display());
    if !fs::metadata(path).with_context(unreadable)?.is_dir() {
        return Ok(None);
    }
    sorted(path).map(Some).with_context(unreadable)
}

fn sorted(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| Ok(entry?.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

fn is_hidden(entry: &Path) -> bool {
    entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// A file that was not named itself: who walks a directory does not want to wait for somebody to write into a pipe.
fn found(path: &Path, metadata: &Metadata) -> Content {
    if !metadata.is_file() {
        return Content::Unreadable(
            "neither a file nor a directory; remove it, or name it itself".to_owned(),
        );
    }
    if metadata.len() > LARGEST {
        return too_large();
    }
    fs::File::open(path).map_or_else(|error| unreadable(&error), bytes)
}

fn bytes(from: impl Read) -> Content {
    let mut bytes = Vec::new();
    match from.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes) {
        Err(error) => unreadable(&error),
        Ok(count) if u64::try_from(count).is_ok_and(|count| count > LARGEST) => too_large(),
        Ok(_) => Content::Bytes(bytes),
    }
}

fn unreadable(error: &io::Error) -> Content {
    Content::Unreadable(format!("can't be read: {error}"))
}

fn too_large() -> Content {
    let mebibytes = LARGEST.div_euclid(1024 * 1024);
    Content::Unreadable(format!("larger than {mebibytes} MiB; split it, or leave it out"))
}

/// It may lead round in a circle.
fn link() -> Content {
    Content::LeftOut("a link to a directory is not followed; name it itself".to_owned())
}

fn templates() -> Content {
    Content::LeftOut("templates of a Helm chart; check the output of `helm template`".to_owned())
}
