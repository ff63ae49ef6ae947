//! A policies' tree as bytes: paths and contents, wherever they came from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::revision::{Digest, Provenance};

/// The files of a policies' tree: path, with `/` and relative to the tree's root, to content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, Cow<'static, [u8]>>,
    /// Where they came from.
    pub provenance: Provenance,
}

impl Tree {
    /// Adds a file, or replaces it.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), Cow::Owned(content.into()));
    }

    /// Adds a file that the binary carries, or replaces it.
    pub fn insert_embedded(&mut self, path: impl Into<String>, content: &'static [u8]) {
        self.files.insert(path.into(), Cow::Borrowed(content));
    }

    /// Whether the tree has this file.
    pub fn contains(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// What is in a file.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(AsRef::as_ref)
    }

    /// All files, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, content)| (path.as_str(), content.as_ref()))
    }

    /// The part of the tree below a folder, paths unchanged.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.iter()
            .filter(move |(path, _)| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The same files, said to come from there.
    #[must_use]
    pub fn coming_from(self, provenance: Provenance) -> Self {
        Self { provenance, ..self }
    }

    /// What identifies exactly these files: SHA-256 over a line `path NUL size NUL hex(sha256) LF` for each, sorted by
    /// path as bytes, the size in decimal. Equal files have equal digests, whatever source they came from and in
    /// whatever order.
    pub fn digest(&self) -> Digest {
        let mut lines = Vec::new();
        for (path, content) in &self.files {
            let line = format!("{path}\0{}\0{}\n", content.len(), Digest::of(content));
            lines.extend_from_slice(line.as_bytes());
        }
        Digest::of(&lines)
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
    fn a_digest_names_content_and_path_and_nothing_else() {
        let one = tree(&[("a.rego", "x"), ("b.rego", "y")]);
        assert_eq!(one.digest(), tree(&[("b.rego", "y"), ("a.rego", "x")]).digest());
        let elsewhere =
            Provenance { origin: "https://example.com/a.git".to_owned(), ..Provenance::default() };
        assert_eq!(one.digest(), one.clone().coming_from(elsewhere).digest());
        for other in
            [tree(&[("a.rego", "xb.regoy")]), tree(&[("a.rego", "y"), ("b.rego", "x")]), Tree::default()]
        {
            assert_ne!(one.digest(), other.digest());
        }
    }

    /// As `printf 'a.rego\0001\000%s\n' $(printf x | sha256sum | cut -c -64) | sha256sum` computes it.
    #[test]
    fn a_digest_is_what_other_programs_compute() {
        let digest = tree(&[("a.rego", "x")]).digest().to_string();
        assert_eq!(digest, "11f9bad90a87420933ffdf425e693cb062a9e5e6e100e116e0330785ead3feb6");
    }
}
