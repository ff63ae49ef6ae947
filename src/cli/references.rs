//! What names policies on the command line: an embedded profile, a directory, an archive, an OCI layout on disk, a commit of
//! a repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use super::output;
use super::repository::Repository;
use crate::policy::{Provenance, SourceKind, Tree};
use crate::source::{self, About};

/// Before the name of an embedded profile.
const EMBEDDED: &str = "embedded/";

/// Before an OCI layout on disk.
const LAYOUT: &str = "oci:";

/// What a name means: the first of these that fits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reference<'a> {
    /// `embedded/NAME`.
    Embedded(&'a str),
    /// A registry's URL, or another one.
    Elsewhere,
    /// A directory, of which the layout says more.
    Directory(&'a Path),
    /// `oci:DIR[:TAG]`, or a directory that is a layout.
    Layout(PathBuf, Option<&'a str>),
    /// A file.
    Archive(&'a Path),
    /// A commit of a repository.
    Git(Repository),
}

/// Policies, and what the archive that they came in says of itself.
pub(super) struct Read {
    pub(super) tree: Tree,
    pub(super) about: Option<About>,
    /// How many files of the source are no part of the tree, where that is known.
    pub(super) skipped: Option<usize>,
}

impl<'a> Reference<'a> {
    /// What a name means.
    ///
    /// # Errors
    /// One that says too little.
    pub(super) fn of(name: &'a str) -> anyhow::Result<Self> {
        if let Some(repository) = Repository::named(name) {
            return Ok(Self::Git(repository.map_err(|why| anyhow!(why))?));
        }
        Ok(Self::on_disk(name))
    }

    fn on_disk(name: &'a str) -> Self {
        let path = Path::new(name);
        if let Some(profile) = name.strip_prefix(EMBEDDED) {
            Self::Embedded(profile)
        } else if path.is_dir() && source::is_layout(path) {
            Self::Layout(path.to_owned(), None)
        } else if path.is_file() {
            Self::Archive(path)
        } else if path.exists() {
            Self::Directory(path)
        } else if name.contains("://") || name.starts_with("git@") {
            Self::Elsewhere
        } else if let Some(layout) = name.strip_prefix(LAYOUT) {
            let (directory, reference) = source::layout_reference(layout);
            Self::Layout(directory, reference)
        } else if let Some(repository) = Repository::here(name) {
            Self::Git(repository)
        } else {
            Self::Directory(path)
        }
    }

    /// Reads it. `trust`: who has to have signed a commit.
    pub(super) fn read(&self, trust: Option<&Path>) -> anyhow::Result<Read> {
        if let Some(file) = trust.filter(|_| !matches!(self, Self::Git(_))) {
            bail!(
                "--trust {}: only a commit of a repository is signed; name one, as git::URL//PATH?ref=REF or REF:PATH, or leave --trust out",
                file.display()
            );
        }
        match self {
            Self::Embedded(profile) => Ok(Read::of(source::profile(profile)?)),
            Self::Elsewhere => bail!(
                "a registry or a server is not read by this release; fetch what is there, and name the directory or the archive; a repository is named as git::URL//PATH?ref=REF"
            ),
            Self::Directory(path) => Ok(Read::of(source::directory(path)?)),
            Self::Layout(directory, reference) => {
                let (tree, archive) = source::read_layout(directory, *reference)?;
                Ok(Read { tree, about: archive.about, skipped: Some(archive.accepted.skipped) })
            }
            Self::Archive(path) => archive(path),
            Self::Git(repository) => {
                let verified = repository.read(trust)?;
                if trust.is_none() {
                    output::note(
                        "policies from a repository, not verified; --trust FILE names who has to have signed them\n",
                    )?;
                }
                let skipped = Some(verified.snapshot.accepted.skipped);
                Ok(Read { tree: verified.tree, about: None, skipped })
            }
        }
    }
}

impl Read {
    fn of(tree: Tree) -> Self {
        Self { tree, about: None, skipped: None }
    }
}

fn archive(path: &Path) -> anyhow::Result<Read> {
    let shown = path.display();
    let size = fs::metadata(path).with_context(|| format!("can't read {shown}"))?.len();
    if usize::try_from(size).map_or(true, |size| size > source::PACKED_BYTES) {
        bail!("{shown}: {size} bytes are more than an archive of policies has");
    }
    let packed = fs::read(path).with_context(|| format!("can't read {shown}"))?;
    let archive = source::unpack(&packed).with_context(|| format!("{shown}: no archive of policies"))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default().to_owned();
    let provenance = Provenance {
        source: archive.about.as_ref().and_then(|about| about.source.clone()).unwrap_or(stem),
        kind: SourceKind::Tarball,
        origin: shown.to_string(),
        id: Some(format!("sha256:{}", crate::policy::Digest::of(&packed))),
        ..Provenance::default()
    };
    let source::Archive { accepted, about } = archive;
    Ok(Read { tree: accepted.tree.coming_from(provenance), about, skipped: Some(accepted.skipped) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_the_first_that_fits() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for (name, expected) in [
            ("embedded/strict", Reference::Embedded("strict")),
            ("/", Reference::Directory(Path::new("/"))),
            (file, Reference::Archive(Path::new(file))),
            ("oci://registry.example.com/policies:v1", Reference::Elsewhere),
            ("https://example.com/policies.tar.gz", Reference::Elsewhere),
            ("git@example.com:policies.git", Reference::Elsewhere),
            ("oci:layout:v1", Reference::Layout("layout".into(), Some("v1"))),
            ("/no/such/thing", Reference::Directory(Path::new("/no/such/thing"))),
        ] {
            assert_eq!(Reference::of(name).unwrap(), expected, "{name}");
        }
    }
}
