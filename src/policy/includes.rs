//! What a tree takes from the embedded one: its libraries, and what its `Bundle` includes.

use std::collections::BTreeSet;

use super::fault::Fault;
use super::near::remedy;
use super::settings::BundleSettings;
use super::tree::Tree;
use super::written::Written;

/// The folder of the catalogue that holds profiles, and what names them in `includes`.
const PROFILES: &str = "profiles";
const EMBEDDED: &str = "embedded/";

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
    for (index, name) in settings.includes.iter().enumerate() {
        if !known.contains(name) {
            let what = if name.starts_with(EMBEDDED) { "profile" } else { "category" };
            let remedy = remedy(name, known.iter().map(String::as_str));
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
        match tree.iter().find(|(name, _)| *name == path) {
            None => included.rego.push((path, content)),
            Some((_, own)) if own != content => {
                faults
                    .push(Fault::of_file(path, "differs from the embedded file of this name; rename yours"));
            }
            Some(_) => {}
        }
    }
    included
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
