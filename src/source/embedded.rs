//! The policies that the binary carries: the catalogue, and profiles that bind it.

use include_dir::{Dir, DirEntry, include_dir};

use super::SourceError;
use crate::policy::Tree;

static POLICIES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/policies");

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

/// The tree `embedded/<name>`: the catalogue with the profile's bindings.
///
/// # Errors
/// [`SourceError::UnknownProfile`].
pub fn profile(name: &str) -> Result<Tree, SourceError> {
    let folder = format!("{PROFILES}/{name}");
    let unknown = || SourceError::UnknownProfile { name: name.to_owned(), known: profiles() };
    let dir = POLICIES.get_dir(&folder).filter(|_| !name.is_empty()).ok_or_else(unknown)?;
    let mut tree = Tree::default();
    for entry in POLICIES.entries().iter().filter(|entry| entry.path().to_str() != Some(PROFILES)) {
        add(&mut tree, entry, "");
    }
    for entry in dir.entries() {
        add(&mut tree, entry, &format!("{folder}/"));
    }
    Ok(tree)
}

fn add(tree: &mut Tree, entry: &DirEntry<'_>, prefix: &str) {
    match entry {
        DirEntry::Dir(dir) => dir.entries().iter().for_each(|entry| add(tree, entry, prefix)),
        DirEntry::File(file) => {
            let path = file.path().to_string_lossy().replace('\\', "/");
            tree.insert(path.strip_prefix(prefix).unwrap_or(&path), file.contents());
        }
    }
}
