//! Which lines of modules are reached, as the interpreter notes it.

use std::collections::{BTreeMap, BTreeSet};

use regorus::coverage::Report;

use crate::engine::syntax::{Descend, Expr, Parsed, Ref, Rule, Scopes, Visit, place, walk_module};

/// What was reached, by file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The files, by path.
    pub files: BTreeMap<String, FileCoverage>,
}

/// What was reached of a file. A line is where an expression begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileCoverage {
    /// Lines that were reached.
    pub covered: BTreeSet<u32>,
    /// Lines that were not.
    pub not_covered: BTreeSet<u32>,
}

impl Coverage {
    pub(super) fn of(report: &Report) -> Self {
        let files = report.files.iter().map(|file| {
            let lines = FileCoverage { covered: file.covered.clone(), not_covered: file.not_covered.clone() };
            (file.path.clone(), lines)
        });
        Self { files: files.collect() }
    }
}

/// The sum of `parts`, of all of `modules`.
pub(super) fn together<'a>(modules: &[Parsed], parts: impl IntoIterator<Item = &'a Coverage>) -> Coverage {
    let mut files: BTreeMap<String, FileCoverage> = BTreeMap::new();
    for (path, part) in parts.into_iter().flat_map(|part| &part.files) {
        let file = files.entry(path.clone()).or_default();
        file.covered.extend(&part.covered);
        file.not_covered.extend(&part.not_covered);
    }
    for module in modules {
        // The interpreter says nothing of a module of which nothing was reached.
        let file = files.entry(module.module.path.clone()).or_insert_with(|| unreached(module));
        // What the normaliser adds is nobody's to test.
        let line = |start: usize| u32::try_from(place(&module.module.text, start).0).unwrap_or_default();
        let written: BTreeSet<u32> = module.tokens.iter().map(|token| line(token.range.start)).collect();
        file.covered.retain(|line| written.contains(line));
        file.not_covered.retain(|line| written.contains(line) && !file.covered.contains(line));
    }
    Coverage { files }
}

fn unreached(module: &Parsed) -> FileCoverage {
    #[derive(Default)]
    struct Lines(BTreeSet<u32>);
    impl Visit for Lines {
        fn rule(&mut self, rule: &Rule, _: &Scopes) -> Descend {
            // Of a head only the values count, and those of rules without any are none.
            if let Rule::Default { value, .. } = rule {
                self.0.insert(value.span().line);
                return Descend::Past;
            }
            Descend::Into
        }

        fn expression(&mut self, expr: &Ref<Expr>, _: &Scopes) -> Descend {
            self.0.insert(expr.span().line);
            Descend::Into
        }
    }
    let mut lines = Lines::default();
    walk_module(&module.tree, &mut lines);
    FileCoverage { covered: BTreeSet::new(), not_covered: lines.0 }
}
