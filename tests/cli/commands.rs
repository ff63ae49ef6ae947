//! The other commands, and usage.

use serde_json::{Value, json};

use crate::program::{folder, meshgate, run, with_input};

const REVIEW: &str = "docs/examples/review.json";

#[test]
fn review_answers_as_the_webhook_does() {
    let deny = meshgate(&["review", "--phase", "validate", "--mode", "deny", REVIEW]);
    let answer: Value = serde_json::from_str(&deny.out).unwrap();
    assert_eq!(
        (deny.code, &answer["response"]["allowed"], &answer["response"]["status"]["code"]),
        (1, &json!(false), &json!(403))
    );
    let warn = meshgate(&["review", "--phase", "validate", REVIEW]);
    let answer: Value = serde_json::from_str(&warn.out).unwrap();
    assert_eq!((warn.code, &answer["response"]["allowed"]), (0, &json!(true)));
    assert!(
        answer["response"]["warnings"][0].as_str().unwrap().contains("securityContext.privileged=true"),
        "{answer}"
    );
    let mutate = with_input(&["review", "--phase", "mutate", "-"], &std::fs::read_to_string(REVIEW).unwrap());
    let answer: Value = serde_json::from_str(&mutate.out).unwrap();
    assert_eq!((mutate.code, &answer["response"]["patchType"]), (0, &json!("JSONPatch")));
}

#[test]
fn what_is_no_review_is_an_error_with_the_reason() {
    for (input, needle) in [
        ("", "the body is empty"),
        ("kind: Pod", "can't be read as JSON"),
        ("{\"apiVersion\":\"admission.k8s.io/v1beta1\",\"kind\":\"AdmissionReview\"}", "v1beta1"),
    ] {
        let ran = with_input(&["review", "--phase", "validate", "-"], input);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{input}");
        assert!(ran.err.contains(needle), "{input}: {}", ran.err);
    }
}

#[test]
fn a_policy_in_error_is_exit_code_3_and_a_denial() {
    let policy = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules:\n#       - {apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}\npackage policies.workloads.broken\n\ndeny contains msg if {\n\tmsg := sprintf(\"%d\", [to_number(input.request.uid)])\n}\n";
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: workloads/broken, enforcement: deny}\n";
    let folder = folder(&[("p/workloads/broken/broken.rego", policy), ("p/b.yaml", binding)]);
    let review = std::fs::read_to_string(REVIEW).unwrap();
    let ran = run(folder.path(), &["review", "--phase", "validate", "-p", "p", "-"], &review);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &answer["response"]["allowed"], &answer["response"]["status"]["code"]),
        (3, &json!(false), &json!(500)),
        "{answer}"
    );
    assert!(
        answer["response"]["status"]["message"].as_str().unwrap().starts_with("[workloads/broken] "),
        "{answer}"
    );
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n";
    let ran = run(folder.path(), &["check", "-p", "p", "-"], pod);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(
        ran.out.contains("error: [workloads/broken]") && ran.out.contains("--> -:1:1: Pod/default/a"),
        "{}",
        ran.out
    );
}

#[test]
fn the_catalogue_is_listed_and_shown() {
    insta::assert_snapshot!("policies_list", meshgate(&["policies", "list"]).out);
    insta::assert_snapshot!("policies_show", meshgate(&["policies", "show", "workloads/required_label"]).out);
    let unknown = meshgate(&["policies", "show", "workloads/label"]);
    assert_eq!((unknown.code, unknown.out.as_str()), (2, ""));
    assert!(unknown.err.contains("there is no policy `workloads/label`; there is "), "{}", unknown.err);
    let slip = meshgate(&["policies", "show", "workloads/node_prot"]);
    assert!(slip.err.contains("`workloads/node_prot`; did you mean `workloads/node_port`?"), "{}", slip.err);
}

#[test]
fn without_a_directory_the_embedded_policies_are_linted_wherever_it_runs() {
    // A checkout that was built holds more than any tree of policies may.
    let elsewhere = folder(&[("a/b/b.rego", "package policies.a.b\n")]);
    for arguments in [
        &["lint"][..],
        &["lint", "embedded/starter"],
        &["lint", "--policies", "embedded/starter"],
        &["lint", "embedded/strict"],
    ] {
        for ran in [meshgate(arguments), run(elsewhere.path(), arguments, "")] {
            assert_eq!(
                (ran.code, ran.out.as_str(), ran.err.as_str()),
                (0, "0 faults, 0 lints\n", ""),
                "{arguments:?}"
            );
        }
    }
    let here = run(elsewhere.path(), &["lint", "."], "");
    assert!(here.code == 2 && here.out.contains("a/b/b.rego"), "{}", here.out);
    let both = meshgate(&["lint", "policies", "-p", "policies"]);
    assert!(both.code == 2 && both.err.contains("cannot be used with"), "{}", both.err);
}

#[test]
fn help_and_version_are_no_errors_and_a_typo_is() {
    for arguments in [&["--help"][..], &["check", "--help"], &["serve", "-h"], &["help"]] {
        let ran = meshgate(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
        assert!(ran.out.contains("Usage: meshgate"), "{}", ran.out);
    }
    for arguments in [&["version"][..], &["--version"]] {
        let ran = meshgate(arguments);
        assert_eq!((ran.code, ran.out), (0, format!("meshgate {}\n", env!("CARGO_PKG_VERSION"))));
    }
    for arguments in [
        &[][..],
        &["chekc"],
        &["check"],
        &["check", "x", "--mode", "enforce"],
        &["check", "x", "--now", "today"],
        &["serve"],
        &["review", "x"],
        &["check", "x", "--format", "xml"],
    ] {
        let ran = meshgate(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(
            ran.err.contains("Usage: meshgate") || ran.err.contains("--help"),
            "{arguments:?}: {}",
            ran.err
        );
    }
}

#[test]
fn completions_are_scripts() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = meshgate(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("meshgate") && ran.out.contains("tls-cert-file"), "{shell}");
    }
}
