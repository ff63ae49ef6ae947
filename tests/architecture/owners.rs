//! Who names a crate: heavy ones their owners alone, and each dependency somebody.

use std::collections::BTreeSet;

use crate::{BOUND, Fault, HEAVY, Source, assert_faults, assert_none, names::Name, read, sources};

/// Crates and their owners.
type Table<'a> = [(&'a str, &'a [&'a str])];

#[test]
fn a_heavy_crate_is_named_by_its_owners_alone() {
    assert_none(&owners(&[HEAVY, BOUND].concat(), &sources("src")));
}

/// gix changes often: what follows it is one directory.
#[test]
fn git_is_named_by_one_directory() {
    assert_none(&elsewhere(&sources("src")));
    let bad = [
        Source::new("src/source/git/cache.rs", "use gix::open;"),
        Source::new("src/source/trust.rs", "use gix::hash;"),
    ];
    assert_faults(&elsewhere(&bad), &["src/source/trust.rs:1: `gix::hash`"]);
}

fn elsewhere(sources: &[Source]) -> Vec<Fault> {
    let outside =
        |source: &&Source| source.path != "src/source/git.rs" && !source.path.starts_with("src/source/git/");
    let mut faults = Vec::new();
    for source in sources.iter().filter(outside) {
        let names = source.names();
        let of_git = names.iter().filter(|name| is_of(name, "gix") || is_of(name, "gix_transport"));
        let remedy = "let src/source/git offer what is needed, in its own types";
        faults.extend(of_git.map(|name| source.fault(name.line, format!("`{}`", name.text()), remedy)));
    }
    faults
}

/// The crates that verify signatures: their interfaces change with each release.
const SIGSTORE: &str = "sigstore_";

/// The one place that names them.
const ADAPTER: &str = "src/image/verifier/";

#[test]
fn the_crates_that_verify_signatures_are_named_in_one_place() {
    assert_none(&beside_the_adapter(&sources("src")));
}

fn beside_the_adapter(sources: &[Source]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| !source.path.starts_with(ADAPTER)) {
        let is_theirs = |name: &&Name| name.path.first().is_some_and(|first| first.starts_with(SIGSTORE));
        for name in source.names().iter().filter(|name| !name.imported).filter(is_theirs) {
            let remedy = "let src/image/verifier/ offer what is needed, in types of ours";
            faults.push(source.fault(name.line, format!("`{}` is named", name.text()), remedy));
        }
    }
    faults
}

#[test]
fn a_crate_that_verifies_signatures_named_elsewhere_is_a_fault() {
    let text = "use sigstore_types::Bundle;";
    assert_none(&beside_the_adapter(&[Source::new("src/image/verifier/sigstore.rs", text)]));
    for path in ["src/image/trust.rs", "src/image/verifier.rs", "src/cli/images.rs"] {
        assert_faults(
            &beside_the_adapter(&[Source::new(path, text)]),
            &["`sigstore_types::Bundle` is named"],
        );
    }
}

#[test]
fn each_dependency_is_used() {
    assert_none(&unused(&read("Cargo.toml"), &sources("src")));
}

/// Names of a crate outside its owners, and owners that do not name their crate.
fn owners(table: &Table<'_>, sources: &[Source]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for source in sources {
        for name in source.names().iter().filter(|name| !name.imported) {
            let Some((heavy, owners)) = table.iter().find(|(heavy, _)| is_of(name, heavy)) else { continue };
            if owners.contains(&source.owner()) {
                used.insert((*heavy, source.owner()));
                continue;
            }
            let what = format!(
                "`{}` names `{}`, which is owned by {}",
                source.owner(),
                name.text(),
                owners.join(", ")
            );
            let remedy = "let the owner offer what is needed, in its own types";
            faults.push(source.fault(name.line, what, remedy));
        }
    }
    for (heavy, owner) in
        table.iter().flat_map(|(heavy, owners)| owners.iter().map(move |owner| (heavy, owner)))
    {
        if !used.contains(&(heavy, owner)) {
            let what = format!("`{owner}` owns `{heavy}` and does not name it");
            let (file, line) = ("tests/architecture/main.rs".to_owned(), row(heavy));
            faults.push(Fault { file, line, what, remedy: "take it from the table" });
        }
    }
    faults
}

/// The line of a crate in our own tables.
fn row(heavy: &str) -> usize {
    let start = format!("(\"{heavy}\",");
    let found = include_str!("main.rs").lines().position(|line| line.trim_start().starts_with(&start));
    found.map_or(1, |before| before.saturating_add(1))
}

