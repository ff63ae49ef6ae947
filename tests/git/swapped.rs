//! Policies in a directory that others write, with reviews going on: swapped as the kubelet swaps a ConfigMap's files and
//! as git-sync swaps worktrees, and written in place as `bundle build -o dir:` does. Half of a tree would load as well; no
//! answer comes from one.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use meshgate::policy::Tree;
use serde_json::Value;

use crate::asked::{Said, while_asked};
use crate::process::{Process, pod};

/// How often a tree is swapped: what CI has time for, or what is asked for.
fn swaps() -> usize {
    std::env::var("MESHGATE_SWAPS").map_or(60, |text| text.parse().unwrap())
}

/// How long the writer pauses amid a tree now and then: longer than two looks of the server are apart.
fn pause() -> Duration {
    Duration::from_millis(if swaps() < 1000 { 700 } else { 5000 })
}

/// Five files of which each says the number; with any of them missing or of another number the rest loads all the same.
fn files(number: usize) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for name in ["a", "b"] {
        let rules = "[{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
        files.push((
            format!("x/{name}/{name}.rego"),
            format!(
                "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: {rules}}}\npackage policies.x.{name}\n\ndeny contains \"{number}\" if input.request.uid\n"
            ),
        ));
        files.push((
            format!("{name}.yaml"),
            format!(
                "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{policy: x/{name}, enforcement: deny}}\n"
            ),
        ));
    }
    files.push(("lib/n/n.rego".to_owned(), format!("package lib.n\n\nnumber := {number}\n")));
    files
}

/// Writes the files one after the other, with a pause amid them.
fn write(directory: &Path, number: usize, pause: Duration) {
    for (at, (name, text)) in files(number).into_iter().enumerate() {
        if at == 2 {
            sleep(pause);
        }
        let file = directory.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
}

/// Puts a link in the place of another one at once.
fn swap(link: &Path, to: &str) {
    let new = link.with_file_name("..new");
    symlink(to, &new).unwrap();
    fs::rename(&new, link).unwrap();
}

/// As the kubelet does (k8s.io/kubernetes, pkg/volume/util/atomic_writer.go): a directory of its own, `..data` to it by
/// rename, and the former one goes.
fn as_config_map(root: &Path, number: usize, pause: Duration) {
    let name = format!("..2026_01_31_{number}");
    write(&root.join(&name), number, pause);
    let former = fs::read_link(root.join("..data"));
    swap(&root.join("..data"), &name);
    if number == 0 {
        ["x", "lib", "a.yaml", "b.yaml"]
            .iter()
            .for_each(|name| symlink(format!("..data/{name}"), root.join(name)).unwrap());
    }
    drop(former.map(|former| fs::remove_dir_all(root.join(former))));
}

/// As git-sync does: a worktree named after its commit, the link to it by rename, and the former one goes.
fn as_git_sync(root: &Path, number: usize, pause: Duration) {
    let folder = root.parent().unwrap();
    let name = format!(".worktrees/{number:040x}");
    write(&folder.join(&name), number, pause);
    let former = fs::read_link(root);
    swap(root, &name);
    drop(former.map(|former| fs::remove_dir_all(folder.join(former))));
}

/// As `bundle build -o dir:` does: in place, with the marker `unfinished` until the end.
fn in_place(root: &Path, number: usize, pause: Duration) {
    let marker = root.join(".meshgate-tree");
    fs::create_dir_all(root).unwrap();
    fs::write(&marker, "unfinished\n").unwrap();
    write(root, number, pause);
    let mut tree = Tree::default();
    files(number).into_iter().for_each(|(name, text)| tree.insert(name, text));
    fs::write(&marker, format!("{}\n", tree.digest())).unwrap();
}

type Writer = fn(&Path, usize, Duration);

fn started(folder: &Path, root: &Path, more: &str) -> Process {
    let configuration = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\npolicies: {}\n{more}",
        root.display()
    );
    Process::start(folder, &configuration)
}

/// The numbers in an answer, by the policies that say them.
fn numbers(said: &Said) -> Vec<String> {
    let response = said.response.as_ref().unwrap();
    let message = response["status"]["message"].as_str().unwrap_or_default();
    message.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect()
}

/// Swaps trees while reviews go on; how many trees were answered by.
fn swapped(manner: &str, writer: Writer) {
    let folder = tempfile::tempdir().unwrap();
    let root: PathBuf = folder.path().join("policies");
    if manner == "ConfigMap" {
        fs::create_dir(&root).unwrap();
    }
    writer(&root, 0, Duration::ZERO);
    let process = started(folder.path(), &root, "");
    let body = [pod().to_string()];
    let (last, said) = while_asked(&process, &body, || {
        for number in 1..=swaps() {
            // Most come too fast to be seen; some pause amid it, and after some the server has time for it.
            let is_slow = number % 20 == 10;
            writer(&root, number, if is_slow { pause() } else { Duration::ZERO });
            sleep(Duration::from_millis(if number % 5 == 0 { 500 } else { 10 }));
        }
        swaps()
    });
    let mut trees: BTreeMap<String, String> = BTreeMap::new();
    for said in &said {
        let (numbers, response) = (numbers(said), said.response.as_ref().unwrap());
        let number =
            numbers.first().and_then(|line| line.strip_prefix("[x/a] ")).unwrap_or_default().to_owned();
        assert_eq!(
            numbers,
            [format!("[x/a] {number}"), format!("[x/b] {number}")],
            "half of a tree: {response}"
        );
        let revision = response["auditAnnotations"]["validate-revision"].as_str().unwrap().to_owned();
        assert_eq!(trees.entry(revision).or_insert_with(|| number.clone()), &number);
    }
    process.until("the last tree", |process| {
        let answer: Value = process.review().1;
        let message = answer["response"]["status"]["message"].as_str().unwrap_or_default();
        message.contains(&format!("[x/a] {last}\n"))
    });
    println!(
        "{manner}: {} swaps, {} answers by {} trees, none by half of one",
        swaps(),
        said.len(),
        trees.len()
    );
    assert!(trees.len() > swaps() / 20, "{trees:?}");
}

#[test]
fn a_config_map_that_is_swapped_is_never_half_a_tree() {
    swapped("ConfigMap", as_config_map);
}

#[test]
fn a_worktree_that_is_swapped_is_never_half_a_tree() {
    swapped("git-sync", as_git_sync);
}

#[test]
fn a_directory_that_is_built_in_place_is_never_half_a_tree() {
    swapped("in place", in_place);
}
