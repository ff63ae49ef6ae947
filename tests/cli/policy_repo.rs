//! `deploy/examples/policy-repo`: what it says to run is run, and `meshgate init` writes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::program::run;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/examples/policy-repo")
}

fn files(root: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// What `meshgate init` writes.
fn initialised() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["init", "repo"], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out.lines().count(), files(&folder.path().join("repo")).len());
    folder
}

#[test]
fn init_writes_the_example_and_nothing_over_what_is_there() {
    let folder = initialised();
    assert_eq!(files(&folder.path().join("repo")), files(&example()));
    let again = run(folder.path(), &["init", "repo"], "");
    assert!(
        again.code == 2 && again.err.contains("is there already; name another directory"),
        "{}",
        again.err
    );
}

#[test]
fn it_is_linted_tested_and_built() {
    let folder = tempfile::tempdir().unwrap();
    let policies = example().join("policies").display().to_string();
    for (arguments, said) in [
        (vec!["lint", &policies], "0 faults, 0 lints\n"),
        (vec!["test", &policies], "4 passed"),
        (vec!["bundle", "build", &policies, "-o", "policies.tar.gz"], " policies.tar.gz sha256:"),
    ] {
        let ran = run(folder.path(), &arguments, "");
        assert!(ran.code == 0 && ran.out.contains(said), "{arguments:?}: {}{}", ran.out, ran.err);
    }
}

fn git(directory: &Path, arguments: &[&str]) -> String {
    let identity = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Each step of the workflow as a runner runs it.
#[test]
fn its_workflow_runs_and_fails_where_policies_are_weakened() {
    let folder = initialised();
    let repository = folder.path().join("repo");
    git(&repository, &["init", "--quiet", "-b", "main"]);
    git(&repository, &["add", "."]);
    git(&repository, &["commit", "--quiet", "-m", "start"]);
    let base = git(&repository, &["rev-parse", "HEAD"]);
    let bytes = fs::read(repository.join(".github/workflows/policies.yaml")).unwrap();
    let documents = meshgate::yaml::read(&bytes);
    let [Ok(document)] = documents.as_slice() else { panic!("{documents:?}") };
    let steps = document.value["jobs"]["policies"]["steps"].as_array().unwrap();
    let commands: Vec<(&str, &str)> =
        steps.iter().filter_map(|step| Some((step["name"].as_str()?, step["run"].as_str()?))).collect();
    assert_eq!(
        commands.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["Install", "Lint", "Test", "Build", "What is weakened, or may be"]
    );
    let binary = Path::new(env!("CARGO_BIN_EXE_meshgate")).parent().unwrap().display().to_string();
    let path = format!("{binary}:{}", std::env::var("PATH").unwrap());
    let step = |run: &str, fail_on: &str| {
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", run]).current_dir(&repository);
        let output = command.env("PATH", &path).env("BASE", &base).env("FAIL_ON", fail_on).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for (name, run) in &commands {
        let (code, said) = step(run, "--fail-on=unknown");
        assert_eq!(code, Some(0), "{name}: {said}");
    }
    let bindings = repository.join("policies/bindings.yaml");
    let text = fs::read_to_string(&bindings).unwrap();
    fs::write(&bindings, text.replace("name: teams", "name: others")).unwrap();
    git(&repository, &["worktree", "prune"]);
    fs::remove_dir_all(folder.path().join("base")).unwrap();
    let (code, said) = step(commands[4].1, "--fail-on=unknown");
    assert!(code == Some(4) && said.contains("weakened      binding teams"), "{said}");
    fs::remove_dir_all(folder.path().join("base")).unwrap();
    let (code, said) = step(commands[4].1, "");
    assert!(code == Some(0) && said.contains("1 weakened"), "{said}");
}

#[test]
fn who_has_to_agree_is_named_for_files_that_there_are() {
    let text = fs::read_to_string(example().join("CODEOWNERS")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let patterns: Vec<&str> = lines.map(|line| line.split_whitespace().next().unwrap()).collect();
    for pattern in patterns.iter().filter(|pattern| **pattern != "*") {
        assert!(example().join(pattern.trim_matches('/')).exists(), "{pattern}");
    }
}
