//! A policies' tree as bytes: paths and contents, wherever they came from.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

/// The files of a policies' tree: path, with `/` and relative to the tree's root, to content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, Vec<u8>>,
}

impl Tree {
    /// Adds a file, or replaces it.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), content.into());
    }

    /// Whether the tree has this file.
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// What is in a file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    /// All files, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, content)| (path.as_str(), content.as_slice()))
    }

    /// The part of the tree below a folder, paths unchanged.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.iter()
            .filter(move |(path, _)| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }

    /// What identifies exactly these files: equal trees have equal revisions, whatever order they were read in.
    pub fn revision(&self) -> Revision {
        let mut hash = Sha256::new();
        for (path, content) in &self.files {
            // Lengths first, so that no two trees give the same stream of bytes.
            for part in [path.as_bytes(), content.as_slice()] {
                hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                hash.update(part);
            }
        }
        let digest = hash.finalize();
        Revision(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// The name of a tree's content: SHA-256 over its files, in hexadecimal. Displayed in full.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(String);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        files.iter().for_each(|(path, content)| tree.insert(*path, *content));
        tree
    }

    #[test]
    fn a_revision_names_content_and_path_and_nothing_else() {
        let one = tree(&[("a.rego", "x"), ("b.rego", "y")]);
        assert_eq!(one.revision(), tree(&[("b.rego", "y"), ("a.rego", "x")]).revision());
        for other in
            [tree(&[("a.rego", "xb.regoy")]), tree(&[("a.rego", "y"), ("b.rego", "x")]), Tree::default()]
        {
            assert_ne!(one.revision(), other.revision());
        }
    }
}
