//! Differences that were found once, with OPA's answers.

use std::fmt;
use std::path::Path;

use crate::Shown;
use crate::answer::{Answer, Verdict};
use crate::programs::Program;

/// A line of a file of cases. Its parts are kept as text, so that numbers stay as they are written.
#[derive(Debug, PartialEq)]
pub(crate) struct Case {
    note: String,
    question: String,
    answer: String,
}

const START: &str = r#"{"note":""#;
const QUESTION: &str = r#"","question":"#;
const ANSWER: &str = r#","answer":"#;

impl Case {
    /// What becomes of a difference; its note is to be written by who found it.
    pub(crate) fn of(compared: &Shown) -> Self {
        Self { note: String::new(), question: compared.snippet.line(), answer: compared.theirs.to_string() }
    }

    fn read(line: &str) -> Option<Self> {
        let line = line.strip_prefix(START)?.strip_suffix('}')?;
        let (note, rest) = line.split_once(QUESTION)?;
        let (question, answer) = rest.rsplit_once(ANSWER)?;
        Some(Self { note: note.to_owned(), question: question.to_owned(), answer: answer.to_owned() })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{START}{}{QUESTION}{}{ANSWER}{}}}", self.note, self.question, self.answer)
    }
}

fn all() -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/cases");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            cases.push(Case::read(line).unwrap_or_else(|| panic!("{}: not a case: {line}", file.display())));
        }
    }
    cases
}

/// Fails unless the program answers as OPA did; a refusal is as good where `may_refuse`.
fn check(program: &Program, may_refuse: bool) {
    let cases = all();
    assert!(!cases.is_empty(), "no cases");
    let questions: Vec<String> = cases.iter().map(|case| case.question.clone()).collect();
    let (mut refused, mut spelled) = (0, 0);
    let mut different = Vec::new();
    for (case, answer) in cases.iter().zip(program.ask(&questions)) {
        match Answer::read(&case.answer).compare(&answer) {
            Verdict::Equal => {}
            Verdict::OtherSpelling => spelled += 1,
            Verdict::OnlyWeRefuse if may_refuse => refused += 1,
            verdict => different.push(format!("{}: {verdict:?}: {answer:?}\n{case}", case.note)),
        }
    }
    println!(
        "{} cases, {} different, {refused} refused, {spelled} with a number spelled otherwise",
        cases.len(),
        different.len()
    );
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

#[test]
fn fixed_cases_mean_the_same() {
    check(&Program::meshgate(), true);
}

#[test]
fn fixed_cases_are_what_opa_says() {
    if let Some(opa) = Program::opa() {
        check(&opa, false);
    }
}

#[test]
fn a_case_is_read() {
    let line = r#"{"note":"a","question":{"data":{"b":1.0}},"answer":{"result":1.0}}"#;
    let case = Case::read(line).unwrap();
    assert_eq!(case.question, r#"{"data":{"b":1.0}}"#);
    assert_eq!(case.answer, r#"{"result":1.0}"#);
    assert_eq!(case.to_string(), line);
    assert_eq!(Case::read("{}"), None);
}
