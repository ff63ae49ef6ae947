//! What became of tests and examples: the one shape that every format is written from.

use serde::Serialize;

use super::{Example, Job};
use crate::engine::{Failure, FileCoverage, Test, Verdict};

/// A run's result. Serialised, it is the JSON report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Results {
    api_version: &'static str,
    kind: &'static str,
    /// Tests in the order of files and lines, then examples in the order of files.
    pub cases: Vec<Case>,
    /// The numbers.
    pub summary: Summary,
    /// Which lines of policies the tests reach, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Vec<FileLines>>,
}

/// A test or an example.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// Which of both.
    pub kind: Kind,
    /// The package of a test, without `data`; the policy of an example.
    pub group: String,
    /// The name of a test; the file's name of an example.
    pub name: String,
    /// The file.
    pub file: String,
    /// Its line there.
    pub line: usize,
    /// What became of it.
    pub status: Status,
    /// Why it failed, by lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Where and why a test is not true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Expression>,
}

/// The expression of a test that does not hold.
#[derive(Clone, Debug, Serialize)]
pub struct Expression {
    /// Its line in the test's file.
    pub line: usize,
    /// As it is written.
    pub expression: String,
    /// More about it.
    pub notes: Vec<String>,
    /// Elements that are expected and missing, as JSON texts.
    pub missing: Vec<String>,
    /// Elements that are there and not expected.
    pub extra: Vec<String>,
}

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A rule `test_…`.
    Test,
    /// A manifest below a policy's `examples`.
    Example,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// Without a result.
    Error,
    /// Yet to be done.
    Skipped,
}

/// The numbers: every case is in exactly one of `passed`, `failed`, `errors`, `skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// All tests.
    pub tests: usize,
    /// All examples.
    pub examples: usize,
    /// … as they should be.
    pub passed: usize,
    /// … not as they should be.
    pub failed: usize,
    /// … without a result.
    pub errors: usize,
    /// … yet to be done.
    pub skipped: usize,
}

/// Which lines of a file tests reach.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileLines {
    /// The file.
    pub file: String,
    /// Lines that tests reach.
    pub covered: Vec<u32>,
    /// Lines that no test reaches.
    pub not_covered: Vec<u32>,
    /// How many of a hundred are reached, with one decimal.
    pub percentage: f64,
}

impl Results {
    pub(super) fn new(cases: Vec<Case>, coverage: Option<Vec<FileLines>>) -> Self {
        let count = |wanted: &dyn Fn(&&Case) -> bool| cases.iter().filter(wanted).count();
        let summary = Summary {
            tests: count(&|case| case.kind == Kind::Test),
            examples: count(&|case| case.kind == Kind::Example),
            passed: count(&|case| case.status == Status::Passed),
            failed: count(&|case| case.status == Status::Failed),
            errors: count(&|case| case.status == Status::Error),
            skipped: count(&|case| case.status == Status::Skipped),
        };
        Self { api_version: "meshgate.io/v1alpha1", kind: "TestReport", cases, summary, coverage }
    }

    /// The exit code of the run: 1 if anything is not as it should be.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.summary.failed > 0 || self.summary.errors > 0)
    }
}

impl Case {
    pub(super) fn of_test(test: &Test, verdict: Verdict) -> Self {
        let (status, reasons, failure) = match verdict {
            Verdict::Passed => (Status::Passed, Vec::new(), None),
            Verdict::Skipped => (Status::Skipped, Vec::new(), None),
            Verdict::Error(why) => (Status::Error, vec![why], None),
            Verdict::Failed(failure) => (Status::Failed, Vec::new(), Some(Expression::from(*failure))),
        };
        Self {
            kind: Kind::Test,
            group: test.package.clone(),
            name: test.name.clone(),
            file: test.file.clone(),
            line: test.line,
            status,
            reasons,
            failure,
        }
    }

    pub(super) fn of_example(example: &Example, faults: Vec<String>) -> Self {
        Self {
            kind: Kind::Example,
            group: example.policy.clone(),
            name: example.name().to_owned(),
            file: example.path.clone(),
            line: 1,
            status: if faults.is_empty() { Status::Passed } else { Status::Failed },
            reasons: faults,
            failure: None,
        }
    }

    pub(super) fn panicked(job: &Job<'_>) -> Self {
        let case = match job {
            Job::Test(test) => Self::of_test(test, Verdict::Passed),
            Job::Example(example) => Self::of_example(example, Vec::new()),
        };
        let reason = "meshgate failed on this; nothing is known of it. Please report it with the files";
        Self { status: Status::Error, reasons: vec![reason.to_owned()], ..case }
    }

    /// Where to look: the expression that does not hold, or the case itself.
    pub fn place(&self) -> String {
        let line = self.failure.as_ref().map_or(self.line, |failure| failure.line);
        format!("{}:{line}", self.file)
    }

    /// All that is said of it, by lines.
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .reasons
            .iter()
            .flat_map(|reason| reason.lines())
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect();
        if let Some(failure) = &self.failure {
            let expression = failure.expression.lines().enumerate();
            lines.extend(expression.map(|(index, line)| {
                let start = if index == 0 { "not true: " } else { "          " };
                format!("{start}{line}")
            }));
            lines.extend(failure.notes.iter().cloned());
            if !failure.missing.is_empty() || !failure.extra.is_empty() {
                lines.push("missing (-) and too many (+):".to_owned());
            }
            lines.extend(failure.missing.iter().map(|element| format!("- {element}")));
            lines.extend(failure.extra.iter().map(|element| format!("+ {element}")));
        }
        lines
    }
}

impl From<Failure> for Expression {
    fn from(failure: Failure) -> Self {
        let Failure { line, expression, notes, missing, extra } = failure;
        Self { line, expression, notes, missing, extra }
    }
}

impl FileLines {
    pub(super) fn new(file: String, lines: &FileCoverage) -> Self {
        let FileCoverage { covered, not_covered } = lines;
        let count = |lines: usize| u32::try_from(lines).unwrap_or(u32::MAX);
        let (reached, all) = (count(covered.len()), count(covered.len().saturating_add(not_covered.len())));
        // Rounded down, so that 100 means all.
        let thousandths = reached.saturating_mul(1_000).checked_div(all).unwrap_or(1_000);
        Self {
            file,
            covered: covered.iter().copied().collect(),
            not_covered: not_covered.iter().copied().collect(),
            percentage: f64::from(thousandths) / 10.0,
        }
    }
}
