//! A policies' tree in a directory.

use std::fs::{self, File, FileType};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::SourceError;
use super::tree::{Entry, EntryKind, FILE_BYTES, TREE_BYTES, Unacceptable, accept, is_taken, too_large};
use super::written::TREE_FILE;
use crate::policy::{Provenance, SourceKind, Tree};

/// The link by which the kubelet swaps all files of a ConfigMap at once; the names beside it lead through it
/// (k8s.io/kubernetes, pkg/volume/util/atomic_writer.go).
pub(super) const SWAPPED: &str = "..data";

/// How often a tree is read that is swapped meanwhile.
const TRIES: u8 = 10;

/// Reads all files below `root`. Entries whose name begins with a dot (`.git`) are not part of the tree, and not looked
/// into; symbolic links are refused, because what they point to is not in the tree that was reviewed (R30). Links on the
/// way to the tree are followed, once: what is read is of one tree, also where such a link is swapped meanwhile.
///
/// # Errors
/// What can't be read, and what is in no policies' tree.
pub fn directory(root: &Path) -> Result<Tree, SourceError> {
    let mut tries = 0_u8;
    loop {
        let at = resolved(root)?;
        let tree = read(&at);
        // Who swaps trees removes the old one, maybe while it is read.
        let is_still_there = resolved(root).is_ok_and(|now| now == at);
        tries = tries.saturating_add(1);
        if is_still_there {
            return Ok(tree?.coming_from(provenance(root)));
        }
        if tries == TRIES {
            let message = format!("{}: it is swapped all the time; wait until it stays", root.display());
            return Err(Unacceptable::because(message).into());
        }
    }
}

/// Where the tree is that `root` names now.
pub(super) fn resolved(root: &Path) -> Result<PathBuf, SourceError> {
    let swapped = root.join(SWAPPED);
    let tree = if swapped.is_symlink() { &swapped } else { root };
    fs::canonicalize(tree).map_err(unreadable(tree))
}

/// What is said of a tree in this directory. Where git-sync swaps worktrees, the one that is swapped in is named after
/// its commit.
pub(super) fn provenance(root: &Path) -> Provenance {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let leaf = fs::canonicalize(root).ok().as_deref().and_then(name).unwrap_or_default();
    let is_hash = leaf.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    let id = match leaf.len() {
        40 if is_hash => Some(format!("sha1:{leaf}")),
        64 if is_hash => Some(format!("sha256:{leaf}")),
        _ => None,
    };
    let source = name(root).unwrap_or(leaf);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let source = source.chars().take(63).map(|c| if is_plain(c) { c } else { '-' }).collect();
    let origin = root.display().to_string();
    Provenance { source, kind: SourceKind::Directory, origin, id, ..Provenance::default() }
}

/// Reads all files below a directory that no link leads to.
pub(super) fn read(root: &Path) -> Result<Tree, SourceError> {
    let (mut entries, mut room) = (Vec::new(), TREE_BYTES);
    read_into(&mut entries, root, &[], &mut room)?;
    let tree = accept(entries)?.tree;
    match named(root)? {
        Some(named) if named != tree.digest().to_string() => {
            Err(SourceError::Half { path: root.display().to_string(), named, found: tree.digest().short() })
        }
        _ => Ok(tree),
    }
}

/// The tree that the directory says it has, where it says so.
fn named(root: &Path) -> Result<Option<String>, SourceError> {
    let path = root.join(TREE_FILE);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim_end().chars().take(64).collect())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&path)(error)),
    }
}

pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> SourceError + use<> {
    let path = path.display().to_string();
    move |source| SourceError::Unreadable { path, source }
}

/// Adds what is below `directory`, as long as there is room for it.
fn read_into(
    entries: &mut Vec<Entry>,
    directory: &Path,
    prefix: &[u8],
    room: &mut usize,
) -> Result<(), SourceError> {
    for found in fs::read_dir(directory).map_err(unreadable(directory))? {
        let found = found.map_err(unreadable(directory))?;
        let (at, name) = (found.path(), found.file_name());
        if is_hidden(name.as_bytes()) {
            continue;
        }
        let path = [prefix, name.as_bytes()].concat();
        let kind = kind(found.file_type().map_err(unreadable(&at))?);
        let content = match kind {
            EntryKind::File if is_taken(&path) => content(&at)?,
            _ => Vec::new(),
        };
        let left = room.checked_sub(content.len());
        *room =
            left.ok_or_else(|| Unacceptable::because(format!("{}: {}", directory.display(), too_large())))?;
        if kind == EntryKind::Directory {
            read_into(entries, &at, &[path.as_slice(), b"/"].concat(), room)?;
        }
        entries.push(Entry { path, kind, content });
    }
    Ok(())
}

/// The bytes of a file, one more than there may be where it is larger.
fn content(path: &Path) -> Result<Vec<u8>, SourceError> {
    let mut content = Vec::new();
    let limit = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut content)).map_err(unreadable(path))?;
    Ok(content)
}

fn kind(of: FileType) -> EntryKind {
    match of {
        _ if of.is_file() => EntryKind::File,
        _ if of.is_dir() => EntryKind::Directory,
        _ if of.is_symlink() => EntryKind::Link,
        _ => EntryKind::Special,
    }
}

/// Whether an entry is not part of the tree.
pub(super) fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".")
}
