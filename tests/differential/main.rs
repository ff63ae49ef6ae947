//! A policy means what it means in OPA: generated modules and inputs, and fixed ones, are given to both.
//!
//! `MESHGATE_DIFFERENTIAL=SEED:COUNT` runs so many snippets, of the numbers from SEED on; with `:SHOWN` behind it, so
//! many differences are made small and shown. `MESHGATE_DIFFERENTIAL_TYPES` does so for the mistakes in types. A snippet that is shown names its number: `NUMBER:1` is that one alone.
#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]

mod answer;
mod cases;
mod generate;
mod minimise;
mod mistakes;
mod programs;
mod random;
mod snippet;
mod tally;
mod tree;

use answer::{Answer, Verdict};
use programs::Program;
use snippet::Snippet;
use tally::{Tally, Types};

/// How many are asked for at once; both programs then work at the same time.
const AT_ONCE: u64 = 250;

/// OPA and ours.
pub(crate) struct Programs {
    opa: Program,
    meshgate: Program,
}

/// A snippet with what the two say of it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) snippet: Snippet,
    pub(crate) theirs: Answer,
    pub(crate) ours: Answer,
    pub(crate) verdict: Verdict,
}

impl Programs {
    /// None where there is no OPA to compare with.
    pub(crate) fn find() -> Option<Self> {
        Program::opa().map(|opa| Self { opa, meshgate: Program::meshgate() })
    }

    pub(crate) fn compare(&self, snippets: &[Snippet]) -> Vec<Shown> {
        let lines: Vec<String> = snippets.iter().map(Snippet::line).collect();
        let (theirs, ours) = std::thread::scope(|scope| {
            let theirs = scope.spawn(|| self.opa.ask(&lines));
            let ours = self.meshgate.ask(&lines);
            (theirs.join().unwrap(), ours)
        });
        let answers = theirs.into_iter().zip(ours);
        snippets
            .iter()
            .zip(answers)
            .map(|(snippet, (theirs, ours))| {
                let verdict = theirs.compare(&ours);
                Shown { snippet: snippet.clone(), theirs, ours, verdict }
            })
            .collect()
    }
}

#[test]
fn generated_snippets_mean_the_same() {
    let Some(programs) = Programs::find() else { return };
    let (seed, count, shown) = range(std::env::var("MESHGATE_DIFFERENTIAL").ok().as_deref());
    let mut tally = Tally::default();
    let mut first = seed;
    while first < seed + count {
        let numbers: Vec<u64> = (first..(first + AT_ONCE).min(seed + count)).collect();
        let snippets: Vec<Snippet> = numbers.iter().map(|number| generate::snippet(*number)).collect();
        for (number, compared) in numbers.iter().zip(programs.compare(&snippets)) {
            tally.add(*number, compared);
        }
        first += AT_ONCE;
    }
    tally.finish(&programs, shown);
}

#[test]
fn what_opa_knows_of_types_is_known() {
    let Some(programs) = Programs::find() else { return };
    let (seed, count, shown) = range(std::env::var("MESHGATE_DIFFERENTIAL_TYPES").ok().as_deref());
    let mut tally = Types::default();
    let mut first = seed;
    while first < seed + count {
        let numbers: Vec<u64> = (first..(first + AT_ONCE).min(seed + count)).collect();
        let snippets: Vec<Snippet> = numbers.iter().map(|number| mistakes::snippet(*number)).collect();
        for (number, compared) in numbers.iter().zip(programs.compare(&snippets)) {
            tally.add(*number, compared);
        }
        first += AT_ONCE;
    }
    tally.finish(&programs, shown);
}

/// The first number, how many, and how many differences to show.
fn range(text: Option<&str>) -> (u64, u64, usize) {
    let parts = text.unwrap_or("1:1500").split(':').map(|part| part.parse::<u64>());
    match parts.collect::<Result<Vec<_>, _>>().as_deref() {
        Ok([seed, count]) => (*seed, *count, 10),
        Ok([seed, count, shown]) => (*seed, *count, usize::try_from(*shown).unwrap()),
        _ => panic!("MESHGATE_DIFFERENTIAL is SEED:COUNT or SEED:COUNT:SHOWN"),
    }
}

#[test]
fn a_range_is_read() {
    assert_eq!(range(None), (1, 1_500, 10));
    assert_eq!(range(Some("7:20000")), (7, 20_000, 10));
    assert_eq!(range(Some("7:20000:100")), (7, 20_000, 100));
}
