//! Policies of a repository, by what names a commit; whether it is signed by whom it has to be.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::program::{Run, run};

const POLICY: &str = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]}\npackage policies.own.named\n\ndeny contains \"TEXT\" if input.request.object.metadata.name == \"bad\"\n";

const BINDING: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: own/named, enforcement: deny}\n";

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {containers: [{name: a, image: b}]}\n";

fn command(directory: &Path, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Commits what the policy then says; `options` come before `commit`.
fn commit(root: &Path, text: &str, options: &[&str]) -> String {
    let folder = root.join("policies/own/named");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("named.rego"), POLICY.replace("TEXT", text)).unwrap();
    fs::write(root.join("policies/b.yaml"), BINDING).unwrap();
    fs::write(root.join("pod.yaml"), POD).unwrap();
    command(root, "git", &["add", "."]);
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    command(root, "git", &[&identity, options, &["commit", "-qm", text][..]].concat());
    command(root, "git", &["rev-parse", "HEAD"])
}

/// A repository: tag `v1` unsigned, `main` signed by the key `good`; its directory, the signed id, and a folder of keys.
fn repository() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let (keys, root) = (folder.path(), folder.path().join("repo"));
    let mut lines = Vec::new();
    for name in ["good", "other"] {
        let file = keys.join(name).display().to_string();
        command(keys, "ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", &file]);
        lines.push(format!(
            "a@example.com namespaces=\"git\" {}",
            fs::read_to_string(format!("{file}.pub")).unwrap()
        ));
        fs::write(keys.join(format!("signers-{name}")), lines.pop().unwrap()).unwrap();
    }
    fs::create_dir(&root).unwrap();
    command(&root, "git", &["init", "-q", "-b", "main"]);
    commit(&root, "first", &[]);
    command(&root, "git", &["tag", "v1"]);
    let key = format!("user.signingkey={}", keys.join("good.pub").display());
    let id = commit(&root, "second", &["-c", "gpg.format=ssh", "-c", &key, "-c", "commit.gpgsign=true"]);
    (folder, id)
}

fn check(directory: &Path, policies: &str, more: &[&str]) -> Run {
    run(directory, &[&["check", "-p", policies, "pod.yaml"], more].concat(), "")
}

#[test]
fn a_branch_a_tag_and_an_id_name_their_policies() {
    let (folder, id) = repository();
    let root = folder.path().join("repo");
    let url = format!("git::file://{}//policies", root.display());
    for (reference, said) in [
        (format!("{url}?ref=main"), "second"),
        (format!("{url}?ref=v1"), "first"),
        (format!("{url}?ref={id}"), "second"),
        ("v1:policies".to_owned(), "first"),
        ("main:policies".to_owned(), "second"),
        (format!("{id}:policies"), "second"),
    ] {
        let ran = check(&root, &reference, &[]);
        assert!(
            ran.code == 1 && ran.out.contains(&format!("[own/named] {said}")),
            "{reference}: {}{}",
            ran.out,
            ran.err
        );
        assert!(ran.err.starts_with("policies from a repository, not verified; "), "{}", ran.err);
    }
    let ran = run(&root, &["bundle", "inspect", "main:policies", "-o", "json"], "");
    let about: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&about["revision"]["kind"], &about["revision"]["id"]),
        (&"git".into(), &format!("sha1:{id}").into())
    );
    assert_eq!(about["short"], format!("repo@{}", id.get(..12).unwrap()));
    let plain = run(&root, &["bundle", "inspect", "policies", "-o", "json"], "");
    let plain: serde_json::Value = serde_json::from_str(&plain.out).unwrap();
    assert_eq!(about["revision"]["tree"], plain["revision"]["tree"]);
    let ran = run(&root, &["bundle", "diff", "v1:policies", "policies", "--fail-on", "any"], "");
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
}

#[test]
fn what_names_no_commit_is_said() {
    let (folder, _) = repository();
    let root = folder.path().join("repo");
    for (reference, needle) in [
        ("absent:policies", "no commit `absent`; name a branch, a tag or a full id"),
        ("git::file:///no/such/repo?ref=main", "no commit `main`"),
        ("git::file:///no/such/repo", "end it in ?ref=BRANCH"),
    ] {
        let ran = check(&root, reference, &[]);
        assert!(ran.code == 2 && ran.err.contains(needle), "{reference}: {}", ran.err);
    }
    let ran = run(&root, &["serve", "--dev", "--listen", "127.0.0.1:0", "-p", "main:policies"], "");
    assert!(ran.code == 2 && ran.err.contains("as `source` of its configuration says"), "{}", ran.err);
}

#[test]
fn who_has_to_have_signed_is_asked() {
    let (folder, id) = repository();
    let root = folder.path().join("repo");
    let signers =
        |name: &str| -> String { PathBuf::from("..").join(format!("signers-{name}")).display().to_string() };
    for (reference, trusted, code, needle) in [
        ("main:policies", "good", 0, "signed by a@example.com SHA256:"),
        ("main:policies", "other", 1, "not trusted: untrusted: "),
        ("v1:policies", "good", 1, "not trusted: unsigned: "),
        ("policies", "good", 1, "not trusted: it has no signature that is read"),
    ] {
        let ran = run(&root, &["bundle", "verify", reference, "--trust", &signers(trusted)], "");
        assert!(ran.code == code && ran.out.contains(needle), "{reference}: {}{}", ran.out, ran.err);
        assert_eq!(ran.out.contains(&id), code == 0 || trusted == "other", "{}", ran.out);
    }
    let ran = check(&root, "main:policies", &["--trust", &signers("good")]);
    assert!(ran.code == 1 && !ran.err.contains("not verified"), "{}", ran.err);
    let ran = check(&root, "v1:policies", &["--trust", &signers("good")]);
    assert!(ran.code == 2 && ran.err.contains("is not signed"), "{}", ran.err);
    let ran = check(&root, "main:policies", &["--trust", "absent"]);
    assert!(ran.code == 2 && ran.err.contains("can't be read"), "{}", ran.err);
}
