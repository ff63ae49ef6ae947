//! A policies' tree in a directory that others write: looked at again and again, and read when it changed and has come
//! to rest. Polled, because the ways in which trees are swapped (a ConfigMap's `..data`, a worktree behind a link, files
//! written in place, a network's file system) have no notification in common.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::SourceError;
use super::directory::{is_hidden, provenance, read, resolved, unreadable};
use super::whole::{check, is_named};
use super::written::TREE_FILE;
use crate::policy::{Digest, Tree};

/// A directory under watch.
pub struct Watched {
    root: PathBuf,
    /// Whether it may be taken as it comes to rest.
    is_plain: bool,
    /// Where the tree is that was given last, and which one it is.
    held: Option<(PathBuf, Digest)>,
    /// What it was like when its content was last given.
    given: Option<Look>,
    /// What the last look saw, where it was anything else.
    seen: Option<Look>,
}

/// What a directory is like: equal ones have the same content.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    stamps: Stamps,
    /// Of what was read; why nothing was.
    content: Result<Digest, String>,
}

/// Where the tree is, and the marks of each entry below it: cheap to take each second. Err: it can't be looked through.
type Stamps = Result<(PathBuf, BTreeMap<PathBuf, Stamp>), String>;

/// Device, inode, size, and the times of the last change of content and of anything else.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl Watched {
    /// Watches the tree that `root` names. `is_plain`: it may be taken as it comes to rest; else it has to be known that
    /// it is whole.
    pub fn new(root: &Path, is_plain: bool) -> Self {
        Self { root: root.to_owned(), is_plain, held: None, given: None, seen: None }
    }

    /// The same, where that is the tree which the server began with: what is swapped in later may not be it, changed.
    #[must_use]
    pub fn holding(mut self, tree: Digest) -> Self {
        let found = resolved(&self.root).and_then(|at| Ok((at.clone(), read(&at)?.digest())));
        self.held = found.ok().filter(|(_, digest)| *digest == tree);
        self
    }

    /// The tree, or why there is none, where that differs from what was last given and two looks in a row saw the
    /// same: one that is half written changes meanwhile. None: nothing new, or not yet.
    pub fn look(&mut self) -> Option<Result<Tree, SourceError>> {
        let before = stamps(&self.root);
        if self.given.as_ref().is_some_and(|given| given.stamps == before) {
            self.seen = None;
            return None;
        }
        let found = resolved(&self.root).and_then(|at| Ok((read(&at)?, at)));
        let tree = found.and_then(|(tree, at)| self.known_to_be_whole(&at, &tree).map(|()| tree));
        let content = tree.as_ref().map(Tree::digest).map_err(ToString::to_string);
        // What was read is of these stamps only where they are still the same.
        let look = (stamps(&self.root) == before).then_some(Look { stamps: before, content });
        if look.is_none() || look != self.seen {
            self.seen = look;
            return None;
        }
        self.seen = None;
        let at = look.as_ref().and_then(|look| look.stamps.as_ref().ok()).map(|(at, _)| at.clone());
        self.held = at.zip(tree.as_ref().ok().map(Tree::digest)).or(self.held.take());
        self.given = look;
        Some(tree.map(|tree| tree.coming_from(provenance(&self.root))))
    }

    /// Whether a tree is one that nobody is still writing, as far as that can be known.
    fn known_to_be_whole(&self, at: &Path, tree: &Tree) -> Result<(), SourceError> {
        if self.is_plain || is_named(at) {
            return Ok(());
        }
        check(&self.root)?;
        // What a link was swapped to is whole, and stays as it is.
        match &self.held {
            Some((held, digest)) if held == at && *digest != tree.digest() => {
                Err(SourceError::InPlace { path: at.display().to_string() })
            }
            _ => Ok(()),
        }
    }
}

/// What the directory is like.
pub(super) fn stamps(root: &Path) -> Stamps {
    let mut stamps = BTreeMap::new();
    let root = resolved(root).map_err(|error| error.to_string())?;
    // It says that the tree is whole, which changes what is read.
    let marker = root.join(TREE_FILE);
    if let Ok(metadata) = fs::symlink_metadata(&marker) {
        stamps.insert(marker, stamp(&metadata));
    }
    stamp_below(&root, &mut stamps).map_err(|error| error.to_string())?;
    Ok((root, stamps))
}

fn stamp_below(directory: &Path, stamps: &mut BTreeMap<PathBuf, Stamp>) -> Result<(), SourceError> {
    for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
        let entry = entry.map_err(unreadable(directory))?;
        if is_hidden(entry.file_name().as_bytes()) {
            continue;
        }
        let path = entry.path();
        let metadata = entry.metadata().map_err(unreadable(&path))?;
        if metadata.is_dir() {
            stamp_below(&path, stamps)?;
        }
        stamps.insert(path, stamp(&metadata));
    }
    Ok(())
}

