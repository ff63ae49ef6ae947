//! `meshgate bundle build` and `inspect`, and archives and layouts wherever policies are named.

use std::fs::{self, FileTimes, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Run, folder, run};

const POLICY: &str = r#"# METADATA
# title: t
# description: d
# custom:
#   context: [namespace]
#   match:
#     rules:
#       - {apiGroups: [""], apiVersions: [v1], resources: [pods]}
package policies.workloads.named

deny contains "no name" if input.request.object.metadata.name == "bad"
"#;

const TESTS: &str = r#"package policies.workloads.named_test

import data.policies.workloads.named

test_bad if {
	found := named.deny with input as {"request": {"object": {"metadata": {"name": "bad"}}}}
	found == {"no name"}
}
"#;

const BINDING: &str = "apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: named}
spec: {policy: workloads/named, enforcement: deny}
";

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {containers: [{name: a, image: b}]}\n";

const FILES: [(&str, &str); 4] = [
    ("policies/bindings.yaml", BINDING),
    ("policies/workloads/named/named.rego", POLICY),
    ("policies/workloads/named/named_test.rego", TESTS),
    ("pod.yaml", POD),
];

fn tree() -> TempDir {
    folder(&FILES)
}

fn build(folder: &TempDir, arguments: &[&str]) -> Run {
    run(folder.path(), &[&["bundle", "build", "policies", "-o"], arguments].concat(), "")
}

