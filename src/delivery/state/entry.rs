//! One bundle on disk: its files as an archive, which commit they are of, and the objects that prove it.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::SMALL_BYTES;
use super::files::{read_limited, sync, write};
use crate::policy::{Digest, Tree};
use crate::source::{About, Proof, pack, unpack};

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

    pub(super) fn read(directory: &Path) -> Result<Self, String> {
        let read = |name: &str, limit| {
            read_limited(&directory.join(name), limit).map_err(|error| format!("{name}: {error}"))
        };
        let meta = serde_json::from_slice(&read("meta.json", SMALL_BYTES)?)
            .map_err(|error| format!("meta.json: {error}"))?;
        let archive =
            unpack(&read("bundle.tar.gz", ARCHIVE_BYTES)?).map_err(|why| format!("bundle.tar.gz: {why}"))?;
        let mut proof = Proof { commit: read("proof/commit", OBJECT_BYTES)?, ..Proof::default() };
        let trees =
            fs::read_dir(directory.join("proof/trees")).map_err(|error| format!("proof/trees: {error}"))?;
        for entry in trees {
            let entry = entry.map_err(|error| format!("proof/trees: {error}"))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let bytes = read(&format!("proof/trees/{name}"), OBJECT_BYTES)?;
            proof.trees.insert(name, bytes);
        }
        Ok(Self { meta, tree: archive.accepted.tree, proof })
    }

    /// Writes it into a directory that is not there yet.
    pub(super) fn write(&self, directory: &Path) -> io::Result<()> {
        let trees = directory.join("proof/trees");
        fs::create_dir_all(&trees)?;
        write(&directory.join("bundle.tar.gz"), &pack(&self.tree, &About::of(&self.tree, "", None))?)?;
        write(
            &directory.join("meta.json"),
            &serde_json::to_vec_pretty(&self.meta).map_err(io::Error::other)?,
        )?;
        write(&directory.join("proof/commit"), &self.proof.commit)?;
        for (id, bytes) in &self.proof.trees {
            write(&trees.join(id), bytes)?;
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
