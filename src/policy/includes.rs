//! What a tree takes from the embedded one: its libraries, and what its `Bundle` includes; and which of its own folders
//! are laid out as trees.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::fault::Fault;
use super::near::remedy;
use super::settings::BundleSettings;
use super::tenant::Tenant;
use super::tree::Tree;
use super::written::Written;

/// The folder of the catalogue that holds profiles, and what names them in `includes`.
const PROFILES: &str = "profiles";
const EMBEDDED: &str = "embedded/";

/// Begins what `includes` says of a folder of the tree, so that no embedded category ever means another thing.
const OWN: &str = "./";

/// Files that come along.
pub(super) struct Included<'a> {
    /// Rego and its examples.
    pub(super) rego: Vec<(&'a str, &'a [u8])>,
    /// The files of profiles, below `profiles/<name>`.
    pub(super) profiles: Vec<(&'a str, &'a [u8])>,
}

/// Looks up what `tree` includes of `catalogue`. `bundle` is where that is written.
pub(super) fn read<'a>(
    tree: &Tree,
    catalogue: &'a Tree,
    settings: &'a BundleSettings,
    bundle: Option<&Written>,
    faults: &mut Vec<Fault>,
) -> Included<'a> {
    let known = names(catalogue);
    let mut folders = BTreeSet::from(["lib".to_owned()]);
    let mut included = Included { rego: Vec::new(), profiles: Vec::new() };
    for (index, name) in settings.includes.iter().enumerate().filter(|(_, name)| !is_path(name)) {
        if !known.contains(name) {
            let what = if name.starts_with(EMBEDDED) { "profile" } else { "category" };
            let remedy = match tree.below(name).next() {
                Some(_) => format!("a folder of the tree is written as `{OWN}{name}`"),
                None => remedy(name, known.iter().map(String::as_str)),
            };
            let message = format!("spec.includes[{index}]: no embedded {what} `{name}`; {remedy}");
            faults.extend(bundle.map(|bundle| bundle.fault(&format!("/spec/includes/{index}"), message)));
        } else if let Some(profile) = name.strip_prefix(EMBEDDED) {
            // A profile binds what the whole catalogue has.
            folders.extend(known.iter().filter(|name| !name.starts_with(EMBEDDED)).cloned());
            let is_of_it = |path: &str| {
                let rest = path.strip_prefix(PROFILES).and_then(|rest| rest.strip_prefix('/'));
                rest.and_then(|rest| rest.strip_prefix(profile)).is_some_and(|rest| rest.starts_with('/'))
            };
            included.profiles.extend(catalogue.iter().filter(|(path, _)| is_of_it(path)));
        } else {
            folders.insert(name.clone());
        }
    }
    for (path, content) in catalogue.iter() {
        let is_included = path.split('/').next().is_some_and(|folder| folders.contains(folder));
        if !is_included {
            continue;
        }
        match tree.file(path) {
            None => included.rego.push((path, content)),
            Some(own) if own != content => {
                faults
                    .push(Fault::of_file(path, "differs from the embedded file of this name; rename yours"));
            }
            Some(_) => {}
        }
    }
    included
}

/// The folders of the tree that are included: each is laid out as a tree itself. `written` is the Bundle.
pub(super) fn folders(
    includes: &[String],
    tenants: &[Arc<Tenant>],
    written: &Written,
    tree: &Tree,
    faults: &mut Vec<Fault>,
) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for (index, name) in includes.iter().enumerate().filter(|(_, name)| is_path(name)) {
        match folder(name, &folders, tenants, tree) {
            Ok(path) => folders.push(path),
            Err(problem) => {
                let message = format!("spec.includes[{index}]: {problem}");
                faults.push(written.fault(&format!("/spec/includes/{index}"), message));
            }
        }
    }
    folders
}

/// The path of one, or why it is none.
fn folder(name: &str, others: &[String], tenants: &[Arc<Tenant>], tree: &Tree) -> Result<String, String> {
    let path = name.strip_prefix(OWN).map(|path| path.trim_end_matches('/'));
    let is_plain = |path: &&str| path.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    let path = path.filter(is_plain).ok_or_else(|| {
        format!("`{name}` is no folder of the tree, and nothing else is read; write it from the tree's root, as `{OWN}shared/policies`")
    })?;
    if tree.below(path).next().is_none() {
        return Err(format!("the tree has no file below `{path}`; correct the path"));
    }
    let meets = |other: &str| path == other || is_below(path, other) || is_below(other, path);
    if let Some(tenant) = tenants.iter().find(|tenant| meets(&tenant.path)) {
        return Err(format!(
            "`{path}` and the sub-tree `{}` of the tenant `{}` lie one in the other; move one of them",
            tenant.path, tenant.name
        ));
    }
    match others.iter().find(|other| meets(other)) {
        Some(other) => {
            Err(format!("`{path}` and `{other}` are one, or lie one in the other; name one of them"))
        }
        None => Ok(path.to_owned()),
    }
}

/// Whether it is meant as a path in a file system.
fn is_path(name: &str) -> bool {
    name.starts_with(['.', '/'])
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The words that `includes` may say: categories, and `embedded/<profile>`.
fn names(catalogue: &Tree) -> BTreeSet<String> {
    let name = |(path, _): (&str, &[u8])| match path.split('/').collect::<Vec<_>>().as_slice() {
        [PROFILES, profile, _, ..] => Some(format!("{EMBEDDED}{profile}")),
        [category, _, _, ..] if *category != "lib" => Some((*category).to_owned()),
        _ => None,
    };
    catalogue.iter().filter_map(name).collect()
}
