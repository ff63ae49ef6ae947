//! The order of the modules, in `src`, in `src/lib.rs` and in `docs/architecture.md`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Fault, HEAVY, LEVELS, Source, assert_faults, assert_none, level, read, sources};

/// What a module names, by module.
type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn a_module_names_only_earlier_ones() {
    let sources = sources("src");
    assert_none(&order(&sources));
    let graph = graph(&sources);
    assert!(graph.get("cli").is_some_and(|named| named.contains("report")), "names are not found: {graph:?}");
    assert_eq!(cycle(graph), BTreeSet::new(), "these modules need each other: part them");
}

#[test]
fn the_library_declares_its_modules_by_level() {
    assert_none(&declared(&read("src/lib.rs")));
}

#[test]
fn the_document_has_the_same_table() {
    assert_none(&documented(&read("docs/architecture.md")));
}

/// Names of a module of the same level, or of a later one.
fn order(sources: &[Source]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for source in sources.iter().filter(|source| !source.module().is_empty()) {
        let own = source.owner();
        let Some(ours) = level(own) else {
            let what = format!("the module `{own}` has no level");
            faults.push(source.fault(1, what, "add it to LEVELS, and to docs/architecture.md"));
            continue;
        };
        for name in source.names().iter().filter(|name| !name.imported) {
            let Some(module) = of_the_crate(&name.path) else { continue };
            let (what, remedy) = match level(module) {
                Some(_) if module == own => continue,
                Some(theirs) if theirs < ours => continue,
                Some(theirs) => (
                    format!("`{own}`, of level {ours}, names `{}`, of level {theirs}", name.text()),
                    "let the later one call the earlier one, or move what both need to an earlier level",
                ),
                None => (
                    format!("`{}` names the crate or something beside its modules", name.text()),
                    "name what is needed by its module",
                ),
            };
            faults.push(source.fault(name.line, what, remedy));
        }
    }
    faults
}

/// The module in `crate::module::…`; `crate` itself has none.
fn of_the_crate(path: &[String]) -> Option<&str> {
    match path {
        [root, module, ..] if root == "crate" => Some(module),
        [root] if root == "crate" => Some(root),
        _ => None,
    }
}

fn graph(sources: &[Source]) -> Graph {
    let mut graph = Graph::new();
    for source in sources.iter().filter(|source| !source.module().is_empty()) {
        let named = graph.entry(source.owner().to_owned()).or_default();
        let names = source.names();
        let others = names.iter().filter_map(|name| of_the_crate(&name.path));
        named.extend(others.filter(|module| *module != source.owner()).map(str::to_owned));
    }
    graph
}

/// The modules on cycles, and those that need them. Strict levels imply that there are none; this holds without levels.
fn cycle(mut graph: Graph) -> BTreeSet<String> {
    loop {
        let known: BTreeSet<String> = graph.keys().cloned().collect();
        let before = graph.len();
        graph.retain(|_, named| named.iter().any(|module| known.contains(module)));
        if graph.len() == before {
            return known;
        }
    }
}

/// `src/lib.rs` against the table of levels.
fn declared(library: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    let mut highest = 0;
    for (line, module) in declarations(&library.text) {
        match level(module) {
            None => {
                let what = format!("the module `{module}` has no level");
                faults.push(library.fault(line, what, "add it to LEVELS, and to docs/architecture.md"));
            }
            Some(level) if level < highest => {
                let what = format!("`{module}`, of level {level}, stands after level {highest}");
                faults.push(library.fault(line, what, "move it up to its level"));
            }
            Some(level) => highest = level,
        }
        seen.insert(module);
    }
    for module in LEVELS.iter().flat_map(|(_, modules)| *modules).filter(|module| !seen.contains(*module)) {
        let what = format!("the module `{module}` has a level and is not declared");
        faults.push(library.fault(1, what, "declare it, or take it from LEVELS"));
    }
    faults
}

/// The lines `pub mod name;` of a text.
fn declarations(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter_map(|(number, line)| {
        let (head, name) = line.strip_suffix(';')?.rsplit_once(' ')?;
        matches!(head, "mod" | "pub mod" | "pub(crate) mod").then_some((number, name))
    })
}

/// A row of the table of `docs/architecture.md`.
struct Row<'a> {
    line: usize,
    level: Option<u8>,
    module: &'a str,
    owns: BTreeSet<String>,
}

/// The rows whose second cell is a name in backticks. A level stands in the first row of its modules.
fn rows(text: &str) -> Vec<Row<'_>> {
    let mut last = None;
    let mut rows = Vec::new();
    for (line, row) in (1..).zip(text.lines()) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let ["", level, module, _, owns, ""] = cells.as_slice() else { continue };
        let Some(module) = module.strip_prefix('`').and_then(|module| module.strip_suffix('`')) else {
            continue;
        };
        if !level.is_empty() {
            last = level.parse().ok();
        }
        let owns =
            owns.split(',').map(|owned| owned.trim().replace('-', "_")).filter(|owned| !owned.is_empty());
        rows.push(Row { line, level: last, module, owns: owns.collect() });
    }
    rows
}

/// The document's table against ours: modules, levels, owners of heavy crates.
fn documented(document: &Source) -> Vec<Fault> {
    let rows = rows(&document.text);
    let mut faults = Vec::new();
    for row in &rows {
        let module = row.module;
        if row.level.is_none() || row.level != level(module) {
            let (here, there) = (said(row.level), said(level(module)));
            let what = format!("`{module}` has {here} here, {there} in LEVELS");
            faults.push(document.fault(row.line, what, "make them equal"));
        }
        let owned = HEAVY.iter().filter(|(_, owners)| owners.contains(&module)).map(|(name, _)| *name);
        let owned: BTreeSet<String> = owned.map(str::to_owned).collect();
        if row.owns != owned {
            let what = format!("`{module}` owns {:?} here, {owned:?} in HEAVY", row.owns);
            faults.push(document.fault(row.line, what, "make them equal"));
        }
    }
    for module in LEVELS.iter().flat_map(|(_, modules)| *modules) {
        if rows.iter().filter(|row| row.module == *module).count() != 1 {
            let what = format!("the table of modules does not have `{module}` once");
            faults.push(document.fault(1, what, "give it one row"));
        }
    }
    faults
}

