//! The Dockerfile, as far as it can be judged without a container engine: no test builds it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::program::meshgate;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn instructions(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(project().join("Dockerfile")).unwrap();
    let lines = text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    lines
        .filter(|words| words.first().is_some_and(|first| first == name))
        .map(|words| words[1..].to_vec())
        .collect()
}

/// What is copied of the project, with its name there.
fn copied() -> Vec<(PathBuf, PathBuf)> {
    let of_the_project = instructions("COPY").into_iter().filter(|words| !words[0].starts_with("--from"));
    let pairs = of_the_project.flat_map(|words| {
        let (target, sources) = words.split_last().unwrap();
        let target = PathBuf::from(target);
        let name = |source: &String| match words.len() {
            2 => target.clone(),
            _ => target.join(source),
        };
        sources.iter().map(|source| (PathBuf::from(source), name(source))).collect::<Vec<_>>()
    });
    pairs.collect()
}

fn copy(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("COPY {}: {error}", from.display())) {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// A path without what is taken back by `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut so_far, part| {
        match part {
            Component::ParentDir => assert!(so_far.pop()),
            Component::CurDir => {}
            part => so_far.push(part),
        }
        so_far
    })
}

/// Files that a source builds in: `include_str!` is relative to it, `include_dir!` to the project.
fn included(source: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(source).unwrap();
    // Unit tests are not built there.
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let names = |start: &str| -> Vec<String> {
        text.split(start).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let root = source.ancestors().find(|path| path.join("Cargo.toml").is_file()).unwrap();
    let strings = names("include_str!(\"").into_iter().map(|name| source.with_file_name(name));
    let folders = names("include_dir!(\"$CARGO_MANIFEST_DIR/").into_iter().map(|name| root.join(name));
    strings.chain(folders).map(|path| plain(&path)).collect()
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn what_is_copied_is_there_and_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in copied() {
        copy(&project().join(from), &folder.path().join(to));
    }
    // The manifest's targets, and the lock file that fits it.
    let metadata = ["metadata", "--locked", "--offline", "--no-deps", "--format-version=1"];
    let output = Command::new(env!("CARGO")).args(metadata).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut files = Vec::new();
    sources(&folder.path().join("src"), &mut files);
    let included: Vec<PathBuf> = files.iter().flat_map(|file| included(file)).collect();
    assert!(included.len() > 3, "{included:?}");
    let absent: Vec<_> = included.iter().filter(|path| !path.exists()).collect();
    assert!(absent.is_empty(), "COPY these, too: {absent:?}");
}

#[test]
fn what_is_copied_is_not_ignored() {
    let text = fs::read_to_string(project().join(".dockerignore")).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("*"));
    let sent: BTreeSet<PathBuf> = lines.map(|line| line.strip_prefix('!').unwrap().into()).collect();
    assert_eq!(sent, copied().into_iter().map(|(from, _)| from).collect());
}

#[test]
fn it_runs_as_who_the_deployment_says_with_the_toolchain_of_the_project() {
    let toolchain = fs::read_to_string(project().join("rust-toolchain.toml")).unwrap();
    let version = toolchain.split('"').nth(1).unwrap();
    let from = instructions("FROM");
    assert!(from[0][0].starts_with(&format!("docker.io/library/rust:{version}-")), "{from:?}");
    assert_eq!(instructions("USER"), [["65532:65532"]]);
    let printed = meshgate(&["install"]).out;
    assert!(printed.contains("runAsGroup: 65532\n") && printed.contains("runAsUser: 65532\n"));
    assert_eq!(instructions("ENTRYPOINT").len(), 1);
    assert!(instructions("CMD").is_empty(), "the Deployment's arguments are all there are");
}