fn stamp(metadata: &Metadata) -> Stamp {
    let modified = (metadata.mtime(), metadata.mtime_nsec());
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    (metadata.dev(), metadata.ino(), metadata.size(), modified, changed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// The names of the files that a look gives.
    fn names(look: Option<Result<Tree, SourceError>>) -> Option<Vec<String>> {
        let tree = look?.unwrap();
        Some(
            tree.iter()
                .map(|(path, content)| format!("{path}={}", String::from_utf8_lossy(content)))
                .collect(),
        )
    }

    fn given(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn a_tree_is_given_once_and_only_when_it_has_come_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.rego"), "1").unwrap();
        let mut watched = Watched::new(folder.path(), true);
        assert_eq!(names(watched.look()), None, "it may be half written");
        assert_eq!(names(watched.look()), given(&["a.rego=1"]));
        assert_eq!(names(watched.look()), None);

        fs::write(folder.path().join("b.rego"), "2").unwrap();
        assert_eq!(names(watched.look()), None);
        fs::create_dir(folder.path().join("c")).unwrap();
        fs::write(folder.path().join("c/c.rego"), "3").unwrap();
        assert_eq!(names(watched.look()), None, "it is still being written");
        assert_eq!(names(watched.look()), given(&["a.rego=1", "b.rego=2", "c/c.rego=3"]));

        // As a file is written whose size and name stay.
        fs::write(folder.path().join("b.rego"), "4").unwrap();
        assert_eq!(names(watched.look()), None);
        assert_eq!(names(watched.look()), given(&["a.rego=1", "b.rego=4", "c/c.rego=3"]));
        // What is not part of the tree does not matter.
        fs::write(folder.path().join(".lock"), "").unwrap();
        assert_eq!((names(watched.look()), names(watched.look())), (None, None));
    }

    #[test]
    fn what_is_put_back_before_it_was_given_is_nothing_new() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["one", "two"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("a.rego"), name).unwrap();
        }
        let link = folder.path().join("link");
        let point = |to: &str| {
            let new = folder.path().join("new");
            symlink(to, &new).unwrap();
            fs::rename(&new, &link).unwrap();
        };
        point("one");
        let mut watched = Watched::new(&link, false);
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&["a.rego=one"])));
        point("two");
        assert_eq!(names(watched.look()), None);
        point("one");
        assert_eq!((names(watched.look()), names(watched.look())), (None, None));
        // As git-sync swaps worktrees.
        point("two");
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&["a.rego=two"])));
    }

    #[test]
    fn the_swap_of_a_config_map_is_one_change() {
        let folder = tempfile::tempdir().unwrap();
        let write = |version: &str| {
            fs::create_dir(folder.path().join(version)).unwrap();
            fs::write(folder.path().join(version).join("a.rego"), version).unwrap();
            symlink(version, folder.path().join("..data_tmp")).unwrap();
            fs::rename(folder.path().join("..data_tmp"), folder.path().join("..data")).unwrap();
        };
        write("..1");
        symlink("..data/a.rego", folder.path().join("a.rego")).unwrap();
        let mut watched = Watched::new(folder.path(), false);
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&["a.rego=..1"])));
        write("..2");
        fs::remove_dir_all(folder.path().join("..1")).unwrap();
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&["a.rego=..2"])));
        assert_eq!(super::super::directory(folder.path()).unwrap().iter().count(), 1);
    }

    #[test]
    fn a_tree_that_becomes_whole_by_its_marker_is_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::default();
        tree.insert("a.rego", "1");
        let marker = folder.path().join(TREE_FILE);
        fs::write(folder.path().join("a.rego"), "1").unwrap();
        fs::write(&marker, "unfinished\n").unwrap();
        let mut watched = Watched::new(folder.path(), false);
        assert!(watched.look().is_none());
        assert!(watched.look().unwrap().is_err(), "half a tree");
        fs::write(&marker, format!("{}\n", tree.digest())).unwrap();
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&["a.rego=1"])));
    }

    #[test]
    fn a_tree_that_goes_away_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("tree");
        fs::create_dir(&root).unwrap();
        let mut watched = Watched::new(&root, true);
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&[])));
        fs::remove_dir(&root).unwrap();
        assert!(watched.look().is_none());
        let error = watched.look().unwrap().unwrap_err().to_string();
        assert!(error.starts_with("can't read ") && error.contains("tree;"), "{error}");
        assert!(watched.look().is_none());
        fs::create_dir(&root).unwrap();
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&[])));
    }

    #[test]
    fn what_a_link_leads_to_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("one")).unwrap();
        fs::write(folder.path().join("one/a.rego"), "1").unwrap();
        let link = folder.path().join("link");
        symlink("one", &link).unwrap();
        let mut watched = Watched::new(&link, false);
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&["a.rego=1"])));
        fs::write(folder.path().join("one/a.rego"), "2").unwrap();
        assert!(watched.look().is_none());
        let why = watched.look().unwrap().unwrap_err().to_string();
        assert!(why.contains("one: files were changed where they are"), "{why}");
        // Still, also after it was refused once; what was there before is good again.
        fs::write(folder.path().join("one/a.rego"), "3").unwrap();
        assert!(watched.look().is_none() && watched.look().unwrap().is_err());
        fs::write(folder.path().join("one/a.rego"), "1").unwrap();
        assert_eq!((names(watched.look()), names(watched.look())), (None, given(&["a.rego=1"])));
        // A directory that is no link any more.
        fs::remove_file(&link).unwrap();
        fs::create_dir(&link).unwrap();
        assert!(watched.look().is_none());
        assert!(matches!(watched.look(), Some(Err(SourceError::Plain { .. }))));
    }
}