fn is_of(name: &Name, wanted: &str) -> bool {
    name.path.first().is_some_and(|first| first == wanted)
}

/// Dependencies of the program that no file of `src` names.
fn unused(manifest: &Source, sources: &[Source]) -> Vec<Fault> {
    let names: Vec<Name> = sources.iter().flat_map(Source::names).collect();
    let used: BTreeSet<&str> =
        names.iter().filter_map(|name| name.path.first()).map(String::as_str).collect();
    let is_used = |name: &str| used.contains(name.replace('-', "_").as_str());
    let unused = dependencies(&manifest.text).filter(|(_, name)| !is_used(name));
    let fault = |(line, name)| {
        let remedy = "take it away, or move it to dev-dependencies if tests need it";
        manifest.fault(line, format!("nothing in src names `{name}`"), remedy)
    };
    unused.map(fault).collect()
}

/// The keys of the tables of dependencies, also of those of a platform; not those for tests and build scripts.
fn dependencies(manifest: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut within = false;
    (1..).zip(manifest.lines()).filter_map(move |(number, line)| {
        if let Some(table) = line.strip_prefix('[') {
            let table = table.split(']').next().unwrap_or(table);
            let (platform, last) = table.rsplit_once('.').unwrap_or(("", table));
            within = last == "dependencies" && (platform.is_empty() || platform.starts_with("target."));
            // `[dependencies.name]` is a table of its own.
            return (platform == "dependencies").then_some((number, last));
        }
        let key =
            line.split([' ', '=', '.']).next().filter(|key| !key.is_empty() && !key.starts_with(['#', ']']));
        key.filter(|_| within).map(|key| (number, key))
    })
}

const SAMPLE: &Table<'static> = &[("regorus", &["engine"]), ("rustls", &["certificates", "webhook"])];

/// Files that satisfy `SAMPLE`.
fn satisfied() -> Vec<Source> {
    vec![
        Source::new("src/engine/input.rs", "use regorus::Value;"),
        Source::new("src/certificates.rs", "fn f() { rustls::crypto::install() }"),
        Source::new("src/webhook/listener.rs", "mod m { use {rustls as tls, std::fmt}; }"),
    ]
}

#[test]
fn a_heavy_crate_of_somebody_else_is_a_fault() {
    assert_none(&owners(SAMPLE, &satisfied()));
    for (path, text) in [
        ("src/review/judge.rs", "\nuse regorus::Value;"),
        ("src/review.rs", "\nuse ::regorus::*;"),
        ("src/review.rs", "fn f() {\n    matches!(x, regorus::Value::Null)\n}"),
        ("src/review.rs", "#[serde(\n    with = \"regorus::words\")] struct S;"),
        ("src/main.rs", "\nextern crate regorus;"),
    ] {
        let mut bad = satisfied();
        bad.push(Source::new(path, text));
        assert_faults(&owners(SAMPLE, &bad), &["names `regorus"]);
        assert_faults(&owners(SAMPLE, &bad), &[&format!("{path}:2: ")]);
    }
}

#[test]
fn an_owner_that_does_not_name_its_crate_is_a_fault() {
    let mut bad = satisfied();
    bad.retain(|source| source.owner() != "certificates");
    assert_faults(&owners(SAMPLE, &bad), &["`certificates` owns `rustls` and does not name it"]);
}

#[test]
fn a_dependency_that_nothing_names_is_a_fault() {
    let manifest = "[package]\nname = \"p\"\n[dependencies]\nhyper-util = \"1\"\nserde = { features = [\n    \"x\",\n] }\n\
        [dev-dependencies]\ninsta = \"1\"\n[target.'cfg(unix)'.dependencies]\nnix.version = \"1\"\n\
        [dependencies.glob]\nversion = \"0\"";
    let manifest = Source::new("Cargo.toml", manifest);
    let used = "use hyper_util::rt; use nix::sys; #[derive(serde::Serialize)] struct S;";
    let good = [Source::new("src/cli.rs", used), Source::new("src/cli/paths.rs", "use glob::glob;")];
    assert_none(&unused(&manifest, &good));
    let bad = [Source::new("src/cli.rs", "mod glob; fn f() { glob::run(std::env::var(\"serde\")) }")];
    let expected = ["Cargo.toml:4: nothing in src names `hyper-util`", ":5: nothing", "`nix`", "`glob`"];
    assert_faults(&unused(&manifest, &bad), &expected);
}
