//! A policies' tree as a ConfigMap. Its keys can't be paths, so that the volume says which key is which file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::policy::Tree;

/// The ConfigMap of the policies.
pub(super) const CONFIG_MAP: &str = "meshgate-policies";

/// K/pkg/apis/core, MaxSecretSize, which is also that of a ConfigMap.
const LIMIT: usize = 1 << 20;

/// K/staging/src/k8s.io/apimachinery/pkg/util/validation, DNS1123SubdomainMaxLength: that of a key.
const LONGEST_KEY: usize = 253;

/// A tree that fits into a ConfigMap: key to path and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed(BTreeMap<String, (String, String)>);

/// Why a tree does not fit into a ConfigMap.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackingError {
    /// A file is no text.
    #[error("{0}: not UTF-8, which a policies' tree does not need; take it out of the tree")]
    NotText(String),
    /// A path can't be written as a key.
    #[error(
        "{0}: a ConfigMap takes only letters, digits, `-`, `_` and `.` in names, and 253 characters; rename it"
    )]
    Name(String),
    /// Two paths are one key.
    #[error("{0} and {1} are one key of a ConfigMap; rename one")]
    OneKey(String, String),
    /// It is too large.
    #[error(
        "the tree has {size} bytes, and a ConfigMap takes {LIMIT}; leave tests and examples out, or build an image with it"
    )]
    TooLarge {
        /// The bytes of keys and contents.
        size: usize,
    },
}

impl Packed {
    /// All files of a tree.
    ///
    /// # Errors
    /// [`PackingError`].
    pub fn of(tree: &Tree) -> Result<Self, PackingError> {
        let mut files = BTreeMap::new();
        let mut size = 0_usize;
        for (path, content) in tree.iter() {
            let key = key(path)?;
            let text = String::from_utf8(content.to_vec());
            let text = text.map_err(|_| PackingError::NotText(path.to_owned()))?;
            size = size.saturating_add(key.len()).saturating_add(text.len());
            if let Some((other, _)) = files.insert(key, (path.to_owned(), text)) {
                return Err(PackingError::OneKey(other, path.to_owned()));
            }
        }
        if size > LIMIT { Err(PackingError::TooLarge { size }) } else { Ok(Self(files)) }
    }

    /// The ConfigMap's data.
    pub(super) fn data(&self) -> Value {
        self.0
            .iter()
            .map(|(key, (_, content))| (key.clone(), content.as_str().into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// The items of a volume of it.
    pub(super) fn items(&self) -> Value {
        self.0.iter().map(|(key, (path, _))| json!({ "key": key, "path": path })).collect()
    }
}

fn key(path: &str) -> Result<String, PackingError> {
    let key = path.replace('/', "..");
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    let fits = key.len() <= LONGEST_KEY && key.chars().all(is_allowed);
    if fits { Ok(key) } else { Err(PackingError::Name(path.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(files: &[(&str, &[u8])]) -> Result<Packed, PackingError> {
        let mut tree = Tree::default();
        files.iter().for_each(|(path, content)| tree.insert(*path, *content));
        Packed::of(&tree)
    }

    #[test]
    fn a_tree_is_the_volume_of_its_map() {
        let packed = packed(&[("lib/a/a.rego", b"package lib.a\n"), ("b.yaml", b"")]).unwrap();
        assert_eq!(packed.data(), json!({ "lib..a..a.rego": "package lib.a\n", "b.yaml": "" }));
        let items = json!([{ "key": "b.yaml", "path": "b.yaml" }, { "key": "lib..a..a.rego", "path": "lib/a/a.rego" }]);
        assert_eq!(packed.items(), items);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let long = format!("{}.yaml", "a/".repeat(100));
        let large = vec![b'a'; LIMIT];
        for (files, expected) in [
            (vec![("a", &b"\xff"[..])], PackingError::NotText("a".to_owned())),
            (vec![("a b", b"")], PackingError::Name("a b".to_owned())),
            (vec![(long.as_str(), b"")], PackingError::Name(long.clone())),
            (vec![("a..b", b""), ("a/b", b"")], PackingError::OneKey("a..b".to_owned(), "a/b".to_owned())),
            (vec![("a", &large)], PackingError::TooLarge { size: LIMIT + 1 }),
        ] {
            assert_eq!(packed(&files), Err(expected));
        }
        assert!(packed(&[("a", &large[1..])]).is_ok());
    }
}
