//! Policies from a directory that changes while the server runs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{good_spec, review};
use crate::process::Process;
use crate::server::get;

/// A policy that denies every Pod with `message`, and its binding.
fn policy(message: &str) -> [(&'static str, String); 2] {
    let policy = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}}]}}\npackage policies.x.a\n\ndeny contains \"{message}\" if input.request.uid\n"
    );
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: x/a, enforcement: deny}\n";
    [("x/a/a.rego", policy), ("b.yaml", binding.to_owned())]
}

fn write(directory: &Path, files: &[(&str, String)]) {
    for (name, text) in files {
        let file = directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

fn bundle(process: &Process) -> Value {
    serde_json::from_str(&get(process.admin, "/bundle").1).unwrap()
}

/// Asks again and again until the bundle is as wanted; each answer meanwhile is one of a revision that is in `said`, and
/// says what that one says.
fn ask_until(
    process: &mut Process,
    said: &mut Vec<(String, String)>,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let began = Instant::now();
    loop {
        let response = process.client.review("/validate", &review("1", "shop", &good_spec()));
        let answer = response.json()["response"].clone();
        let revision = answer["auditAnnotations"]["validate-revision"].as_str().unwrap().to_owned();
        let message = answer["status"]["message"].as_str().unwrap();
        let (message, named) = message.split_once("\npolicies: ").unwrap();
        assert!(revision.starts_with(&format!("{named} tree=")), "{revision} {named}");
        let message = message.to_owned();
        match said.iter().find(|(other, _)| *other == revision) {
            Some((_, expected)) => assert_eq!(*expected, message),
            None => said.push((revision, message)),
        }
        let bundle = bundle(process);
        if wanted(&bundle) {
            return bundle;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{bundle:#}");
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_directory_that_changes_is_put_in_force_and_a_faulty_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    write(&tree, &policy("first"));
    let mut process = Process::start(&["--plain", "-p", tree.to_str().unwrap()]);
    let mut said = Vec::new();
    let first = ask_until(&mut process, &mut said, |bundle| bundle["revision"].is_string());
    assert_eq!(first["source"]["name"], tree.to_str().unwrap());

    write(&tree, &policy("second"));
    let second = ask_until(&mut process, &mut said, |bundle| bundle["revision"] != first["revision"]);
    assert_eq!((&second["refused"], &second["lastGood"]["revision"]), (&Value::Null, &second["revision"]));

    let [(name, good), (other, binding)] = policy("third");
    let faulty = [(name, good.replace("uid", "uid[") + "\n"), (other, binding.replace("deny}", "denny}"))];
    write(&tree, &faulty);
    let refused = ask_until(&mut process, &mut said, |bundle| bundle["refused"].is_object());
    assert_eq!(refused["revision"], second["revision"], "the last good one stays");
    let why = refused["refused"]["why"].to_string();
    assert!(why.contains("a.rego:") && why.contains("b.yaml:") && why.contains("denny"), "all faults: {why}");
    let (status, ready) = get(process.admin, "/readyz?verbose");
    assert!(status == 200 && ready.contains("is refused: --policies"), "{ready}");

    write(&tree, &policy("second"));
    let back = ask_until(&mut process, &mut said, |bundle| bundle["refused"].is_null());
    assert_eq!(back["revision"], second["revision"]);
    write(&tree, &policy("third"));
    ask_until(&mut process, &mut said, |bundle| bundle["revision"] != second["revision"]);
    ask_until(&mut process, &mut said, |_| true);
    let messages: Vec<&str> = said.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(messages, ["[x/a] first", "[x/a] second", "[x/a] third"]);
    let (_, log) = process.stop("-INT");
    assert!(log.contains("b.yaml:4"), "all faults are logged: {log}");
}

/// As the kubelet swaps a ConfigMap's files, and git-sync worktrees: by a link, all at once.
#[test]
fn a_link_that_is_swapped_is_one_change() {
    let folder = tempfile::tempdir().unwrap();
    let mount = folder.path().join("mount");
    fs::create_dir(&mount).unwrap();
    let point = |version: &str| {
        write(&mount.join(format!("..{version}")), &policy(version));
        symlink(format!("..{version}"), mount.join("..data_tmp")).unwrap();
        fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    };
    point("first");
    for name in ["x", "b.yaml"] {
        symlink(format!("..data/{name}"), mount.join(name)).unwrap();
    }
    let mut process = Process::start(&["-p", mount.to_str().unwrap()]);
    let mut said = Vec::new();
    let mut before = Value::Null;
    for version in ["first", "second", "third"] {
        if version != "first" {
            point(version);
        }
        let bundle = ask_until(&mut process, &mut said, |bundle| bundle["revision"] != before);
        assert_eq!(bundle["refused"], json!(null));
        before = bundle["revision"].clone();
    }
    ask_until(&mut process, &mut said, |_| true);
    let messages: Vec<&str> = said.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(messages, ["[x/a] first", "[x/a] second", "[x/a] third"]);
}
