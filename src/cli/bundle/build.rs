//! `meshgate bundle build`: a tree that loads and passes its tests, as something that can be pushed, mounted or kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::cli::inputs::{PolicyFlags, clock};
use crate::cli::output;
use crate::cli::references::Reference;
use crate::engine;
use crate::policy::{Digest, Tree};
use crate::report::{Detail, Paint};
use crate::source::{self, About, Entry, EntryKind};
use crate::suite::{self, Choice, Suite};

/// Where `oci:DIR` has no tag.
const TAG: &str = "latest";

/// Flags of `bundle build`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate bundle build policies -o policies.tar.gz       for OPA and meshgate
  meshgate bundle build policies -o oci:layout:v1         to be pushed by oras or skopeo
  meshgate bundle build policies -o dir:/srv/policies     to be read by a server that watches a directory

The same tree gives the same bytes. Exit codes: 0 written, 1 a test failed, 2 the tree doesn't load")]
pub(super) struct Arguments {
    /// The policies' tree: whatever --policies can name
    #[arg(value_name = "TREE")]
    tree: String,
    /// Where to: FILE, oci:DIR[:TAG] or dir:DIR
    #[arg(short = 'o', long, value_name = "TO", value_parser = target)]
    output: Target,
    /// Another directory, as a folder of the tree; may be given more than once
    #[arg(long, value_name = "NAME=DIR", value_parser = include)]
    include: Vec<(String, PathBuf)>,
    /// The name of the source, which revisions begin with [default: the last part of TREE]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Grows from one bundle of a source to the next [default: the commit's time, where TREE is one]
    #[arg(long, value_name = "NUMBER")]
    sequence: Option<u64>,
}

/// Where a bundle is written.
#[derive(Clone, Debug)]
enum Target {
    File(PathBuf),
    Layout(PathBuf, String),
    Directory(PathBuf),
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let flags = PolicyFlags::default().or_in(Some(&arguments.tree));
    let tree = with_included(flags.tree()?, &arguments.include)?;
    judged(&flags, &tree)?;
    let suite = Suite::read(&tree, &source::catalogue(), "").map_err(|faults| flags.unusable(&faults))?;
    let results = suite.run(&Choice::default());
    if results.exit_code() != 0 {
        output::print(&suite::text(&results, Detail::Usual, Paint::default()))?;
        output::note("not built: a test failed\n")?;
        return Ok(results.exit_code());
    }
    let name = arguments.name.clone().unwrap_or_else(|| tree.provenance.source.clone());
    let time = tree.provenance.time.and_then(|time| u64::try_from(time.unix_timestamp()).ok());
    let about = About::of(&tree, &name, arguments.sequence.or(time));
    let written = arguments.output.write(&tree, &about)?;
    let (files, cases) = (tree.iter().count(), results.cases.len());
    output::note(&format!("{files} files, {cases} tests and examples passed\n"))?;
    output::print(&format!("{} tree={} {written}\n", about.revision, tree.digest()))?;
    Ok(0)
}

/// All that keeps it from loading is an error; what is only likely to be a mistake is said.
fn judged(flags: &PolicyFlags, tree: &Tree) -> anyhow::Result<()> {
    let linted = engine::lint(tree, &source::catalogue(), clock());
    crate::policy::Faults::or(linted.faults, ()).map_err(|faults| flags.unusable(&faults))?;
    for lint in &linted.lints {
        output::note(&format!("warning: {lint}\n"))?;
    }
    Ok(())
}

/// The tree with other directories as folders of it. Together they have to be a tree again.
fn with_included(tree: Tree, includes: &[(String, PathBuf)]) -> anyhow::Result<Tree> {
    if includes.is_empty() {
        return Ok(tree);
    }
    let entry = |path: String, content: &[u8]| Entry {
        path: path.into_bytes(),
        kind: EntryKind::File,
        content: content.to_vec(),
    };
    let mut entries: Vec<Entry> =
        tree.iter().map(|(path, content)| entry(path.to_owned(), content)).collect();
    for (name, directory) in includes {
        let shown = directory.display().to_string();
        if tree.below(name).next().is_some() {
            bail!("--include {name}={shown}: the tree has the folder `{name}` itself; take another name");
        }
        let included =
            Reference::of(&shown)?.read(None).with_context(|| format!("--include {name}={shown}"))?;
        entries.extend(included.tree.iter().map(|(path, content)| entry(format!("{name}/{path}"), content)));
    }
    Ok(source::accept(entries)?.tree.coming_from(tree.provenance))
}

impl Target {
    /// Writes it, and gives what people then name it by.
    fn write(&self, tree: &Tree, about: &About) -> anyhow::Result<String> {
        match self {
            Self::File(path) => {
                let packed = source::pack(tree, about)?;
                if packed.len() > source::PACKED_BYTES {
                    bail!("the archive would have {} bytes, more than is read again", packed.len());
                }
                written(path, &packed)?;
                Ok(format!("{} sha256:{}", path.display(), Digest::of(&packed)))
            }
            Self::Layout(directory, tag) => {
                let digest = source::write_layout(directory, tag, tree, about)?;
                Ok(format!("oci:{}:{tag} {digest}", directory.display()))
            }
            Self::Directory(directory) => {
                source::write_directory(directory, tree)?;
                Ok(directory.display().to_string())
            }
        }
    }
}

fn written(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("can't write {}", path.display()))
}

fn target(text: &str) -> Result<Target, String> {
    if let Some(directory) = text.strip_prefix("dir:") {
        return Ok(Target::Directory(directory.into()));
    }
    if let Some(layout) = text.strip_prefix("oci:") {
        if layout.starts_with("//") {
            return Err("a registry is not written to; write oci:DIR, and push it with oras".to_owned());
        }
        let (directory, tag) = source::layout_reference(layout);
        let is_tag = |tag: &str| tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        return match tag.unwrap_or(TAG) {
            tag if is_tag(tag) && !tag.is_empty() && !layout.contains('@') => {
                Ok(Target::Layout(directory, tag.to_owned()))
            }
            other => Err(format!("`{other}` is no tag; write oci:DIR:TAG")),
        };
    }
    Ok(Target::File(text.into()))
}

fn include(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, directory)) if is_name(name) && !directory.is_empty() => {
            Ok((name.to_owned(), directory.into()))
        }
        _ => Err("write NAME=DIR; NAME is a folder's".to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("write up to 63 of a-z, A-Z, 0-9, - and _".to_owned())
    }
}

fn is_name(text: &str) -> bool {
    (1..=63).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}
