//! Which libraries a program needs: those that its packages name, and those that these name. It is parsed, judged and
//! prepared with what it can reach, and no more.

use std::collections::BTreeSet;

use super::packages;
use super::syntax::{Descend, Expr, Parsed, Ref, Scopes, Visit, path, walk_module};
use crate::policy::Module;

/// The paths below `data` that a module reads, each up to its first step that is no constant.
pub(super) type Reads = BTreeSet<Vec<String>>;

/// A library.
pub(super) struct Library {
    module: Module,
    package: Vec<String>,
    reads: Reads,
}

impl Library {
    /// One that is judged.
    pub(super) fn of(parsed: &Parsed) -> Self {
        let package = path(&parsed.tree.package.refr).unwrap_or_default();
        Self { module: packages::library(parsed), package, reads: reads(parsed) }
    }
}

/// The libraries that modules with these reads need.
pub(super) fn needed<'a>(libraries: &[Library], reads: impl Iterator<Item = &'a Reads>) -> Vec<Module> {
    let mut pending: Vec<&[String]> = reads.flatten().map(Vec::as_slice).collect();
    let mut needed = vec![false; libraries.len()];
    while let Some(read) = pending.pop() {
        for (library, is_needed) in libraries.iter().zip(&mut needed) {
            let is_read = library.package.starts_with(read) || read.starts_with(&library.package);
            if is_read && !*is_needed {
                *is_needed = true;
                pending.extend(library.reads.iter().map(Vec::as_slice));
            }
        }
    }
    let needed = libraries.iter().zip(needed).filter(|(_, is_needed)| *is_needed);
    needed.map(|(library, _)| library.module.clone()).collect()
}

/// What a module reads.
pub(super) fn reads(module: &Parsed) -> Reads {
    let mut found = Found { reads: Reads::new(), inner: BTreeSet::new() };
    module.tree.imports.iter().for_each(|import| found.add(&import.refr));
    walk_module(&module.tree, &mut found);
    found.reads
}

struct Found {
    reads: Reads,
    /// The references that longer ones start with.
    inner: BTreeSet<*const Expr>,
}

impl Found {
    fn add(&mut self, expr: &Expr) {
        let mut expr = expr;
        loop {
            if let Some(path) = path(expr) {
                if let Some(read) = path.strip_prefix(["data".to_owned()].as_slice()) {
                    self.reads.insert(read.to_vec());
                }
                return;
            }
            let (Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. }) = expr else { return };
            expr = refr;
        }
    }
}

impl Visit for Found {
    fn expression(&mut self, expr: &Ref<Expr>, _scopes: &Scopes) -> Descend {
        if let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = &**expr {
            self.inner.insert(std::ptr::from_ref(&**refr));
        }
        if !self.inner.contains(&std::ptr::from_ref(&**expr)) {
            self.add(expr);
        }
        Descend::Into
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::syntax::RegoVersion;

    fn parsed(text: &str) -> Parsed {
        let module = Module { path: "a.rego".to_owned(), text: text.to_owned() };
        Parsed::parse(module, RegoVersion::V1).unwrap()
    }

    #[test]
    fn a_program_has_the_libraries_that_it_can_reach() {
        let library = |name: &str, body: &str| Library::of(&parsed(&format!("package lib.{name}\n{body}")));
        let libraries = [
            library("a", "import data.lib.b\np := b.p"),
            library("b", "p := data.lib[\"c\"][input.x]"),
            library("c", "p := 1"),
            library("d.e", "p := 1"),
        ];
        for (text, expected) in [
            ("p := 1", vec![]),
            ("import data.lib.a\np := a.p", vec!["a", "b", "c"]),
            ("p := data.lib.b.p", vec!["b", "c"]),
            ("p := data.lib[input.x]", vec!["a", "b", "c", "d.e"]),
            ("p := data.lib.d", vec!["d.e"]),
            ("p := [x | x := data.other[data.lib.c.p]]", vec!["c"]),
            ("p if input with data.lib.c as {}", vec!["c"]),
        ] {
            let reads = reads(&parsed(&format!("package p\n{text}")));
            let expected: Vec<String> = expected.iter().map(|name| format!("package lib.{name}")).collect();
            let given: Vec<String> = needed(&libraries, [&reads].into_iter())
                .iter()
                .map(|module| module.text.lines().next().unwrap().to_owned())
                .collect();
            assert_eq!(given, expected, "{text}");
        }
    }
}
