//! What is embedded is what lies in the project, and no policy lacks a part.

use std::collections::BTreeMap;

use meshgate::policy::Tree;
use meshgate::source;

use crate::{bound, files, names, policies};

fn contents(tree: &Tree) -> BTreeMap<&str, &[u8]> {
    tree.iter().collect()
}

/// A file that is new is built in only when the crate is compiled anew, which the compiler does not know.
#[test]
fn what_lies_in_the_project_is_built_in() {
    let project = files();
    let mut built_in = source::catalogue();
    for name in source::profiles() {
        let profile = source::profile(&name).unwrap();
        let own: Vec<_> = profile.iter().filter(|(path, _)| !built_in.contains(path)).collect();
        own.into_iter()
            .for_each(|(path, content)| built_in.insert(format!("profiles/{name}/{path}"), content));
    }
    let (project, built_in) = (contents(&project), contents(&built_in));
    let paths: Vec<&str> = project.keys().chain(built_in.keys()).copied().collect();
    let differ: Vec<&str> =
        paths.into_iter().filter(|path| project.get(path) != built_in.get(path)).collect();
    assert!(differ.is_empty(), "not built in as they are (touch src/source/embedded.rs): {differ:?}");
}

#[test]
fn every_policy_has_all_its_parts() {
    let tree = policies();
    let mut missing = Vec::new();
    for policy in names(&tree) {
        let (_, name) = policy.split_once('/').unwrap();
        if !tree.contains(&format!("{policy}/{name}_test.rego")) {
            missing.push(format!("policies/{policy}: no {name}_test.rego"));
        }
        // Fails where there is no Rego, or none with METADATA.
        let bundle = bound::only(&policy);
        let (judges, mutates) = (bundle.bound[0].judges(), bundle.bound[0].mutates());
        let has = |outcome: &str| {
            tree.iter().any(|(path, _)| path.starts_with(&format!("{policy}/examples/{outcome}-")))
        };
        for (is_needed, outcomes) in
            [(true, ["allowed"].as_slice()), (judges, &["denied", "warned"]), (mutates, &["mutated"])]
        {
            if is_needed && !outcomes.iter().any(|outcome| has(outcome)) {
                missing.push(format!("policies/{policy}: no example of what is {}", outcomes.join(" or ")));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_library_is_tested() {
    let tree = policies();
    let libraries: Vec<&str> =
        tree.below("lib").map(|(path, _)| path).filter(|path| !path.ends_with("_test.rego")).collect();
    assert!(!libraries.is_empty());
    for path in libraries {
        assert!(tree.contains(&path.replace(".rego", "_test.rego")), "policies/{path} has no tests");
    }
}
