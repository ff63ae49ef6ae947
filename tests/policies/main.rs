//! The embedded policies keep their promises: their own tests under the interpreter that decides and under OPA, every
//! line and every text of them tested, every example with the outcome of its name, every list of containers judged,
//! and the same answer to the same question.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]

mod bound;
mod complete;
mod deterministic;
mod every_list;
mod every_policy;
mod examples;
mod opa;
mod reached;
mod rego;
mod templates;

use std::path::{Path, PathBuf};

use meshgate::policy::Tree;
use meshgate::source;

/// Where the project is.
fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What lies in the project's folder of policies: what people edit, before it is built in.
fn files() -> Tree {
    source::directory(&project().join("policies")).unwrap()
}

/// The same with one profile: two are two trees.
fn policies() -> Tree {
    let mut tree = Tree::default();
    let all = files();
    let is_other = |path: &str| path.starts_with("profiles/") && !path.starts_with("profiles/starter/");
    all.iter().filter(|(path, _)| !is_other(path)).for_each(|(path, content)| tree.insert(path, content));
    tree
}

/// The files of a tree that end so, with their texts.
fn texts<'a>(tree: &'a Tree, end: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let files = tree.iter().filter(move |(path, _)| path.ends_with(end));
    files.map(|(path, content)| (path, std::str::from_utf8(content).unwrap()))
}

/// The policies' names: the folders of the categories' folders.
fn names(tree: &Tree) -> Vec<String> {
    let mut names: Vec<String> = tree
        .iter()
        .filter_map(|(path, _)| match path.split('/').collect::<Vec<_>>().as_slice() {
            [category, policy, ..] if !matches!(*category, "lib" | "profiles") => {
                Some(format!("{category}/{policy}"))
            }
            _ => None,
        })
        .collect();
    names.dedup();
    names
}

/// Where the reference tools are: a directory that a program of the project's builds them into.
fn reference_tool(variable: &str, name: &str) -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).map(PathBuf::from);
    of(variable).or_else(|| of("MESHGATE_REFERENCE_TOOLS").map(|directory| directory.join(name)))
}
