//! The last good policies on disk, with all that proves that they may be in force: `lock`, `current`, `floor.json`,
//! `bundles/<bundle>-<commit>/{bundle.tar.gz,meta.json,proof/}`, `git/` and `tmp/`.
//!
//! What is written is complete before it has a name: a process that ends at any moment leaves the old or the new.
//! Nothing that is read is trusted: the caller verifies it as what a source brings.

mod entry;
mod files;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub(super) use entry::{Kept, Meta, Parts};
use files::{read_limited, replace, sync};

/// How many bundles are kept beside the one in force.
const LAST_GOOD: usize = 3;

/// More than any file of state but archives.
const SMALL_BYTES: u64 = 1 << 20;

/// A directory that this process alone writes to.
pub(super) struct State {
    root: PathBuf,
    /// Holds the lock for as long as the process runs.
    _lock: File,
}

/// The commit accepted last, of which source.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(super) struct Accepted {
    /// Kind, origin, reference and path.
    pub(super) key: String,
    pub(super) id: String,
    pub(super) tree: String,
    pub(super) time: i64,
    /// Commits that were gone back to on purpose: each once.
    #[serde(default)]
    pub(super) rolled_back: Vec<String>,
}

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it.
    #[error(
        "state: {path} is used by another process ({holder}); give each its own directory, or end that one"
    )]
    Locked {
        /// The directory.
        path: String,
        /// What is known of the other.
        holder: String,
    },
    /// It can't be used.
    #[error("state: {path} can't be used; check that it exists and that it can be written")]
    Unusable {
        /// The directory.
        path: String,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
}

impl State {
    /// Takes the directory for this process, and clears what was not finished in it.
    pub(super) fn open(root: &Path) -> Result<Self, StateError> {
        let path = root.display().to_string();
        let unusable = |source| StateError::Unusable { path: path.clone(), source };
        fs::create_dir_all(root).map_err(unusable)?;
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).to_owned();
        let mut lock = options.open(root.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                (&lock).take(200).read_to_string(&mut holder).unwrap_or_default();
                return Err(StateError::Locked { path, holder: holder.trim().to_owned() });
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        let said = format!("process {}\n", std::process::id());
        lock.set_len(0).and_then(|()| lock.write_all(said.as_bytes())).map_err(unusable)?;
        for folder in ["bundles", "git"] {
            fs::create_dir_all(root.join(folder)).map_err(unusable)?;
        }
        let state = Self { root: root.to_owned(), _lock: lock };
        state.clear().map_err(unusable)?;
        Ok(state)
    }

    /// Where objects of repositories are kept.
    pub(super) fn git(&self) -> PathBuf {
        self.root.join("git")
    }

    /// What is kept under these names; of each, why it can't be read.
    pub(super) fn kept(&self, names: Vec<String>) -> Vec<(String, Result<Kept, String>)> {
        let read = |name: String| {
            let kept = Kept::read(&self.bundle(&name));
            (name, kept)
        };
        names.into_iter().map(read).collect()
    }

    /// Takes a bad entry out of the way; it stays to be looked at.
    pub(super) fn set_aside(&self, name: &str) {
        let bad = self.bundle(&format!("bad-{name}"));
        drop(fs::remove_dir_all(&bad));
        drop(fs::rename(self.bundle(name), bad));
    }

    /// The commit accepted last of this source. None: none was. Err: it can't be read which one, as only a missing file
    /// says that there is none.
    pub(super) fn accepted(&self, key: &str) -> Result<Option<Accepted>, String> {
        let path = self.root.join("floor.json");
        let bad = |why: String| format!("{}: the commit accepted last can't be read: {why}", path.display());
        let text = match read_limited(&path, SMALL_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| bad(error.to_string()))?,
        };
        let accepted: Accepted = serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))?;
        Ok((accepted.key == key).then_some(accepted))
    }

    /// Keeps a bundle as the one in force, and the commit as accepted.
    pub(super) fn keep(&self, kept: &Kept, accepted: &Accepted) -> io::Result<()> {
        let tmp = self.root.join("tmp");
        let name = kept.name();
        if Kept::read(&self.bundle(&name)).as_ref() != Ok(kept) {
            let made = tmp.join("bundle");
            drop(fs::remove_dir_all(&made));
            kept.write(&made)?;
            // What is there under this name is not what it should be.
            let bundle = self.bundle(&name);
            if bundle.exists() {
                fs::remove_dir_all(&bundle)?;
            }
            fs::rename(&made, &bundle)?;
            sync(&self.root.join("bundles"))?;
        }
        // The floor first: what is in force never comes after it.
        let floor = serde_json::to_vec_pretty(accepted).map_err(io::Error::other)?;
        replace(&self.root, "floor.json", &floor)?;
        let before = self.names().unwrap_or_else(|_| self.all());
        let before = before.into_iter().filter(|other| *other != name).take(LAST_GOOD);
        let names: Vec<String> = std::iter::once(name.clone()).chain(before).collect();
        replace(&self.root, "current", format!("{}\n", names.join("\n")).as_bytes())?;
        self.clear()
    }

    /// The names of what is kept, the one in force last first. Err: what names them can't be read.
    pub(super) fn names(&self) -> Result<Vec<String>, String> {
        let path = self.root.join("current");
        let bad = |why: String| format!("{}: the names of what is kept can't be read: {why}", path.display());
        let text = match read_limited(&path, SMALL_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.map_err(|error| bad(error.to_string()))?,
        };
        let text = String::from_utf8(text).map_err(|error| bad(error.to_string()))?;
        if text.is_empty() || !text.lines().all(is_name) {
            return Err(bad("it holds something else".to_owned()));
        }
        Ok(text.lines().map(str::to_owned).collect())
    }

    /// The names of all bundles that are there, the latest first.
    pub(super) fn all(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root.join("bundles")).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok().filter(|name| is_name(name))?;
                Some((entry.metadata().ok()?.modified().ok()?, name))
            })
            .collect();
        names.sort();
        names.into_iter().rev().map(|(_, name)| name).collect()
    }

    fn bundle(&self, name: &str) -> PathBuf {
        self.root.join("bundles").join(name)
    }

    /// Removes what nothing names: what was not finished, and what is older than the last good ones.
    fn clear(&self) -> io::Result<()> {
        let tmp = self.root.join("tmp");
        drop(fs::remove_dir_all(&tmp));
        fs::create_dir_all(&tmp)?;
        // Without its names nothing is known to be superfluous.
        let Ok(current) = self.names() else { return Ok(()) };
        for entry in fs::read_dir(self.root.join("bundles"))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if !current.contains(&name) && !name.starts_with("bad-") {
                drop(fs::remove_dir_all(entry.path()));
            }
        }
        Ok(())
    }
}

/// Whether this can be the name of a bundle that is kept: no `bad-` one, and no path.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && !name.starts_with("bad-")
}
