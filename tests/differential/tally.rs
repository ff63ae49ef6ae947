//! What came of a run.

use std::collections::BTreeMap;

use crate::answer::{Answer, Verdict};
use crate::cases::Case;
use crate::minimise::minimise;
use crate::{Programs, Shown};

/// Percent of the snippets that OPA evaluates and we refuse to load, at most.
const MOST_REFUSED: usize = 5;

/// How many of a thousand snippets mean something else than in OPA, at most. The aim is none: what is left is said in
/// docs/conformance.md, and must not grow.
const MOST_DIFFERENT: usize = 5;

#[derive(Default)]
pub(crate) struct Tally {
    verdicts: BTreeMap<Verdict, usize>,
    /// OPA's answers by kind.
    kinds: BTreeMap<&'static str, usize>,
    /// What we refuse and OPA evaluates, by the reason.
    refusals: BTreeMap<String, Refusals>,
    different: Vec<(u64, Shown)>,
}

struct Refusals {
    count: usize,
    /// The first snippet and its number.
    first: (u64, Shown),
}

impl Tally {
    pub(crate) fn add(&mut self, number: u64, compared: Shown) {
        *self.verdicts.entry(compared.verdict).or_default() += 1;
        *self.kinds.entry(compared.theirs.kind()).or_default() += 1;
        if let (Verdict::OnlyWeRefuse, Answer::Refused(why)) = (compared.verdict, &compared.ours) {
            let refusals = self
                .refusals
                .entry(reason(why))
                .or_insert(Refusals { count: 0, first: (number, compared.clone()) });
            refusals.count += 1;
        }
        if compared.verdict.is_different() {
            self.different.push((number, compared));
        }
    }

    /// Prints the numbers and the differences; fails if there are more than there were, or if too much is refused.
    pub(crate) fn finish(mut self, programs: &Programs, shown: usize) {
        self.different.sort_by_key(|(number, compared)| (!compared.verdict.is_open(), *number));
        let count: usize = self.verdicts.values().sum();
        let refused = self.verdicts.get(&Verdict::OnlyWeRefuse).copied().unwrap_or_default();
        println!("{count} snippets; OPA's answers: {:?}", self.kinds);
        println!("{:?}", self.verdicts);
        println!("refused, but not by OPA: {refused}");
        for (reason, Refusals { count, first }) in &self.refusals {
            println!("{count:6} {reason} (first in {})", first.0);
        }
        // Too much is refused, or someone looks for what to do next.
        for Refusals { first: (number, compared), .. } in self.refusals.into_values().take(shown) {
            show(number, &minimise(programs, compared));
        }
        let different = self.different.len();
        let open = self.different.iter().filter(|(_, compared)| compared.verdict.is_open()).count();
        println!("numbers: {:?}", self.different.iter().map(|(number, _)| number).collect::<Vec<_>>());
        for (number, compared) in self.different.into_iter().take(shown) {
            show(number, &minimise(programs, compared));
        }
        println!("{different} of {count} snippets mean something else than in OPA, {open} of them no error");
        assert_eq!(open, 0, "what OPA denies could pass");
        assert!(different * 1_000 <= count * MOST_DIFFERENT, "more than {MOST_DIFFERENT} in a thousand");
        assert!(refused * 100 <= count * MOST_REFUSED, "{refused} of {count} snippets are refused");
        assert!(count < 1_000 || self.kinds.len() == 4, "not all kinds of answers: {:?}", self.kinds);
    }
}

/// What came of the mistakes in types.
#[derive(Default)]
pub(crate) struct Types {
    count: usize,
    /// Those that OPA refuses for their types alone, and those that it evaluates.
    refused: usize,
    evaluated: usize,
    /// Those that both refuse, but for what is in other lines.
    elsewhere: usize,
    different: Vec<(u64, Shown)>,
}

impl Types {
    pub(crate) fn add(&mut self, number: u64, compared: Shown) {
        self.count += 1;
        if compared.theirs.is_of_types() {
            self.refused += 1;
        } else if compared.theirs.kind() != "refused" {
            self.evaluated += 1;
        }
        let is_elsewhere = compared.theirs.is_of_types() && is_elsewhere(&compared);
        if is_elsewhere {
            self.elsewhere += 1;
        }
        if compared.verdict.is_of_types() || is_elsewhere {
            self.different.push((number, compared));
        }
    }

    /// Prints the numbers and the differences, of which there may be none.
    pub(crate) fn finish(self, programs: &Programs, shown: usize) {
        let Self { count, refused, evaluated, elsewhere, different } = self;
        println!("{count} snippets; OPA refuses {refused} for their types and evaluates {evaluated}");
        let of = |verdict: Verdict| different.iter().filter(|(_, shown)| shown.verdict == verdict).count();
        println!(
            "{} that only OPA refuses for their types, {} that only we do, {elsewhere} refused for other lines",
            of(Verdict::OnlyOpaKnowsTypes),
            of(Verdict::OnlyWeKnowTypes)
        );
        let number = different.len();
        for (number, compared) in different.into_iter().take(shown) {
            show(number, &minimise(programs, compared));
        }
        assert_eq!(number, 0, "of {count} snippets");
        assert!(count < 500 || refused * 5 > count && evaluated * 10 > count, "too few of one kind");
    }
}

/// Whether both refuse a snippet for the types in the rule that is asked for, but not in the same places.
fn is_elsewhere(compared: &Shown) -> bool {
    let text = compared.snippet.modules[0].text.to_string();
    let before = text.lines().position(|line| line == "out if {").unwrap();
    let places = |answer: &Answer| answer.places_of_types(before + 1);
    match (places(&compared.theirs), places(&compared.ours)) {
        (Some(theirs), Some(ours)) => theirs != ours,
        _ => false,
    }
}

/// Why the first fault is one: its code, or its text without what it names.
pub(crate) fn reason(why: &str) -> String {
    let faults: serde_json::Value = serde_json::from_str(why).unwrap_or_default();
    if let Some(code) = faults[0]["code"].as_str() {
        return code.to_owned();
    }
    let message = faults[0]["message"].as_str().unwrap_or(why);
    let parts = message.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part } else { "`…`" }).collect()
}

fn show(number: u64, compared: &Shown) {
    println!("\n---- {number}: {:?}\n{}", compared.verdict, compared.snippet);
    println!("OPA      {:?}\nmeshgate {:?}", compared.theirs, compared.ours);
    println!("{}", Case::of(compared));
}

#[test]
fn a_reason_is_the_same_for_other_names() {
    assert_eq!(reason(r#"[{"code":"MG104","message":"MG105"}]"#), "MG104");
    assert_eq!(reason(r#"[{"message":"`a` is not `b`"},{"message":"x"}]"#), "`…` is not `…`");
    assert_eq!(reason("no such builtin"), "no such builtin");
}
