//! Whether what is in a directory is a whole tree. Half of one may load as well, so it has to be known: a link to it is
//! swapped when it is whole, or its marker says which tree it is; or somebody says that it may be taken as it comes to rest.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::directory::{SWAPPED, directory, resolved};
use super::watched::stamps;
use super::written::TREE_FILE;
use super::{SourceError, Unacceptable};
use crate::policy::Tree;

/// How long a plain directory has to be as it was read.
const REST: Duration = Duration::from_millis(500);

/// How often one is read that others write to meanwhile.
const TRIES: u8 = 20;

/// Reads the tree of a directory that a server begins with. `is_plain`: it may be taken as it comes to rest.
///
/// # Errors
/// As [`directory`], and [`SourceError::Plain`].
pub fn whole(root: &Path, is_plain: bool) -> Result<Tree, SourceError> {
    if !is_plain {
        check(root)?;
        return directory(root);
    }
    for _ in 0..TRIES {
        let before = stamps(root);
        let tree = directory(root);
        sleep(REST);
        if stamps(root) == before {
            return tree;
        }
    }
    Err(Unacceptable::because(format!(
        "{}: others write to it all the time; wait until it is whole",
        root.display()
    ))
    .into())
}

/// Whether it can be told that a tree is whole.
pub(super) fn check(root: &Path) -> Result<(), SourceError> {
    let at = resolved(root)?;
    if is_named(&at) || is_behind_a_link(root) {
        return Ok(());
    }
    Err(SourceError::Plain { path: root.display().to_string() })
}

/// Whether its marker says which tree it is.
pub(super) fn is_named(at: &Path) -> bool {
    fs::symlink_metadata(at.join(TREE_FILE)).is_ok()
}

/// Whether a link leads to it, which is swapped when the tree is whole: a ConfigMap's `..data`, the directory itself, or
/// above it git-sync's to a worktree that is named after its commit. Other links above it, as `/var/run`, are nobody's
/// who swaps trees.
fn is_behind_a_link(root: &Path) -> bool {
    let Ok(absolute) = std::path::absolute(root) else { return false };
    let is_swapped = |link: &Path| {
        let target = fs::read_link(link).ok();
        let leaf =
            target.as_deref().and_then(Path::file_name).map(|leaf| leaf.to_string_lossy().into_owned());
        leaf.is_some_and(|leaf| [40, 64].contains(&leaf.len()) && leaf.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    root.join(SWAPPED).is_symlink() || absolute.is_symlink() || absolute.ancestors().any(is_swapped)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::thread;

    use super::*;

    #[test]
    fn a_tree_is_whole_behind_a_link_by_its_marker_or_where_it_comes_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, link) = (folder.path().join("tree"), folder.path().join("link"));
        fs::create_dir_all(tree.join("x")).unwrap();
        fs::write(tree.join("a.rego"), "1").unwrap();
        let why = whole(&tree, false).unwrap_err().to_string();
        assert!(why.contains("half a tree can't be told from a whole one here"), "{why}");
        assert_eq!(whole(&tree, true).unwrap().iter().count(), 1);
        symlink("tree", &link).unwrap();
        assert!(whole(&link, false).is_ok());
        // Others' links above it say nothing; git-sync's do.
        assert!(matches!(whole(&link.join("x"), false), Err(SourceError::Plain { .. })));
        let commit = "0123456789abcdef0123456789abcdef01234567";
        symlink("tree", folder.path().join(commit)).unwrap();
        symlink(commit, folder.path().join("current")).unwrap();
        assert!(whole(&folder.path().join("current/x"), false).is_ok());
        let names = whole(&link, false).unwrap().digest();
        fs::write(tree.join(TREE_FILE), "unfinished\n").unwrap();
        assert!(matches!(whole(&tree, false), Err(SourceError::Half { .. })));
        fs::write(tree.join(TREE_FILE), format!("{names}\n")).unwrap();
        assert_eq!(whole(&tree, false).unwrap().digest(), names);
        let why = whole(&folder.path().join("nowhere"), false).unwrap_err().to_string();
        assert!(why.starts_with("can't read "), "{why}");
    }

    #[test]
    fn a_plain_directory_is_read_when_nobody_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        fs::write(root.join("a.rego"), "1").unwrap();
        let writer = thread::spawn(move || {
            for number in 0..8 {
                sleep(Duration::from_millis(100));
                fs::write(root.join(format!("{number}.rego")), "2").unwrap();
            }
        });
        assert_eq!(whole(folder.path(), true).unwrap().iter().count(), 9);
        writer.join().unwrap();
    }
}