fn inspected(folder: &TempDir, reference: &str) -> Value {
    let ran = run(folder.path(), &["bundle", "inspect", reference, "-o", "json"], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn the_same_tree_gives_the_same_bytes() {
    let mut reversed = FILES;
    reversed.reverse();
    let (one, two) = (tree(), folder(&reversed));
    for (index, path) in files_below(&two.path().join("policies")).iter().enumerate() {
        fs::set_permissions(path, Permissions::from_mode(if index == 0 { 0o755 } else { 0o600 })).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    }
    let bytes = |folder: &TempDir, to: &str, file: &str| {
        let ran = build(folder, &[to]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        (ran.out, fs::read(folder.path().join(file)).unwrap())
    };
    for (to, file) in [("p.tar.gz", "p.tar.gz"), ("oci:layout:v1", "layout/index.json")] {
        assert_eq!(bytes(&one, to, file), bytes(&two, to, file));
    }
    // Another file is another tree.
    fs::write(two.path().join("policies/more.yaml"), "---\n").unwrap();
    assert_ne!(bytes(&one, "p.tar.gz", "p.tar.gz"), bytes(&two, "p.tar.gz", "p.tar.gz"));
}

#[test]
fn every_form_is_one_tree_that_decides_the_same() {
    let folder = tree();
    for to in ["p.tar.gz", "oci:layout:v1", "dir:out/tree"] {
        let ran = build(&folder, &[to, "--name", "platform", "--sequence", "7"]);
        assert!(
            ran.code == 0 && ran.err.ends_with("\n3 files, 1 tests and examples passed\n"),
            "{}",
            ran.err
        );
        assert!(ran.err.starts_with("warning: workloads/named/named.rego: MG207: "), "{}", ran.err);
    }
    let expected = inspected(&folder, "policies");
    for (reference, kind) in [
        ("p.tar.gz", "tarball"),
        ("oci:layout:v1", "oci"),
        ("oci:layout", "oci"),
        ("layout", "oci"),
        ("out/tree", "directory"),
    ] {
        let about = inspected(&folder, reference);
        for member in ["tree", "bundle"] {
            assert_eq!(about["revision"][member], expected["revision"][member], "{reference}");
        }
        for member in ["policies", "bindings", "exceptions", "facts", "files"] {
            assert_eq!(about[member], expected[member], "{reference}");
        }
        assert_eq!(about["revision"]["kind"], kind);
        if kind != "directory" {
            assert_eq!((&about["revision"]["source"], &about["sequence"]), (&"platform".into(), &7.into()));
        }
        let ran = run(folder.path(), &["check", "-p", reference, "pod.yaml"], "");
        assert!(ran.code == 1 && ran.out.contains("[workloads/named] no name"), "{}{}", ran.out, ran.err);
    }
    assert_eq!(expected["facts"], serde_json::json!(["namespace"]));
    assert_eq!(expected["bindings"][0]["at"], "bindings.yaml:1");
}

#[test]
fn what_does_not_load_or_fails_its_tests_is_not_built() {
    let folder = tree();
    fs::write(
        folder.path().join("policies/workloads/named/named_test.rego"),
        TESTS.replace("no name", "name"),
    )
    .unwrap();
    let ran = build(&folder, &["p.tar.gz"]);
    assert!(ran.code == 1 && ran.err.ends_with("not built: a test failed\n"), "{}{}", ran.out, ran.err);
    fs::write(folder.path().join("policies/bindings.yaml"), BINDING.replace("deny", "denny")).unwrap();
    let ran = build(&folder, &["p.tar.gz"]);
    assert!(ran.code == 2 && ran.err.contains("bindings.yaml:4:"), "{}", ran.err);
    assert!(!folder.path().join("p.tar.gz").exists());
    for (to, needle) in [
        ("oci://registry.example.com/p:v1", "a registry is not written to"),
        ("oci:layout:a/b c:d e", "is no tag"),
        ("dir:.", "there are other files"),
    ] {
        fs::write(folder.path().join("policies/bindings.yaml"), BINDING).unwrap();
        fs::write(folder.path().join("policies/workloads/named/named_test.rego"), TESTS).unwrap();
        let ran = build(&folder, &[to]);
        assert!(ran.code == 2 && ran.err.contains(needle), "{to}: {}", ran.err);
    }
}

#[test]
fn other_directories_join_as_folders() {
    let folder = tree();
    let bundle = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {tenants: [{path: shop, namespaces: [shop]}]}\n";
    let policy = POLICY.replace("policies.workloads", "policies.tenant_shop");
    fs::write(folder.path().join("policies/bundle.yaml"), bundle).unwrap();
    fs::create_dir_all(folder.path().join("team/named")).unwrap();
    fs::write(folder.path().join("team/named/named.rego"), policy).unwrap();
    let ran = build(&folder, &["p.tar.gz", "--include", "shop=team"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let about = inspected(&folder, "p.tar.gz");
    let ids: Vec<&str> =
        about["policies"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["tenant_shop/named", "workloads/named"]);
    let ran = build(&folder, &["p.tar.gz", "--include", "workloads=team"]);
    assert!(ran.code == 2 && ran.err.contains("the tree has the folder `workloads` itself"), "{}", ran.err);
}

#[test]
fn opa_loads_what_is_built() {
    let directory = std::env::var_os("MESHGATE_REFERENCE_TOOLS").map(PathBuf::from);
    let opa =
        std::env::var_os("MESHGATE_OPA").map(PathBuf::from).or(directory.map(|tools| tools.join("opa")));
    let Some(opa) = opa else {
        println!("left out: no opa; set MESHGATE_OPA or MESHGATE_REFERENCE_TOOLS");
        assert!(std::env::var_os("CI").is_none(), "CI needs opa");
        return;
    };
    let folder = tree();
    build(&folder, &["p.tar.gz", "--name", "platform"]);
    let query = "x := data.policies.workloads.named.deny";
    let input = r#"{"request": {"object": {"metadata": {"name": "bad"}}}}"#;
    fs::write(folder.path().join("input.json"), input).unwrap();
    let output = Command::new(opa)
        .args(["eval", "-b", "p.tar.gz", "-i", "input.json", "--format", "json", query])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = &answer["result"][0]["bindings"]["x"];
    assert_eq!(*found, serde_json::json!(["no name"]), "{answer}");
}

#[test]
fn an_archive_that_is_none_and_what_is_elsewhere_are_refused() {
    let folder = tree();
    for (reference, needle) in [
        ("pod.yaml", "no archive that gzip can read"),
        ("oci:none", "no OCI layout"),
        ("oci://registry.example.com/policies:v1", "is not read by this release"),
        ("https://example.com/policies.tar.gz", "is not read by this release"),
        ("git@example.com:policies", "is not read by this release"),
    ] {
        let ran = run(folder.path(), &["check", "-p", reference, "pod.yaml"], "");
        assert!(ran.code == 2 && ran.err.contains(needle), "{reference}: {}", ran.err);
    }
}
