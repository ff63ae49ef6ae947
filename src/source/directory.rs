//! A policies' tree in a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::SourceError;
use crate::policy::Tree;

/// More than any tree of policies; a home directory given by mistake is refused instead of read.
const LIMIT_MIB: u64 = 64;

/// The link by which the kubelet swaps all files of a ConfigMap at once; the names beside it lead through it
/// (k8s.io/kubernetes, pkg/volume/util/atomic_writer.go).
const SWAPPED: &str = "..data";

/// Reads all files below `root`. Entries whose name begins with a dot (`.git`) are not part of the tree; symbolic
/// links are refused, because what they point to is not in the tree that was reviewed (R30). Links on the way to the
/// tree are followed, once: what is read is of one tree, also where such a link is swapped meanwhile.
///
/// # Errors
/// What can't be read or is not a plain file.
pub fn directory(root: &Path) -> Result<Tree, SourceError> {
    read(&resolved(root)?)
}

/// Where the tree is that `root` names now.
pub(super) fn resolved(root: &Path) -> Result<PathBuf, SourceError> {
    let swapped = root.join(SWAPPED);
    let tree = if swapped.is_symlink() { &swapped } else { root };
    fs::canonicalize(tree).map_err(unreadable(tree))
}

/// Reads all files below a directory that no link leads to.
pub(super) fn read(root: &Path) -> Result<Tree, SourceError> {
    let mut tree = Tree::default();
    let mut budget = LIMIT_MIB.saturating_mul(1024).saturating_mul(1024);
    read_into(&mut tree, root, "", &mut budget)?;
    Ok(tree)
}

pub(super) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> SourceError + use<> {
    let path = path.display().to_string();
    move |source| SourceError::Unreadable { path, source }
}

fn read_into(tree: &mut Tree, directory: &Path, prefix: &str, budget: &mut u64) -> Result<(), SourceError> {
    for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
        let entry = entry.map_err(unreadable(directory))?;
        let path = entry.path();
        let not_plain = |what| SourceError::NotPlain { path: path.display().to_string(), what };
        let name = entry.file_name().into_string().map_err(|_| not_plain("a name that is not UTF-8"))?;
        if is_hidden(&name) {
            continue;
        }
        let kind = entry.file_type().map_err(unreadable(&path))?;
        if kind.is_dir() {
            read_into(tree, &path, &format!("{prefix}{name}/"), budget)?;
        } else if kind.is_file() {
            let content = fs::read(&path).map_err(unreadable(&path))?;
            let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
            let too_large =
                || SourceError::TooLarge { path: directory.display().to_string(), limit: LIMIT_MIB };
            *budget = budget.checked_sub(size).ok_or_else(too_large)?;
            tree.insert(format!("{prefix}{name}"), content);
        } else {
            return Err(not_plain(if kind.is_symlink() { "a symbolic link" } else { "a special file" }));
        }
    }
    Ok(())
}

/// Whether an entry is not part of the tree.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}
