//! One bundle on disk: its files as an archive, which commit they are of, and the objects that prove it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::SMALL_BYTES;
use super::files::{read_limited, sync, write};
use crate::policy::{Digest, Tree};
use crate::source::{About, Proof, pack, unpack};

/// Files of a bundle by their names, `/` between folders.
pub(in crate::delivery) type Parts = BTreeMap<String, Vec<u8>>;

const ARCHIVE: &str = "bundle.tar.gz";
const META: &str = "meta.json";
const COMMIT: &str = "proof/commit";
const TREES: &str = "proof/trees";

/// The largest archive that is read: trees are limited when they are accepted.
const ARCHIVE_BYTES: u64 = 16 << 20;

/// The largest object of a commit.
const OBJECT_BYTES: u64 = 16 << 20;

/// How many digits of a commit's id are in a name.
const SHORT: usize = 12;

/// A bundle as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::delivery) struct Kept {
    pub(in crate::delivery) meta: Meta,
    /// The files, without where they came from.
    pub(in crate::delivery) tree: Tree,
    pub(in crate::delivery) proof: Proof,
}

/// What is said of it.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub(in crate::delivery) struct Meta {
    /// Of which source.
    pub(in crate::delivery) key: String,
    /// The commit.
    pub(in crate::delivery) id: String,
    /// The digest of all that decides.
    pub(in crate::delivery) bundle: String,
}

impl Kept {
    /// Under which name it is kept: the same files of another commit are another entry, because they are proven otherwise.
    pub(super) fn name(&self) -> String {
        let commit: String = self.meta.id.chars().take(SHORT).collect();
        format!("{}-{commit}", self.meta.bundle)
    }

    /// Its files, by their names.
    pub(in crate::delivery) fn parts(&self) -> io::Result<Parts> {
        let archive = pack(&self.tree, &About::of(&self.tree, "", None))?;
        let meta = serde_json::to_vec_pretty(&self.meta).map_err(io::Error::other)?;
        let mut parts = Parts::from([(ARCHIVE.to_owned(), archive), (META.to_owned(), meta)]);
        parts.insert(COMMIT.to_owned(), self.proof.commit.clone());
        parts.extend(self.proof.trees.iter().map(|(id, bytes)| (format!("{TREES}/{id}"), bytes.clone())));
        Ok(parts)
    }

    /// The bundle of which these are the files. Err: they are of none.
    pub(in crate::delivery) fn of(mut parts: Parts) -> Result<Self, String> {
        let mut take = |name: &str| parts.remove(name).ok_or_else(|| format!("{name}: it is missing"));
        let meta = serde_json::from_slice(&take(META)?).map_err(|error| format!("{META}: {error}"))?;
        let archive = unpack(&take(ARCHIVE)?).map_err(|why| format!("{ARCHIVE}: {why}"))?;
        let mut proof = Proof { commit: take(COMMIT)?, ..Proof::default() };
        for (name, bytes) in parts {
            let id = name.strip_prefix(TREES).and_then(|rest| rest.strip_prefix('/'));
            let id = id.ok_or_else(|| format!("{name}: it is no file of a bundle"))?;
            proof.trees.insert(id.to_owned(), bytes);
        }
        Ok(Self { meta, tree: archive.accepted.tree, proof })
    }

    pub(super) fn read(directory: &Path) -> Result<Self, String> {
        let read = |name: &str, limit| {
            let read = read_limited(&directory.join(name), limit);
            read.map(|bytes| (name.to_owned(), bytes)).map_err(|error| format!("{name}: {error}"))
        };
        let mut parts = Parts::from([
            read(META, SMALL_BYTES)?,
            read(ARCHIVE, ARCHIVE_BYTES)?,
            read(COMMIT, OBJECT_BYTES)?,
        ]);
        let trees = fs::read_dir(directory.join(TREES)).map_err(|error| format!("{TREES}: {error}"))?;
        for entry in trees {
            let entry = entry.map_err(|error| format!("{TREES}: {error}"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            parts.extend([read(&format!("{TREES}/{name}"), OBJECT_BYTES)?]);
        }
        Self::of(parts)
    }

    /// Writes it into a directory that is not there yet.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let trees = directory.join(TREES);
        fs::create_dir_all(&trees)?;
        for (name, bytes) in self.parts()? {
            write(&directory.join(name), &bytes)?;
        }
        [&trees, &directory.join("proof"), directory]
            .into_iter()
            .map(AsRef::<Path>::as_ref)
            .try_for_each(sync)
    }

    /// Whether the digest of its bundle is that one.
    pub(in crate::delivery) fn is(&self, bundle: Digest) -> bool {
        self.meta.bundle == bundle.to_string()
    }
}
