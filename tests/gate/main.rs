//! The gate: for each code, modules that it refuses and where, and others, near to them, that it lets pass. The real
//! `opa check` says the same of all of them, but for what only meshgate refuses.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "what is left out is said")]

mod cases;
mod command;
mod cost;
mod opa;
mod pages;
mod trees;

use cases::{Case, PASSED, REFUSED};
use meshgate::engine::{Program, ProgramSettings, RegoVersion};
use meshgate::policy::{Fault, Module};

/// The modules of a text: parted by lines of `---`.
fn modules(text: &str) -> Vec<Module> {
    let parts = text.split("\n---\n").enumerate();
    parts.map(|(number, text)| Module { path: format!("{number}.rego"), text: text.to_owned() }).collect()
}

/// What is wrong with a case's modules.
fn faults(case: &Case) -> Vec<Fault> {
    let version = if case.v0 { RegoVersion::V0 } else { RegoVersion::V1 };
    let settings = ProgramSettings { version, ..ProgramSettings::default() };
    match Program::load(&modules(case.text), &settings) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.iter().cloned().collect(),
    }
}

#[test]
fn each_fault_is_found_at_its_place() {
    let wrong: Vec<String> = REFUSED
        .iter()
        .filter_map(|case| {
            let found: Vec<String> = faults(case)
                .iter()
                .map(|fault| {
                    format!(
                        "{} {}:{}:{}",
                        fault.code.unwrap_or_default(),
                        fault.file,
                        fault.line,
                        fault.column
                    )
                })
                .collect();
            (found != case.expected)
                .then(|| format!("{}\n  found {found:?}\n  expected {:?}\n", case.text, case.expected))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_near_to_a_fault_passes() {
    let wrong: Vec<String> = PASSED
        .iter()
        .filter_map(|case| {
            let found = faults(case);
            let lines: Vec<String> = found.iter().map(Fault::to_string).collect();
            (!found.is_empty()).then(|| format!("{}\n  {}\n", case.text, lines.join("\n  ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_faults_of_all_modules_come_at_once() {
    let case = Case::v1(
        "package a\np if x\nq if f(1)\n---\npackage b\np := 1\np contains 2\n---\npackage c\np :=\n",
        &[],
    );
    let codes: Vec<&str> = faults(&case).iter().filter_map(|fault| fault.code).collect();
    assert_eq!(codes, ["MG111", "MG103", "MG112", "MG100"]);
}

#[test]
fn every_fault_says_what_to_do() {
    let silent: Vec<String> = REFUSED
        .iter()
        .flat_map(faults)
        .filter(|fault| fault.parts().1.is_none() || fault.code.is_none() || fault.length == 0)
        .map(|fault| fault.to_string())
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn opa_says_the_same() {
    let Some(opa) = opa::Opa::find() else { return };
    let refused = REFUSED.iter().map(|case| (case, case.opa_too));
    let all = refused.chain(PASSED.iter().map(|case| (case, false)));
    let wrong: Vec<String> = all
        .filter_map(|(case, expected)| {
            let answer = opa.check(&modules(case.text), case.v0);
            (answer.is_err() != expected).then(|| format!("{}\n  OPA: {answer:?}\n", case.text))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
