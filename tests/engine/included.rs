//! Folders of a tree that its Bundle includes: each is laid out as a tree itself.

use meshgate::engine::compile;
use meshgate::policy::{Draft, Tree};
use meshgate::source;

use crate::excepted::document;

const POLICY: &str = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.workloads.shared\n\nimport data.lib.words\n\ndeny contains words.no\n";
const LIBRARY: &str = "package lib.words\n\nno := \"no\"\n";

/// A tree that includes that, with a folder `acme/shared` in which a policy is bound.
fn tree(includes: &str) -> Tree {
    let mut tree = Tree::default();
    tree.insert("bundle.yaml", document("Bundle", "b", &format!("{{includes: {includes}}}")));
    tree.insert("acme/shared/workloads/shared/shared.rego", POLICY);
    tree.insert("acme/shared/workloads/shared/shared_test.rego", "package policies.workloads.shared_test\n");
    tree.insert("acme/shared/workloads/shared/examples/denied-a.yaml", "kind: [");
    tree.insert("acme/shared/lib/words/words.rego", LIBRARY);
    let binding = document("PolicyBinding", "b", "{policy: workloads/shared, enforcement: deny}");
    tree.insert("acme/shared/bindings.yaml", binding);
    tree
}

fn faults(tree: &Tree) -> String {
    compile(Draft::read(tree, &source::catalogue()))
        .err()
        .map(|faults| faults.to_string())
        .unwrap_or_default()
}

#[test]
fn an_included_folder_is_read_as_a_tree() {
    let tree = tree("[./acme/shared/]");
    let bundle =
        compile(Draft::read(&tree, &source::catalogue())).unwrap_or_else(|faults| panic!("{faults}"));
    let ids: Vec<String> = bundle.bound.iter().map(|bound| bound.policy.id.to_string()).collect();
    assert_eq!(ids, ["workloads/shared"]);
}

#[test]
fn what_is_no_folder_of_the_tree_is_a_fault_at_its_line() {
    let outside = |name: &str| {
        format!(
            "`{name}` is no folder of the tree, and nothing else is read; write it from the tree's root, as `./shared/policies`"
        )
    };
    for (name, problem) in [
        ("../acme", outside("../acme")),
        ("./../acme", outside("./../acme")),
        ("./acme/../../x", outside("./acme/../../x")),
        ("/acme/shared", outside("/acme/shared")),
        ("./", outside("./")),
        (".", outside(".")),
        ("./.git", outside("./.git")),
        ("./acme/other", "the tree has no file below `acme/other`; correct the path".to_owned()),
        (
            "acme/shared",
            "no embedded category `acme/shared`; a folder of the tree is written as `./acme/shared`"
                .to_owned(),
        ),
    ] {
        let found = faults(&tree(&format!("['{name}']")));
        let expected = format!("bundle.yaml:4:19: spec.includes[0]: {problem}");
        assert!(found.lines().any(|line| line == expected), "{expected}:\n{found}");
    }
}

#[test]
fn folders_that_can_not_be_told_apart_are_faults() {
    for (includes, problem) in [
        (
            "[./acme/shared, ./acme]",
            "`acme` and `acme/shared` are one, or lie one in the other; name one of them",
        ),
        (
            "[./acme/shared, ./acme/shared]",
            "`acme/shared` and `acme/shared` are one, or lie one in the other; name one of them",
        ),
    ] {
        let found = faults(&tree(includes));
        assert!(found.contains(&format!("spec.includes[1]: {problem}")), "{found}");
    }
    let mut tenant = tree("[./acme/shared]");
    let spec = "{includes: [./acme/shared], tenants: [{path: acme, namespaces: [shop]}]}";
    tenant.insert("bundle.yaml", document("Bundle", "b", spec));
    let found = faults(&tenant);
    let problem = "spec.includes[0]: `acme/shared` and the sub-tree `acme` of the tenant `acme` lie one in the other; move one of them";
    assert!(found.contains(problem), "{found}");
}

/// A file that two sub-trees bring is read once where it is the same, and else refused.
#[test]
fn what_several_sub_trees_bring_is_the_same_or_a_fault() {
    let mut both = tree("[./acme/shared]");
    both.insert("lib/words/words.rego", LIBRARY);
    both.insert("workloads/shared/shared.rego", POLICY);
    assert_eq!(faults(&both), "");
    both.insert("lib/words/words.rego", "package lib.words\n\nno := \"yes\"\n");
    both.insert("workloads/shared/shared.rego", POLICY.replace("words.no", "\"yes\""));
    let expected = "lib/words/words.rego: differs from acme/shared/lib/words/words.rego, which has the same name; rename one\n\
        workloads/shared/shared.rego: differs from acme/shared/workloads/shared/shared.rego, which has the same name; rename one";
    assert_eq!(faults(&both), expected);
}

/// A policy that reads what nothing is.
fn spoilt(name: &str) -> String {
    let rules =
        "custom:\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
    format!(
        "# METADATA\n# title: A\n# description: B\n# {rules}\npackage policies.a.{name}\n\ndeny contains \"x\" if data.nothing.here\n"
    )
}

/// Embedded files are judged where they are made, and again where they count.
#[test]
fn an_embedded_policy_is_judged_if_it_is_bound_or_differs() {
    let mut catalogue = Tree::default();
    catalogue.insert(
        "a/sound/sound.rego",
        spoilt("sound").replace("data.nothing.here", "input.request.name == \"x\""),
    );
    catalogue.insert("a/spoilt/spoilt.rego", spoilt("spoilt"));
    let of = |bound: &str, file: (&str, String)| {
        let mut tree = Tree::default();
        tree.insert(
            "bundle.yaml",
            "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: x}\nspec: {includes: [a]}\n",
        );
        tree.insert("binding.yaml", format!("apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: x}}\nspec: {{policy: a/{bound}, enforcement: deny}}\n"));
        tree.insert(file.0, file.1);
        let faults = compile(Draft::read(&tree, &catalogue)).err();
        faults.map(|faults| faults.iter().map(|fault| (fault.file.clone(), fault.code)).collect::<Vec<_>>())
    };
    let same = ("a/spoilt/spoilt.rego", spoilt("spoilt"));
    assert_eq!(of("sound", same.clone()), None, "nobody is asked it");
    let named = Some(vec![("a/spoilt/spoilt.rego".to_owned(), Some("MG101"))]);
    assert_eq!(of("spoilt", same), named, "it is bound");
    let other = ("a/other/other.rego", spoilt("other"));
    assert_eq!(of("sound", other), Some(vec![("a/other/other.rego".to_owned(), Some("MG101"))]), "one's own");
}