fn said(level: Option<u8>) -> String {
    level.map_or_else(|| "no level".to_owned(), |level| format!("level {level}"))
}

#[test]
fn a_name_of_the_same_or_a_later_level_is_a_fault() {
    let later = "level 3, names `crate::webhook::Limits`, of level 7";
    for (path, text, expected) in [
        ("src/engine/input.rs", "use crate::webhook::Limits;", later),
        ("src/engine.rs", "use super::webhook::Limits;", later),
        ("src/engine/input.rs", "mod tests { use super::super::super::webhook::Limits; }", later),
        ("src/engine.rs", "fn f() { vec![crate::webhook::Limits] }", later),
        ("src/patch.rs", "use crate::yaml;", "patch`, of level 0, names `crate::yaml`, of level 0"),
        ("src/patch.rs", "use crate::Reexported;", "beside its modules"),
        ("src/patch.rs", "use super::*;", "beside its modules"),
        ("src/patch.rs", "use crate as root;", "beside its modules"),
        ("src/unknown/file.rs", "", "`unknown` has no level"),
    ] {
        let bad = [Source::new("src/report.rs", "use crate::policy::Tree;"), Source::new(path, text)];
        assert_faults(&order(&bad), &[expected]);
        assert_faults(&order(&bad), &[&format!("{path}:1: ")]);
    }
}

#[test]
fn a_name_of_an_earlier_level_or_of_its_own_is_none() {
    let good = [
        Source::new("src/lib.rs", "pub mod patch; pub use patch::Patch;"),
        Source::new("src/engine/input.rs", "use crate::{context::{self, Facts}, policy}; use super::output;"),
        Source::new("src/engine/input.rs", "use crate::engine::output; mod tests { use super::*; }"),
    ];
    assert_none(&order(&good));
}

#[test]
fn a_cycle_is_found_without_levels() {
    let chain = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec![])];
    let circle = [("a", vec!["b"]), ("b", vec!["c"]), ("c", vec!["b"]), ("d", vec![])];
    let graph = |edges: &[(&str, Vec<&str>)]| -> Graph {
        let owned = |named: &[&str]| named.iter().copied().map(str::to_owned).collect();
        edges.iter().map(|(module, named)| ((*module).to_owned(), owned(named))).collect()
    };
    assert!(cycle(graph(&chain)).is_empty());
    assert_eq!(cycle(graph(&circle)), ["a", "b", "c"].map(str::to_owned).into());
}

/// The library's declarations as they should be.
fn library() -> String {
    let modules = LEVELS.iter().flat_map(|(_, modules)| *modules);
    modules.map(|module| format!("pub mod {module};\n")).collect()
}

#[test]
fn a_library_that_differs_from_the_table_is_a_fault() {
    let check = |text: &str| declared(&Source::new("src/lib.rs", text));
    assert_none(&check(&library()));
    assert_faults(
        &check(&library().replace("pub mod engine;\n", "")),
        &["`engine` has a level and is not declared"],
    );
    assert_faults(&check(&format!("{}pub mod forward;\n", library())), &["`forward` has no level"]);
    let moved =
        library().replace("pub mod engine;\n", "").replace("pub mod cli;", "pub mod cli;\npub mod engine;");
    let last = moved.lines().count();
    let expected = format!("lib.rs:{last}: `engine`, of level 3, stands after level 9");
    assert_faults(&check(&moved), &[&expected]);
}

/// The document's table as it should be.
fn document() -> String {
    let mut rows = "| level | module | what it is | owns |\n|---|---|---|---|\n".to_owned();
    for (level, modules) in LEVELS {
        for (index, module) in modules.iter().enumerate() {
            let level = if index == 0 { level.to_string() } else { String::new() };
            let owned = HEAVY.iter().filter(|(_, owners)| owners.contains(module));
            let owned: Vec<String> = owned.map(|(name, _)| name.replace('_', "-")).collect();
            rows.push_str(&format!("| {level} | `{module}` | what it is | {} |\n", owned.join(", ")));
        }
    }
    rows
}

#[test]
fn a_document_that_differs_from_the_tables_is_a_fault() {
    let check = |text: &str| documented(&Source::new("docs/architecture.md", text));
    assert_none(&check(&document()));
    for (from, to, expected) in [
        ("| 3 | `engine`", "| 2 | `engine`", "`engine` has level 2 here, level 3 in LEVELS"),
        ("| 0 | `admission`", "| | `admission`", "`admission` has no level here, level 0 in LEVELS"),
        (
            "| 9 | `cli`",
            "| 9 | `cli` | x | clap |\n| 9 | `shell`",
            "`shell` has level 9 here, no level in LEVELS",
        ),
        ("| regorus |", "|  |", "`engine` owns {} here, {\"regorus\"} in HEAVY"),
        ("| regorus |", "| regorus, json-patch |", "`engine` owns {\"json_patch\", \"regorus\"} here"),
        ("|  | `source` |", "|  | source |", "does not have `source` once"),
    ] {
        assert!(document().contains(from), "{from}: {}", document());
        let faults = check(&document().replace(from, to));
        assert!(faults.iter().any(|fault| fault.to_string().contains(expected)), "{expected}: {faults:?}");
    }
}
