//! What is asked about manifests: `--operation` and `--old`.

use serde_json::Value;

use crate::program::{Run, folder, run};

/// Says what it was asked, with the images of both sides.
const POLICY: &str = r#"# METADATA
# title: t
# description: d
# custom:
#   match:
#     rules: [{apiGroups: ["", apps], apiVersions: [v1], operations: [CREATE, UPDATE, DELETE], resources: [pods, deployments]}]
package policies.test.asked

_image(object) := object.spec.containers[0].image

_image(null) := "none"

_image(object) := "template" if object.spec.template

deny contains msg if {
	msg := sprintf("%s %s: %s to %s", [
		input.request.operation, input.request.name,
		_image(input.request.oldObject), _image(input.request.object),
	])
}
"#;

const BINDING: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: test/asked, enforcement: warn}\n";

fn pod(name: &str, image: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{containers: [{{name: a, image: {image}}}]}}\n---\n"
    )
}

fn check(new: &str, old: &str, more: &[&str]) -> Run {
    let files = [
        ("p/test/asked/asked.rego", POLICY),
        ("p/b.yaml", BINDING),
        ("old/all.yaml", old),
        ("new.yaml", new),
    ];
    let arguments = [&["check", "new.yaml", "-p", "p", "-o", "json"][..], more].concat();
    run(folder(&files).path(), &arguments, "")
}

/// What the policy was asked, and why documents were not judged.
fn said(ran: &Run) -> (Vec<String>, Vec<String>) {
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}{}", ran.out, ran.err));
    let all = |list: &str, member: &str| {
        let of = |one: &Value| one[member].as_str().map(str::to_owned);
        report[list].as_array().unwrap().iter().filter_map(of).collect()
    };
    (all("findings", "message"), all("documents", "reason"))
}

#[test]
fn without_flags_each_object_is_created() {
    let ran = check(&pod("a", "a:1"), "", &[]);
    assert_eq!((said(&ran).0, ran.code), (vec!["CREATE a: none to a:1".to_owned()], 0));
    let ran = check(&pod("a", "a:1"), "", &["--operation", "create"]);
    assert_eq!(said(&ran).0, ["CREATE a: none to a:1"]);
}

#[test]
fn what_is_stored_is_updated_and_the_rest_is_created_as_kubectl_apply_does() {
    let old = pod("b", "b:1") + &pod("c", "c:1");
    let ran = check(&(pod("a", "a:2") + &pod("b", "b:2")), &old, &["--old", "old"]);
    assert_eq!(said(&ran).0, ["CREATE a: none to a:2", "UPDATE b: b:1 to b:2"]);
}

#[test]
fn an_update_wants_what_is_stored() {
    let (new, old) = (pod("a", "a:2") + &pod("b", "b:2"), pod("b", "b:1"));
    let ran = check(&new, &old, &["--operation", "update", "--old", "old"]);
    let (asked, reasons) = said(&ran);
    assert_eq!(asked, ["UPDATE b: b:1 to b:2"]);
    assert_eq!(reasons, ["there is none of its name in --old; what is not there yet is created"]);
    assert_eq!(ran.code, 2);
}

#[test]
fn what_is_deleted_is_stored_before_and_never_after() {
    let ran = check(&pod("a", "a:1"), "", &["--operation", "delete"]);
    assert_eq!((said(&ran).0, ran.code), (vec!["DELETE a: a:1 to none".to_owned()], 0));
    let files = [("p/test/asked/asked.rego", POLICY), ("p/b.yaml", BINDING), ("new.yaml", &pod("a", "a:1"))];
    let shown = ["check", "new.yaml", "-p", "p", "--operation", "delete", "--show", "final"];
    assert_eq!(run(folder(&files).path(), &shown, "").out, "");
}

#[test]
fn what_has_no_name_is_created_and_can_not_be_deleted() {
    let new = "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-, namespace: shop}\nspec: {containers: [{name: a, image: a:1}]}\n";
    let ran = check(new, &pod("a-", "a:0"), &["--operation", "delete"]);
    assert_eq!(said(&ran).1, ["it has no name; what is deleted is named by metadata.name"]);
    assert_eq!(ran.code, 2);
}

#[test]
fn a_stored_object_of_another_version_is_named() {
    let old = "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\nspec: {template: {}}\n";
    let ran = check(&old.replace("v1beta1", "v1"), old, &["--old", "old"]);
    assert_eq!(said(&ran).1, ["it is of apps/v1, and of apps/v1beta1 in --old; give both in one version"]);
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    for (flags, says) in [
        (&["--operation", "update"][..], "name what is stored before with --old"),
        (&["--operation", "create", "--old", "old"], "leave --old out"),
        (&["--operation", "delete", "--old", "old"], "leave --old out"),
        (&["--operation", "patch"], "possible values: create, update, delete"),
        (&["--old", "nowhere"], "nowhere"),
    ] {
        let ran = check(&pod("a", "a:1"), &pod("a", "a:0"), flags);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{flags:?}");
        assert!(ran.err.contains(says), "{flags:?}: {}", ran.err);
    }
    let ran = check(&pod("a", "a:1"), "a: [", &["--old", "old"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--old: can't be read\nold/all.yaml:"), "{}", ran.err);
}
