//! Nothing of a policy goes untested: its tests reach every line, and notice when a string is another: a message, a field,
//! the name of a control.

use meshgate::engine::Coverage;
use meshgate::policy::Tree;

use crate::{policies, rego, texts};

/// What is in force: everything but tests.
fn is_policy(path: &str) -> bool {
    path.ends_with(".rego") && !path.ends_with("_test.rego")
}

#[test]
fn every_line_is_reached_by_a_test() {
    let tree = policies();
    let tests = rego::tests(&tree);
    let reached: Vec<Coverage> = tests.iter().map(|test| tests.run(test, true).coverage).collect();
    let mut missed = Vec::new();
    for (path, file) in tests.coverage(&reached).files.iter().filter(|(path, _)| is_policy(path)) {
        let lines = file.covered.len().saturating_add(file.not_covered.len());
        println!("policies/{path}: {lines} lines, {} reached", file.covered.len());
        assert!(lines > 0, "policies/{path}: no lines");
        missed.extend(file.not_covered.iter().map(|line| format!("policies/{path}:{line}: not reached")));
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A string of a file: where it stands, and the file with another string in its place.
struct Changed {
    line: usize,
    string: String,
    file: String,
}

/// The file once for each of its strings, with that string changed; but an empty one is mostly what stands in for
/// something absent, as good as any other.
fn changed(file: &str) -> Vec<Changed> {
    let mut all = Vec::new();
    let mut offset = 0_usize;
    for (index, line) in file.split_inclusive('\n').enumerate() {
        // The sign of a comment is in none of the policies' strings.
        let code = line.split('#').next().unwrap_or_default().replace("\\\"", "  ");
        let quotes: Vec<usize> = code.match_indices('"').map(|(at, _)| at).collect();
        assert!(quotes.len().is_multiple_of(2), "a string that ends in another line, or has a #: {line}");
        for pair in quotes.chunks_exact(2) {
            let (start, end) = (offset.saturating_add(pair[0]), offset.saturating_add(pair[1]));
            let string = file.get(start..=end).unwrap().to_owned();
            let (before, after) = file.split_at(end);
            if string != "\"\"" {
                all.push(Changed {
                    line: index.saturating_add(1),
                    string,
                    file: format!("{before}!{after}"),
                });
            }
        }
        offset = offset.saturating_add(line.len());
    }
    all
}

/// Adds what a text imports, and what that imports.
fn import(tree: &mut Tree, all: &Tree, text: &str) {
    for name in text.lines().filter_map(|line| line.strip_prefix("import data.lib.")) {
        let folder = format!("lib/{}", name.replace('.', "/"));
        let path = format!("{folder}/{}.rego", name.rsplit('.').next().unwrap());
        let Some((_, content)) = all.iter().find(|(other, _)| *other == path) else { continue };
        if !tree.contains(&path) {
            tree.insert(path, content);
            import(tree, all, std::str::from_utf8(content).unwrap());
        }
    }
}

/// Whether all tests of the tree are true. One that compares with what the policy now never gives does not load.
fn passes(tree: &Tree) -> bool {
    match rego::load(tree) {
        Ok(tests) => tests.iter().all(|test| tests.is_true(test)),
        Err(faults) => {
            assert!(
                faults.iter().all(|fault| matches!(fault.code, Some("MG117" | "MG118" | "MG119"))),
                "{faults}"
            );
            false
        }
    }
}

/// A policy with its tests and what it imports.
struct Tested<'a> {
    path: &'a str,
    tree: Tree,
}

impl<'a> Tested<'a> {
    fn of(path: &'a str, text: &str, all: &Tree) -> Self {
        let folder = |path: &str| path.rsplit_once('/').map(|(folder, _)| folder.to_owned());
        let mut tree = Tree::default();
        let own = all.iter().filter(|(other, _)| folder(other) == folder(path));
        own.for_each(|(path, content)| tree.insert(path, content));
        import(&mut tree, all, text);
        Self { path, tree }
    }

    /// What no test notices of a change, if none does.
    fn unnoticed(&self, change: &Changed) -> Option<String> {
        let mut tree = self.tree.clone();
        tree.insert(self.path, change.file.as_str());
        let said = || format!("policies/{}:{}: no test compares {}", self.path, change.line, change.string);
        passes(&tree).then(said)
    }
}

#[test]
fn every_string_is_compared_by_a_test() {
    let all = policies();
    let files = texts(&all, ".rego").filter(|(path, _)| is_policy(path));
    let tested: Vec<(Tested<'_>, Vec<Changed>)> =
        files.map(|(path, text)| (Tested::of(path, text, &all), changed(text))).collect();
    for (one, _) in &tested {
        assert!(passes(&one.tree), "{}: as it is", one.path);
    }
    let changes: Vec<(&Tested<'_>, &Changed)> =
        tested.iter().flat_map(|(one, changes)| changes.iter().map(move |change| (one, change))).collect();
    // Each change loads its policy again: minutes, one after the other.
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let some = |worker: usize| {
        let own = changes.iter().skip(worker).step_by(workers);
        own.filter_map(|(one, change)| one.unnoticed(change)).collect::<Vec<String>>()
    };
    let unnoticed: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || some(worker))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let run = changes.len();
    println!("strings changed: {run}, noticed by a test: {}", run.saturating_sub(unnoticed.len()));
    assert!(run > 0);
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}
