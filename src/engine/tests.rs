//! The tests that authors write in Rego: every rule `test_…` of every module is one, and passes if it is true. What
//! begins with `todo_test_` is skipped, as in OPA.

mod coverage;
mod difference;
mod every;
mod explain;
mod statements;

use std::collections::BTreeSet;

pub use coverage::{Coverage, FileCoverage};
pub use explain::Failure;
use regorus::Value as Rego;

use super::evaluate::EvaluationError;
use super::program::{self, Program, ProgramSettings};
use super::syntax::{Expr, Parsed, Rule, head_reference, path};
use crate::policy::{Faults, Module};

/// Modules with the tests that are in them. An error of a builtin is an error, as when policies decide.
pub struct Tests {
    modules: Vec<Module>,
    parsed: Vec<Parsed>,
    program: Program,
    tests: Vec<Test>,
}

/// A test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The file that it is in, first.
    pub file: String,
    /// Its line there.
    pub line: usize,
    /// Its package, without `data`.
    pub package: String,
    /// Its name.
    pub name: String,
    /// Package and name as a reference.
    reference: String,
}

/// What became of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is true.
    Passed,
    /// It is yet to be done.
    Skipped,
    /// It is anything but true.
    Failed(Box<Failure>),
    /// It has no value, because of this, with its place.
    Error(String),
}

/// A test that was run.
#[derive(Debug)]
pub struct Ran {
    /// What became of it.
    pub verdict: Verdict,
    /// What it reached, where that was asked for.
    pub coverage: Coverage,
}

impl Test {
    /// How it is called: `data.PACKAGE.NAME`.
    pub fn path(&self) -> String {
        format!("data.{}.{}", self.package, self.name)
    }

    fn is_to_do(&self) -> bool {
        self.name.starts_with("todo_test_")
    }
}

impl Tests {
    /// Loads modules and finds their tests.
    ///
    /// # Errors
    /// Everything that is wrong with any module.
    pub fn load(modules: Vec<Module>) -> Result<Self, Faults> {
        let settings = settings();
        let mut faults = Vec::new();
        let parsed = program::judged(&modules, &settings, &mut faults);
        Faults::or(faults, ())?;
        let program = Program::of(&parsed, &settings)?;
        let tests = find(&parsed);
        Ok(Self { modules, parsed, program, tests })
    }

    /// The tests, in the order of modules and lines.
    pub fn iter(&self) -> std::slice::Iter<'_, Test> {
        self.tests.iter()
    }

    /// Whether a test is true, without saying why it is not, which takes longer.
    pub fn is_true(&self, test: &Test) -> bool {
        self.program.ask(&test.reference, None) == Ok(Rego::Bool(true))
    }

    /// Runs a test. No test sees anything of another one.
    pub fn run(&self, test: &Test, covering: bool) -> Ran {
        if test.is_to_do() {
            return Ran { verdict: Verdict::Skipped, coverage: Coverage::default() };
        }
        let (answer, coverage) = if covering {
            let (answer, report) = self.program.ask_covering(&test.reference, Rego::Undefined);
            (answer, Coverage::of(&report))
        } else {
            (self.program.ask(&test.reference, None), Coverage::default())
        };
        let verdict = match answer {
            Ok(Rego::Bool(true)) => Verdict::Passed,
            Ok(value) => Verdict::Failed(Box::new(explain::explain(self, test, &value))),
            Err(EvaluationError::Policy(why)) => Verdict::Error(why),
            Err(error) => Verdict::Error(error.to_string()),
        };
        Ran { verdict, coverage }
    }

    /// What tests reached together, of every module; also of those of which they reached nothing.
    pub fn coverage<'a>(&self, parts: impl IntoIterator<Item = &'a Coverage>) -> Coverage {
        coverage::together(&self.parsed, parts)
    }

    /// The only rule that a test is written in, with its module.
    fn rule(&self, test: &Test) -> Option<(&Parsed, &Rule)> {
        let mut rules = self.parsed.iter().flat_map(|module| {
            let rules = module.tree.policy.iter().map(move |rule| (module, &**rule));
            rules.filter(|(module, rule)| {
                found(module, rule).is_some_and(|found| found.reference == test.reference)
            })
        });
        rules.next().filter(|_| rules.next().is_none())
    }
}

fn settings() -> ProgramSettings {
    ProgramSettings { strict_builtin_errors: true, ..ProgramSettings::default() }
}

fn find(parsed: &[Parsed]) -> Vec<Test> {
    let mut seen = BTreeSet::new();
    let all = parsed.iter().flat_map(|module| module.tree.policy.iter().map(move |rule| (module, rule)));
    let tests = all.filter_map(|(module, rule)| found(module, rule));
    // Rules of one name are one test.
    tests.filter(|test| seen.insert(test.reference.clone())).collect()
}

/// The test that a rule is.
fn found(module: &Parsed, rule: &Rule) -> Option<Test> {
    let head = constant(head_reference(rule))?;
    let name = head.last().filter(|name| name.starts_with("test_") || name.starts_with("todo_test_"))?;
    let (mut package, name) = (path(&module.tree.package.refr)?, name.clone());
    package.extend(head.iter().take(head.len().saturating_sub(1)).cloned());
    let quoted =
        package.iter().chain([&name]).map(|part| format!("[{}]", serde_json::Value::from(part.as_str())));
    Some(Test {
        file: module.module.path.clone(),
        line: usize::try_from(head_reference(rule).span().line).unwrap_or_default(),
        reference: std::iter::once("data".to_owned()).chain(quoted).collect(),
        package: package.join("."),
        name,
    })
}

/// The parts of a head up to the first computed one: `test_a` of `test_a[x]`, which is no test that can pass, and so
/// must not be left out.
fn constant(mut head: &Expr) -> Option<Vec<String>> {
    loop {
        match (path(head), head) {
            (Some(parts), _) => return Some(parts),
            (None, Expr::RefBrack { refr, .. } | Expr::RefDot { refr, .. }) => head = refr,
            (None, _) => return None,
        }
    }
}
