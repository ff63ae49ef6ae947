//! The architecture of `docs/architecture.md`, enforced: the order of the modules, who names a heavy crate, what the
//! pure levels may not reach, lengths, and the features of the build. Only texts are read; the library is not linked.
//!
//! Each check is a function of texts that returns what is wrong, and has a test of its own with bad samples.
#![cfg(test)]

mod features;
mod lengths;
mod modules;
mod names;
mod owners;
mod purity;

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use names::Name;

/// The modules of `src` by level. A module names only modules of an earlier level, so there are no cycles.
const LEVELS: &[(u8, &[&str])] = &[
    (0, &["admission", "events", "kubernetes", "metrics", "patch", "yaml"]),
    (1, &["context"]),
    (2, &["outbound", "policy"]),
    (3, &["engine", "config", "mesh"]),
    (4, &["registration", "review"]),
    (5, &["activation", "certificates", "changes", "install", "record", "report", "source"]),
    (6, &["delivery", "image"]),
    (7, &["cluster", "dry_run", "webhook"]),
    (8, &["suite"]),
    (9, &["cli"]),
];

/// Heavy crates and the modules that own them, as in the table of `docs/architecture.md`. No other module names them,
/// so that each can be replaced, or its update judged, in one place.
const HEAVY: &[(&str, &[&str])] = &[
    ("axum", &["webhook"]),
    ("clap", &["cli"]),
    ("flate2", &["source"]),
    ("gix", &["source"]),
    ("gix_transport", &["source"]),
    ("gotmpl", &["mesh"]),
    ("hyper", &["outbound", "webhook"]),
    ("include_dir", &["source"]),
    ("json_patch", &["patch"]),
    ("jsonschema", &["policy"]),
    ("kube", &["cluster"]),
    ("libyaml_safer", &["yaml"]),
    ("prometheus_client", &["metrics"]),
    ("rcgen", &["certificates"]),
    ("regorus", &["engine"]),
    ("rustls", &["certificates", "outbound", "webhook"]),
    ("sigstore_verify", &["image"]),
    ("ssh_key", &["source"]),
    ("tar", &["source"]),
];

/// Crates that go with a heavy one, and those that are of the edge by what they do.
const BOUND: &[(&str, &[&str])] = &[
    // regorus' own error type is anyhow's. Elsewhere errors are enums, by what the caller can do.
    ("anyhow", &["cli", "engine"]),
    ("clap_complete", &["cli"]),
    ("glob", &["cli"]),
    ("http_body_util", &["outbound", "webhook"]),
    ("hyper_rustls", &["outbound"]),
    ("hyper_util", &["outbound", "webhook"]),
    ("k8s_openapi", &["cluster", "mesh"]),
    // The allocator belongs to the process: a library must not choose it.
    ("mimalloc", &["main"]),
    ("rustls_native_certs", &["outbound"]),
    ("tokio_rustls", &["certificates", "webhook"]),
    ("tower_service", &["outbound"]),
    ("tracing_subscriber", &["cli"]),
];

/// What is wrong, where, and what to do.
#[derive(Debug)]
struct Fault {
    file: String,
    line: usize,
    what: String,
    remedy: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.what, self.remedy)
    }
}

fn assert_none(faults: &[Fault]) {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert!(lines.is_empty(), "\n{}\n", lines.join("\n"));
}

/// A bad sample of a check: each part of `expected` is in the message of one fault, and there are no others.
fn assert_faults(faults: &[Fault], expected: &[&str]) {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, part) in lines.iter().zip(expected) {
        assert!(line.contains(part), "{line}: not {part}");
    }
}

/// A file of the project: its path from the root, with `/`, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Its place in the crate: `["patch", "apply"]` for `src/patch/apply.rs`; none for the roots.
    fn module(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let path = path.strip_suffix(".rs").unwrap_or(path);
        match path.strip_suffix("/mod").unwrap_or(path) {
            "lib" | "main" => Vec::new(),
            path => path.split('/').collect(),
        }
    }

    /// The module of a level that it is of; `lib` and `main` for the roots.
    fn owner(&self) -> &str {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        path.split(['/', '.']).next().unwrap_or(path)
    }

    fn names(&self) -> Vec<Name> {
        names::names(&self.module(), &self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }

    fn fault(&self, line: usize, what: String, remedy: &'static str) -> Fault {
        Fault { file: self.path.clone(), line, what, remedy }
    }
}

fn level(module: &str) -> Option<u8> {
    LEVELS.iter().find(|(_, modules)| modules.contains(&module)).map(|(level, _)| *level)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Source {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    Source { path: path.to_owned(), text }
}

/// The Rust files below a directory, in order; none if it does not exist.
fn sources(directory: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(directory), &mut found);
    let relative = |path: &PathBuf| path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
    let mut paths: Vec<String> = found.iter().map(relative).collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_file_knows_its_module() {
    for (path, module, owner) in [
        ("src/patch/apply.rs", vec!["patch", "apply"], "patch"),
        ("src/patch.rs", vec!["patch"], "patch"),
        ("src/patch/mod.rs", vec!["patch"], "patch"),
        ("src/lib.rs", vec![], "lib"),
        ("src/main.rs", vec![], "main"),
    ] {
        let source = Source::new(path, "");
        assert_eq!((source.module(), source.owner()), (module, owner), "{path}");
    }
}
