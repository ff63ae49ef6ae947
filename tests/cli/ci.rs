//! The hook for pre-commit and the action for GitHub: their commands are run as those would run them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::everything::everything;
use crate::program::{folder, run};

fn read(path: &str) -> Value {
    let bytes = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let documents = meshgate::yaml::read(&bytes);
    let [Ok(document)] = documents.as_slice() else { panic!("{path}: {documents:?}") };
    document.value.clone()
}

#[test]
fn the_hooks_run_and_fail_where_the_manifests_do() {
    let hooks = read(".pre-commit-hooks.yaml");
    let hooks = hooks.as_array().unwrap();
    let shop = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/shop.yaml"));
    let namespace =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {meshgate.io/mode: deny}}\n";
    let everything = everything();
    let policy = std::fs::read_to_string(everything.path().join("p/workloads/named/named.rego")).unwrap();
    let folder = folder(&[
        ("deploy/shop.yaml", &shop.unwrap()),
        ("deploy/namespace.yaml", namespace),
        ("deploy/values.yaml", "image: nginx\n"),
        ("policies/workloads/named/named.rego", &policy),
    ]);
    for (id, code) in [("meshgate-check", 1), ("meshgate-test", 0)] {
        let hook = hooks.iter().find(|hook| hook["id"] == id).unwrap();
        // What pre-commit demands of a hook, and that it gives no files to it.
        for member in ["id", "name", "entry", "language"] {
            assert!(hook[member].is_string(), "{id}: {member}");
        }
        assert_eq!((&hook["pass_filenames"], &hook["language"]), (&false.into(), &"rust".into()));
        let entry = hook["entry"].as_str().unwrap().split(' ').skip(1);
        let args = hook["args"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
        let arguments: Vec<&str> = entry.chain(args).collect();
        let ran = run(folder.path(), &arguments, "");
        assert_eq!(ran.code, code, "{id}: {}{}", ran.out, ran.err);
    }
}

/// One step of the action, with those inputs.
fn step(directory: &Path, name: &str, inputs: &[(&str, &str)]) -> Output {
    let action = read("deploy/ci/action.yml");
    assert_eq!(action["runs"]["using"], "composite");
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    assert_eq!(step["shell"], "bash");
    let mut command = Command::new("bash");
    // As the runner calls it.
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()]);
    for (variable, value) in step["env"].as_object().unwrap() {
        let input = value.as_str().unwrap().strip_prefix("${{ inputs.").unwrap().strip_suffix(" }}").unwrap();
        let default = action["inputs"][input]["default"].as_str().unwrap();
        let given = inputs.iter().find(|(name, _)| *name == input).map_or(default, |(_, value)| value);
        command.env(variable, given);
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_meshgate")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    command.env("PATH", path).env("GITHUB_STEP_SUMMARY", directory.join("summary.md"));
    command.current_dir(directory).output().unwrap()
}

#[test]
fn the_action_annotates_sums_up_and_fails() {
    let shop = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples/shop.yaml"))
        .unwrap();
    let folder = folder(&[("deploy/shop.yaml", &shop)]);
    let installed = step(folder.path(), "Install", &[]);
    assert!(installed.status.success(), "{installed:?}");
    for (arguments, code) in [("--mode deny", 1), ("--mode warn", 0), ("--mode warn --fail-on warn", 1)] {
        let checked = step(folder.path(), "Check", &[("paths", "deploy"), ("arguments", arguments)]);
        assert_eq!(checked.status.code(), Some(code), "{checked:?}");
        let said = String::from_utf8(checked.stdout).unwrap();
        assert!(said.contains("file=deploy/shop.yaml,line=19,col=11,title=images/no_latest"), "{said}");
        let summary = std::fs::read_to_string(folder.path().join("summary.md")).unwrap();
        assert!(summary.starts_with("## meshgate\n"), "{summary}");
    }
    let hostile =
        step(folder.path(), "Check", &[("paths", "deploy"), ("arguments", "$(touch run); `touch run`")]);
    assert!(hostile.status.code() == Some(2) && !folder.path().join("run").exists(), "{hostile:?}");
}
