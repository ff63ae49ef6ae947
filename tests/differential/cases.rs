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

/// Cases whose meaning is still another than OPA's.
const OPEN: &str = "open.jsonl";

/// The cases of all files, or of those that are open.
fn all(are_open: bool) -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/cases");
    let mut files: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.ends_with(OPEN) == are_open);
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            cases.push(Case::read(line).unwrap_or_else(|| panic!("{}: not a case: {line}", file.display())));
        }
    }
    cases
}

/// Those of the cases in which the program answers otherwise than OPA did; a refusal is as good where `may_refuse`.
fn different(program: &Program, cases: &[Case], may_refuse: bool) -> Vec<String> {
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
    different
}

#[test]
fn fixed_cases_mean_the_same() {
    let different = different(&Program::meshgate(), &all(false), true);
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

/// One that means the same now belongs to the others.
#[test]
fn open_cases_are_all_that_is_known_to_be_different() {
    let cases = all(true);
    assert_eq!(
        different(&Program::meshgate(), &cases, true).len(),
        cases.len(),
        "move what is equal out of {OPEN}"
    );
}

#[test]
fn fixed_cases_are_what_opa_says() {
    let Some(opa) = Program::opa() else { return };
    for are_open in [false, true] {
        let different = different(&opa, &all(are_open), false);
        assert!(different.is_empty(), "{}", different.join("\n\n"));
    }
}
