//! The flags that every command has: `-q`, `-v`, `--config`.

use crate::program::{Run, folder, run};

const POLICY: &str = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.test.named\n\ndeny contains \"it is called bad\" if input.request.name == \"bad\"\n";

const BINDING: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: test/named, enforcement: deny}\n";

const CONFIGURATION: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\npolicies: p\nsubjects: {users: [anna], groups: []}\n";

const PODS: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec: {containers: []}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {containers: []}\n";

const NAMESPACE: &str =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {meshgate.io/mode: 'off'}}\n";

fn meshgate(arguments: &[&str]) -> Run {
    let files = [
        ("p/test/named/named.rego", POLICY),
        ("p/test/named/named_test.rego", "package policies.test.named_test\n\ntest_it if true\n"),
        ("p/b.yaml", BINDING),
        ("pods/pods.yaml", PODS),
        ("pods/values.yaml", "a: 1\n"),
        ("namespace.yaml", NAMESPACE),
        ("meshgate.yaml", CONFIGURATION),
        (
            "git.yaml",
            "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nsource: {name: platform, git: {url: 'https://git.example/policies', branch: main}}\ntrust: {allowedSigners: a}\nstate: s\n",
        ),
    ];
    run(folder(&files).path(), arguments, "")
}

#[test]
fn quiet_is_only_what_is_wrong_and_verbose_also_what_passed() {
    let [quiet, usual, verbose] =
        ["-q", "--color=never", "-v"].map(|flag| meshgate(&["check", "pods", "-p", "p", flag]));
    for ran in [&quiet, &usual, &verbose] {
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{}", ran.out);
        assert!(ran.out.starts_with("denied: [test/named] it is called bad\n"), "{}", ran.out);
    }
    let numbers = "3 documents: 1 passed, 1 denied";
    for (part, expected) in [
        (numbers, [false, true, true]),
        ("skipped: pods/values.yaml:1:", [false, true, true]),
        ("passed: pods/pods.yaml:1: Pod/default/good\n", [false, false, true]),
    ] {
        let found = [&quiet, &usual, &verbose].map(|ran| ran.out.contains(part));
        assert_eq!(found, expected, "{part}");
    }
    let both = meshgate(&["check", "pods", "-p", "p", "-q", "-v"]);
    assert_eq!(both.code, 2);
}

#[test]
fn where_nothing_is_wrong_quiet_says_nothing() {
    for command in [&["check", "namespace.yaml", "-p", "p"][..], &["test", "p"]] {
        let ran = meshgate(&[command, &["-q"]].concat());
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""), "{command:?}");
        let ran = meshgate(command);
        assert!(!ran.out.is_empty(), "{command:?}");
    }
    let (quiet, usual) = (meshgate(&["lint", "p", "-q"]), meshgate(&["lint", "p"]));
    assert_eq!(usual.out, format!("{}0 faults, 2 lints\n", quiet.out));
    assert!(meshgate(&["-v", "test", "p"]).out.contains("passed: data.policies.test.named_test.test_it"));
}

#[test]
fn a_configuration_says_what_flags_do_not() {
    for command in
        [&["--config", "meshgate.yaml", "check", "pods"][..], &["check", "pods", "--config", "meshgate.yaml"]]
    {
        let ran = meshgate(command);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        assert!(ran.out.contains("[test/named] it is called bad"), "{}", ran.out);
    }
    let flag = meshgate(&["check", "pods", "--config", "meshgate.yaml", "-p", "embedded/starter"]);
    assert!(!flag.out.contains("test/named"), "{}", flag.out);
    for (user, code) in [("anna", 0), ("berta", 1)] {
        let ran = meshgate(&["check", "namespace.yaml", "--config", "meshgate.yaml", "--as", user]);
        assert_eq!(ran.code, code, "{user}: {}{}", ran.out, ran.err);
    }
    // Nobody is excepted there by the group that has it without a configuration.
    let as_master = ["check", "namespace.yaml", "--as", "c", "--as-group", "system:masters", "-p", "p"];
    assert_eq!(meshgate(&as_master).code, 0);
    assert_eq!(meshgate(&[&as_master[..], &["--config", "meshgate.yaml"]].concat()).code, 1);
}

#[test]
fn a_configuration_that_can_not_be_used_is_an_error() {
    for (file, says) in [
        ("nowhere.yaml", "--config nowhere.yaml: can't be read; check that it exists"),
        ("pods/values.yaml", "the configuration can't be used"),
        ("git.yaml", "its policies come from a repository"),
    ] {
        let ran = meshgate(&["check", "pods", "--config", file]);
        assert_eq!(ran.code, 2, "{file}");
        assert!(ran.err.contains(says), "{file}: {}", ran.err);
    }
}
