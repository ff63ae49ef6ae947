//! The pages of the catalogue are what the program writes of the policies that it carries.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::program::{folder, meshgate, run};

/// All files below a folder, by their paths in it.
fn files(root: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                all.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    all
}

#[test]
fn the_pages_are_those_that_are_written_of_what_is_embedded() {
    let folder = folder(&[]);
    let into = folder.path().join("new/pages");
    let ran = meshgate(&["policies", "docs", into.to_str().unwrap()]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let written = files(&into);
    assert_eq!(ran.out, format!("{}: {} pages\n", into.display(), written.len()));
    let kept = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/catalogue"));
    let differ: Vec<&String> =
        written.keys().chain(kept.keys()).filter(|name| written.get(*name) != kept.get(*name)).collect();
    assert!(
        differ.is_empty(),
        "`meshgate policies docs docs/catalogue` writes others, or they are gone: {differ:?}"
    );
}

#[test]
fn a_tree_of_its_own_has_pages_with_its_own_bindings() {
    let policy = "# METADATA\n# title: A | B\n# description: d\n# custom:\n#   failurePolicy: Ignore\n#   match:\n#     rules:\n\
                  #       - {apiGroups: [\"\"], apiVersions: [v1], resources: [services], operations: [DELETE]}\n\
                  #   parameters:\n#     required: [a]\n#     properties:\n#       a: {enum: [x, w], description: which}\n\
                  #       b: {type: integer, default: 2}\n#       c: {type: array, items: {enum: [z]}}\n\
                  package policies.team.own\n\ndeny contains \"no\" if input.parameters.a == \"x\"\n";
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: own}\n\
                   spec: {policy: team/own, enforcement: deny, parameters: {a: x, b: 2}}\n";
    let folder = folder(&[
        ("p/team/own/own.rego", policy),
        ("p/team/own/examples/allowed-a.yaml", "kind: Service\n"),
        ("p/bindings.yaml", binding),
    ]);
    let ran = run(folder.path(), &["policies", "docs", "pages", "-p", "p"], "");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "pages: 2 pages\n", ""));
    let pages = files(&folder.path().join("pages"));
    insta::assert_snapshot!("catalogue_page", pages["team/own.md"]);
    assert!(
        pages["README.md"].contains("| [team/own](team/own.md) | A \\| B | medium |\n"),
        "{}",
        pages["README.md"]
    );

    fs::write(folder.path().join("file"), "").unwrap();
    let ran = run(folder.path(), &["policies", "docs", "file/pages", "-p", "p"], "");
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("error: can't write file/pages/README.md\n"), "{}", ran.err);
}
