//! The policies that the binary carries: the catalogue, and profiles that bind it.

use include_dir::{Dir, DirEntry, File, include_dir};

use super::SourceError;
use crate::policy::{Provenance, SourceKind, Tree};

static POLICIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

static REPOSITORY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/deploy/examples/policy-repo");

/// The folder of the profiles.
const PROFILES: &str = "profiles";

/// All that is embedded: policies and libraries, and below `profiles/<name>` what binds them.
pub fn catalogue() -> Tree {
    let mut tree = Tree::default();
    POLICIES.entries().iter().for_each(|entry| add(&mut tree, entry, ""));
    tree
}

/// The names of the embedded profiles, sorted.
pub fn profiles() -> Vec<String> {
    let folders = POLICIES.get_dir(PROFILES).into_iter().flat_map(Dir::dirs);
    let mut names: Vec<String> =
        folders.filter_map(|dir| Some(dir.path().file_name()?.to_str()?.to_owned())).collect();
    names.sort();
    names
}

/// A policy repository to start from: paths and contents, in order. It is `deploy/examples/policy-repo`.
pub fn policy_repository() -> Vec<(String, &'static [u8])> {
    let mut files = Vec::new();
    let mut folders = vec![&REPOSITORY];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        let named = |file: &'static File<'static>| {
            (file.path().to_string_lossy().replace('\\', "/"), file.contents())
        };
        files.extend(folder.files().map(named));
    }
    files.sort();
    files
}

/// The tree `embedded/<name>`: the catalogue with the profile's bindings.
///
/// # Errors
/// [`SourceError::UnknownProfile`].
pub fn profile(name: &str) -> Result<Tree, SourceError> {
    let folder = format!("{PROFILES}/{name}");
    let unknown = || SourceError::UnknownProfile { name: name.to_owned(), known: profiles() };
    let dir = POLICIES.get_dir(&folder).filter(|_| !name.is_empty()).ok_or_else(unknown)?;
    let source = format!("embedded/{name}");
    let provenance = Provenance { source, kind: SourceKind::Embedded, ..Provenance::default() };
    let mut tree = Tree::default().coming_from(provenance);
    for entry in POLICIES.entries().iter().filter(|entry| entry.path().to_str() != Some(PROFILES)) {
        add(&mut tree, entry, "");
    }
    for entry in dir.entries() {
        add(&mut tree, entry, &format!("{folder}/"));
    }
    Ok(tree)
}

fn add(tree: &mut Tree, entry: &'static DirEntry<'static>, prefix: &str) {
    match entry {
        DirEntry::Dir(dir) => dir.entries().iter().for_each(|entry| add(tree, entry, prefix)),
        DirEntry::File(file) => {
            let path = file.path().to_string_lossy().replace('\\', "/");
            tree.insert_embedded(path.strip_prefix(prefix).unwrap_or(&path), file.contents());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, EntryKind, accept};
    use super::*;

    #[test]
    fn what_is_embedded_is_what_any_source_would_take() {
        let profiles = profiles().into_iter().map(|name| profile(&name).unwrap());
        for tree in profiles.chain([catalogue()]) {
            let entry = |(path, content): (&str, &[u8])| Entry {
                path: path.as_bytes().to_vec(),
                kind: EntryKind::File,
                content: content.to_vec(),
            };
            let accepted = accept(tree.iter().map(entry).collect()).unwrap();
            assert_eq!((accepted.tree.digest(), accepted.skipped), (tree.digest(), 0));
        }
    }
}
