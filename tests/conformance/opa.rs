//! OPA's own compliance cases. A case is equal (the same value, undefined, or an error where OPA has one), refused when
//! its modules are loaded, or different; nothing may be different in silence. Counted apart for the language and the
//! builtins, because a refusal of the language is worth more than one of a builtin.

mod case;
mod outcome;

use std::{collections::BTreeMap, env, fs, thread};

use case::Case;
use outcome::{Outcome, outcome};

use crate::corpus;

/// The corpus' groups that are about the language; the others are each about a builtin.
const LANGUAGE: &[&str] = &[
    "arithmetic",
    "assignments",
    "baseandvirtualdocs",
    "comparisonexpr",
    "completedoc",
    "compositebasedereference",
    "compositereferences",
    "comprehensions",
    "containskeyword",
    "dataderef",
    "defaultkeyword",
    "disjunction",
    "elsekeyword",
    "embeddedvirtualdoc",
    "eqexpr",
    "evaltermexpr",
    "every",
    "example",
    "fix1863",
    "functionerrors",
    "functions",
    "helloworld",
    "indexing",
    "indirectreferences",
    "inputvalues",
    "invalidkeyerror",
    "keywordrefs",
    "negation",
    "nestedreferences",
    "partialdocconstants",
    "partialiter",
    "partialobjectdoc",
    "partialsetdoc",
    "planner-ir",
    "refheads",
    "sets",
    "stringinterpolation",
    "topdowndynamicdispatch",
    "type",
    "undos",
    "varreferences",
    "virtualdocs",
    "withkeyword",
];

/// Stack of the thread that evaluates, as the program's own workers have.
const STACK_BYTES: usize = 16 * 1024 * 1024;

#[test]
fn opa_compliance() {
    let Some(directory) = corpus("opa") else { return };
    let text = fs::read_to_string(directory.join("cases.jsonl")).unwrap();
    let cases: Vec<Case> = text.lines().map(|line| Case::read(line).unwrap()).collect();
    assert_eq!(cases.len(), 2064, "the number of cases");
    let run = || cases.iter().map(|case| (case, outcome(case))).collect::<Vec<_>>();
    let outcomes = thread::scope(|scope| {
        thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run).unwrap().join().unwrap()
    });
    let (language, builtins): (Vec<_>, Vec<_>) =
        outcomes.into_iter().partition(|(case, _)| LANGUAGE.contains(&case.group.as_str()));
    report(&language, &builtins);
    let outcomes = language.iter().chain(&builtins);
    let different: Vec<(&str, &String)> = outcomes
        .filter_map(|(case, outcome)| match outcome {
            Outcome::Different(how) => Some((case.note.as_str(), how)),
            _ => None,
        })
        .collect();
    println!("different: {}", different.len());
    different.iter().for_each(|(note, how)| println!("  {note}: {how}"));
    // What stays different is said, with the reason; and nothing else is said.
    let said = said();
    let notes: Vec<&str> = different.iter().map(|(note, _)| *note).collect();
    assert_eq!(
        notes,
        said.iter().map(String::as_str).collect::<Vec<_>>(),
        "docs/conformance.md says the latter"
    );
}

/// The cases that `docs/conformance.md` names as different: the first code span of each row of its last table.
fn said() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conformance.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}

/// Prints the numbers; with `MESHGATE_CONFORMANCE_REPORT`, writes each case that is not equal to that file.
fn report(language: &[(&Case, Outcome)], builtins: &[(&Case, Outcome)]) {
    for (name, outcomes) in [("language", language), ("builtins", builtins)] {
        let count = |wanted: fn(&Outcome) -> bool| outcomes.iter().filter(|(_, o)| wanted(o)).count();
        println!(
            "opa, {name}: {} run, {} equal, {} refused, {} different",
            outcomes.len(),
            count(|o| matches!(o, Outcome::Equal)),
            count(|o| matches!(o, Outcome::Refused { .. })),
            count(|o| matches!(o, Outcome::Different(_)))
        );
        let mut by_code: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, outcome) in outcomes {
            if let Outcome::Refused { code, .. } = outcome {
                let count = by_code.entry(code).or_default();
                *count = count.saturating_add(1);
            }
        }
        by_code.iter().for_each(|(code, count)| println!("  refused {count:4} by {code}"));
    }
    let Some(path) = env::var_os("MESHGATE_CONFORMANCE_REPORT") else { return };
    let line = |(case, outcome): &(&Case, Outcome)| match outcome {
        Outcome::Equal => None,
        Outcome::Refused { code, why } => Some(case.line("refused", &format!("{code}: {why}"))),
        Outcome::Different(how) => Some(case.line("different", how)),
    };
    let lines: Vec<String> = language.iter().chain(builtins).filter_map(line).collect();
    fs::write(path, lines.join("\n")).unwrap();
}
