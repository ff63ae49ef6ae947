//! What came of a run.

use std::collections::BTreeMap;

use crate::answer::{Answer, Verdict};
use crate::cases::Case;
use crate::minimise::minimise;
use crate::{Programs, Shown};

/// Percent of the snippets that OPA evaluates and we may refuse to load.
const MOST_REFUSED: usize = 5;

#[derive(Default)]
pub(crate) struct Tally {
    verdicts: BTreeMap<Verdict, usize>,
    /// OPA's answers by kind.
    kinds: BTreeMap<&'static str, usize>,
    /// Why we refuse what OPA evaluates.
    refusals: BTreeMap<String, usize>,
    different: Vec<(u64, Shown)>,
}

impl Tally {
    pub(crate) fn add(&mut self, number: u64, compared: Shown) {
        *self.verdicts.entry(compared.verdict).or_default() += 1;
        *self.kinds.entry(compared.theirs.kind()).or_default() += 1;
        if let (Verdict::OnlyWeRefuse, Answer::Refused(why)) = (compared.verdict, &compared.ours) {
            *self.refusals.entry(reason(why)).or_default() += 1;
        }
        if compared.verdict.is_different() {
            self.different.push((number, compared));
        }
    }

    /// Prints the numbers and the differences; fails if there is one, or if too much is refused.
    pub(crate) fn finish(self, programs: &Programs, shown: usize) {
        let count: usize = self.verdicts.values().sum();
        let refused = self.verdicts.get(&Verdict::OnlyWeRefuse).copied().unwrap_or_default();
        println!("{count} snippets; OPA's answers: {:?}", self.kinds);
        println!("{:?}", self.verdicts);
        println!("refused, but not by OPA: {refused}, {:?}", self.refusals);
        let different = self.different.len();
        for (number, compared) in self.different.into_iter().take(shown) {
            show(number, &minimise(programs, compared));
        }
        assert_eq!(different, 0, "snippets that mean something else than in OPA");
        assert!(refused * 100 <= count * MOST_REFUSED, "{refused} of {count} snippets are refused");
        assert!(count < 1_000 || self.kinds.len() == 4, "not all kinds of answers: {:?}", self.kinds);
    }
}

/// The codes of a refusal, or the start of its text.
fn reason(why: &str) -> String {
    let codes: Vec<&str> =
        why.match_indices("MG").filter_map(|(index, _)| why.get(index..index + 5)).collect();
    match codes.first() {
        Some(code) => (*code).to_owned(),
        None => why.chars().take(60).collect(),
    }
}

fn show(number: u64, compared: &Shown) {
    println!("\n---- {number}: {:?}\n{}", compared.verdict, compared.snippet);
    println!("OPA      {:?}\nmeshgate {:?}", compared.theirs, compared.ours);
    println!("{}", Case::of(compared));
}

#[test]
fn a_reason_is_short() {
    assert_eq!(reason(r#"[{"code":"MG104","message":"MG105"}]"#), "MG104");
    assert_eq!(reason("no such builtin"), "no such builtin");
}
