//! Writing trees to disk, so that nobody reads half of one.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::SourceError;
use super::directory::unreadable;
use super::tree::Unacceptable;
use crate::policy::Tree;

/// The file of a directory that names the tree that is in it, written last.
pub const TREE_FILE: &str = ".meshgate-tree";

/// What it says until then: the digest of no tree.
const UNFINISHED: &[u8] = b"unfinished\n";

/// Writes a file under another name and gives it its own when it is whole.
pub(super) fn whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = folder.join(format!(".{name}.part"));
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&beside, path)
}

/// Writes a tree into a directory: an empty one, one that is not there yet, or one that was written like this before,
/// of which other files are removed. Its [`TREE_FILE`] comes last: until then it says that the tree is unfinished.
///
/// # Errors
/// A directory that has other files, and what can't be written.
pub fn write_directory(directory: &Path, tree: &Tree) -> Result<(), SourceError> {
    let failed = |error| SourceError::Unwritable { path: directory.display().to_string(), source: error };
    let before = files_below(directory)?;
    if !before.is_empty() && !directory.join(TREE_FILE).is_file() {
        let message = format!("{}: there are other files; name an empty directory", directory.display());
        return Err(Unacceptable::because(message).into());
    }
    let marker = directory.join(TREE_FILE);
    whole(&marker, UNFINISHED).map_err(failed)?;
    for (path, content) in tree.iter() {
        whole(&directory.join(path), content).map_err(failed)?;
    }
    let kept: BTreeSet<PathBuf> = tree.iter().map(|(path, _)| directory.join(path)).collect();
    for path in before.iter().filter(|path| !kept.contains(*path) && **path != marker) {
        fs::remove_file(path).map_err(failed)?;
    }
    whole(&marker, format!("{}\n", tree.digest()).as_bytes()).map_err(failed)
}

fn files_below(directory: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let mut files = Vec::new();
    if !directory.exists() {
        return Ok(files);
    }
    for entry in fs::read_dir(directory).map_err(unreadable(directory))? {
        let entry = entry.map_err(unreadable(directory))?;
        let is_folder = entry.file_type().map_err(unreadable(directory))?.is_dir();
        if is_folder { files.extend(files_below(&entry.path())?) } else { files.push(entry.path()) }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::super::directory;
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        files.iter().for_each(|(path, content)| tree.insert(*path, *content));
        tree
    }

    #[test]
    fn what_is_written_is_read_and_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("new/tree");
        for files in [[("a/b/b.rego", "1"), ("x.yaml", "2")], [("a/b/c.rego", "3"), ("x.yaml", "4")]] {
            let tree = tree(&files);
            write_directory(&root, &tree).unwrap();
            assert_eq!(directory(&root).unwrap().digest(), tree.digest());
        }
        fs::write(folder.path().join("file"), "").unwrap();
        let why = write_directory(folder.path(), &tree(&[])).unwrap_err().to_string();
        assert!(why.ends_with(": there are other files; name an empty directory"), "{why}");
    }

    #[test]
    fn a_tree_that_was_never_finished_is_none() {
        let folder = tempfile::tempdir().unwrap();
        // What comes second can't be written: there is a folder of its name.
        fs::create_dir_all(folder.path().join("b.rego")).unwrap();
        write_directory(folder.path(), &tree(&[("a.rego", "1"), ("b.rego", "1")])).unwrap_err();
        assert!(folder.path().join("a.rego").is_file());
        let why = directory(folder.path()).unwrap_err().to_string();
        assert!(why.contains("names the tree unfinished, and "), "{why}");
        fs::remove_dir(folder.path().join("b.rego")).unwrap();
        write_directory(folder.path(), &tree(&[("a.rego", "2")])).unwrap();
        directory(folder.path()).unwrap();
    }

    #[test]
    fn half_a_tree_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) =
            (tree(&[("a.rego", "1"), ("b.rego", "1")]), tree(&[("a.rego", "2"), ("b.rego", "2")]));
        write_directory(folder.path(), &one).unwrap();
        // As its writer does it, one file after the other.
        whole(&folder.path().join("a.rego"), b"2").unwrap();
        let why = directory(folder.path()).unwrap_err().to_string();
        assert!(why.contains(&format!("names the tree {}, and ", one.digest())), "{why}");
        write_directory(folder.path(), &other).unwrap();
        assert_eq!(directory(folder.path()).unwrap().digest(), other.digest());
    }
}
