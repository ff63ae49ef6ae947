//! What is wrong with a policies' tree: all of it at once, each with its place and its remedy.

use crate::program::{folder, run};

const HEAD: &str = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules:\n#       - {apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}\n";

fn binding(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{{rest}}}\n"
    )
}

#[test]
fn all_faults_are_listed_at_once() {
    let head = |package: &str| format!("{HEAD}package policies.workloads.{package}\n\n");
    let files = [
        ("p/workloads/good/good.rego", format!("{}deny contains \"no\" if false\n", head("good"))),
        ("p/workloads/syntax/syntax.rego", format!("{}deny contains \"no\" if {{\n", head("syntax"))),
        ("p/workloads/form/form.rego", format!("{}deny := \"no\"\n", head("form"))),
        ("p/workloads/none/none.rego", format!("{}allow := true\n", head("none"))),
        ("p/workloads/package/package.rego", format!("{}deny contains \"no\" if false\n", head("other"))),
        (
            "p/workloads/bare/bare.rego",
            "package policies.workloads.bare\n\ndeny contains \"no\" if false\n".to_owned(),
        ),
        (
            "p/workloads/typo/typo.rego",
            format!(
                "{}package policies.workloads.typo\n\ndeny contains \"no\" if false\n",
                HEAD.replace("match", "macth")
            ),
        ),
        (
            "p/workloads/severity/severity.rego",
            format!(
                "{}#   severity: fatal\npackage policies.workloads.severity\n\ndeny contains \"no\" if false\n",
                HEAD
            ),
        ),
        (
            "p/workloads/fact/fact.rego",
            format!(
                "{}#   context: [weather]\npackage policies.workloads.fact\n\ndeny contains \"no\" if false\n",
                HEAD
            ),
        ),
        ("p/stray.rego", "package stray\n".to_owned()),
        ("p/a.yaml", binding("a", "policy: workloads/goood, enforcement: deny")),
        ("p/b.yaml", binding("b", "policy: workloads/good, enforcement: deny, parameters: {x: 1}")),
        ("p/c.yaml", binding("c", "policy: workloads/good")),
        (
            "p/d.yaml",
            format!(
                "{}---\n{}",
                binding("d", "policy: workloads/good, enforcement: deny"),
                binding("d", "policy: workloads/good, enforcement: warn")
            ),
        ),
        ("p/e.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".to_owned()),
        ("p/f.yaml", "apiVersion: meshgate.io/v1alpha1\nkind: PolicyExeption\n".to_owned()),
        ("p/g.yaml", "a: 1\na: 2\n".to_owned()),
        (
            "p/h.yaml",
            "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [mlts]}\n"
                .to_owned(),
        ),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder(&files);
    let ran = run(folder.path(), &["check", "-p", "p", "-"], "");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    insta::assert_snapshot!("faults", ran.err);
}

#[test]
fn a_tree_in_which_nothing_is_bound_is_refused() {
    let policy = format!("{HEAD}package policies.workloads.good\n\ndeny contains \"no\" if false\n");
    let folder = folder(&[("p/workloads/good/good.rego", &policy)]);
    for command in [&["check", "-p", "p", "-"][..], &["serve", "--dev", "--listen", "127.0.0.1:0", "-p", "p"]]
    {
        let ran = run(folder.path(), command, "");
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains("nothing is bound") && ran.err.contains("workloads/good"), "{}", ran.err);
    }
}

#[test]
fn what_is_no_tree_is_refused() {
    let folder = folder(&[("p/real.yaml", "")]);
    std::os::unix::fs::symlink("real.yaml", folder.path().join("p/link.yaml")).unwrap();
    for (policies, needle) in [
        ("absent", "can't read absent"),
        ("p", "is a symbolic link"),
        ("embedded/strict", "no embedded profile `strict`; there are starter"),
    ] {
        let ran = run(folder.path(), &["check", "-p", policies, "-"], "");
        assert_eq!(ran.code, 2, "{policies}");
        assert!(ran.err.contains(needle), "{policies}: {}", ran.err);
    }
}
