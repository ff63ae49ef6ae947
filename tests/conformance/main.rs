//! Conformance: data whose results other implementations computed. It lies beside the project, not in it: the
//! directory is `MESHGATE_CONFORMANCE`, else `../shared/conformance`. Every test prints how many cases it ran and how
//! many came out equal and different. Without the data they are left out, which CI does not accept.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]

mod istio;
mod opa;
mod pod_security;
mod policy_controller;
mod quantity;
mod sigstore;

use std::{env, fmt::Display, path::PathBuf};

/// A directory of the data; none if there is no such directory, which is then said.
fn corpus(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let directory = env::var_os("MESHGATE_CONFORMANCE").map_or_else(beside, PathBuf::from).join(name);
    if directory.is_dir() {
        return Some(directory);
    }
    println!("left out: there is no {}; set MESHGATE_CONFORMANCE", directory.display());
    assert!(env::var_os("CI").is_none(), "CI needs the conformance data");
    None
}

/// What came of a set of cases.
struct Tally {
    name: &'static str,
    equal: usize,
    different: Vec<String>,
}

impl Tally {
    fn new(name: &'static str) -> Self {
        Self { name, equal: 0, different: Vec::new() }
    }

    /// Counts a case; where ours is another than theirs, it is shown at the end.
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, case: impl Display, ours: T, theirs: T) {
        if ours == theirs {
            self.equal = self.equal.saturating_add(1);
        } else {
            self.different.push(format!("{case}: ours {ours:?}, theirs {theirs:?}"));
        }
    }

    /// Prints the numbers. Fails if a case is different, or if there were not as many cases as are known to be.
    fn finish(self, expected: usize) {
        let run = self.equal.saturating_add(self.different.len());
        println!("{}: {run} run, {} equal, {} different", self.name, self.equal, self.different.len());
        assert!(self.different.is_empty(), "{}:\n{}", self.name, self.different.join("\n"));
        assert_eq!(run, expected, "{}: the number of cases", self.name);
    }
}
