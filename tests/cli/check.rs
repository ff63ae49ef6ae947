//! `check`: what is said, where it points, and what goes to standard output.

use serde_json::{Value, json};

use crate::program::{folder, meshgate, run, with_input};

const SHOP: &str = "docs/examples/shop.yaml";

#[test]
fn findings_have_place_object_container_policy_message_and_remedy() {
    let denied = meshgate(&["check", SHOP, "--mode", "deny"]);
    insta::assert_snapshot!("shop_denied", denied.out);
    assert_eq!((denied.code, denied.err.as_str()), (1, ""));
    let warned = meshgate(&["check", SHOP]);
    insta::assert_snapshot!("shop_warned", warned.out);
    assert_eq!((warned.code, warned.err.as_str()), (0, ""));
}

#[test]
fn modes_decide_what_a_finding_does() {
    for (mode, code, needle) in [
        ("off", 0, "2 documents: 2 passed, 0 denied, 0 warned, 0 in error, 0 skipped, 0 invalid; 0 mutated"),
        ("audit", 0, "2 documents: 2 passed"),
        ("warn", 0, "2 documents: 0 passed, 0 denied, 2 warned"),
        ("deny", 1, "2 documents: 0 passed, 2 denied"),
    ] {
        let ran = meshgate(&["check", SHOP, "--mode", mode]);
        assert_eq!(ran.code, code, "{mode}");
        assert!(ran.out.contains(needle), "{mode}: {}", ran.out);
    }
}

#[test]
fn the_json_report_says_the_same() {
    let ran = meshgate(&["check", SHOP, "--mode", "deny", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &report["kind"], &report["apiVersion"]),
        (1, &json!("Report"), &json!("meshgate.io/v1alpha1"))
    );
    let text = meshgate(&["check", SHOP, "--mode", "deny"]).out;
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), text.lines().filter(|line| line.starts_with("denied")).count());
    for finding in findings {
        let (file, line, column) = (finding["file"].as_str().unwrap(), &finding["line"], &finding["column"]);
        let place = format!("--> {file}:{line}:{column}: ");
        let said =
            format!(": [{}] {}", finding["policy"].as_str().unwrap(), finding["message"].as_str().unwrap());
        let is_it = |block: &str| {
            block.lines().any(|line| line.ends_with(&said)) && block.lines().any(|line| line.contains(&place))
        };
        assert!(text.split("\n\n").any(is_it), "{finding}\n{text}");
        assert!(text.contains(finding["remedy"].as_str().unwrap()), "{finding}");
    }
    let revision = report["revision"].as_str().unwrap().to_owned();
    let mut shown = report;
    shown["revision"] = json!("embedded/starter@…");
    shown["findings"].as_array_mut().unwrap().truncate(1);
    insta::assert_snapshot!("shop_json", serde_json::to_string_pretty(&shown).unwrap());
    let digits = revision.strip_prefix("embedded/starter@").map(str::len);
    assert_eq!(digits, Some(12), "{revision}");
}

#[test]
fn what_is_shown_goes_to_standard_output_and_the_report_to_standard_error() {
    let shown = meshgate(&["check", SHOP, "--show", "final"]);
    insta::assert_snapshot!("shop_final", shown.out);
    assert!(shown.err.contains("2 documents"), "{}", shown.err);
    let patch = meshgate(&["check", SHOP, "--show", "patch"]);
    insta::assert_snapshot!("shop_patch", patch.out);
    // What comes out goes in again, and there is nothing left to change.
    let again = with_input(&["check", "-", "--show", "patch"], &shown.out);
    assert_eq!((again.code, again.out.as_str()), (0, ""), "{}", again.err);
}

#[test]
fn what_would_be_denied_is_not_shown() {
    let ran = with_input(
        &["check", "-", "--mode", "deny", "--show", "final"],
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: nginx}]}\n",
    );
    assert_eq!((ran.code, ran.out.as_str()), (1, "# -:1 Pod/a: left out, it would be denied\n"));
}

#[test]
fn names_can_not_speak_for_the_report() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\nkind: Injected\\e[31m\"}\nspec: {containers: [{name: \"b\\nother.yaml:1: denied: x\", image: nginx}]}\n";
    for arguments in
        [&["check", "-"][..], &["check", "-", "--show", "final"], &["check", "-", "--show", "patch"]]
    {
        let ran = with_input(arguments, pod);
        for text in [&ran.out, &ran.err] {
            assert!(
                !text.contains("\nkind: Injected")
                    && !text.contains("\nother.yaml")
                    && !text.contains('\u{1b}'),
                "{text}"
            );
        }
    }
}

#[test]
fn a_namespaces_own_label_wins_over_the_flag() {
    let namespace =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {meshgate.io/mode: MODE}}\n";
    for (mode, code) in [("off", 0), ("warn", 0), ("deny", 1), ("Deny", 1), ("", 1)] {
        let facts = folder(&[("facts/ns.yaml", &namespace.replace("MODE", &format!("{mode:?}")))]);
        let shop = std::fs::read_to_string(SHOP).unwrap();
        for flag in ["off", "deny"] {
            let ran = run(facts.path(), &["check", "-", "--facts", "facts", "--mode", flag], &shop);
            assert_eq!(ran.code, code, "{mode} {flag}: {}", ran.out);
            assert!(!ran.out.contains("freshly made"), "{}", ran.out);
        }
        // The same among the manifests.
        let ran = with_input(&["check", "-", SHOP], &namespace.replace("MODE", &format!("{mode:?}")));
        assert_eq!(ran.code, code, "{mode}: {}", ran.out);
    }
}
