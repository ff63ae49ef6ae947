//! What one policies' tree weakens and strengthens against another. Pure: two drafts in, changes out.
//!
//! Called by `cli`. What can't be told for sure is [`Verdict::Unknown`], never strengthened.

mod bindings;
mod exceptions;
mod images;
mod parameters;
mod policies;
mod settings;

use crate::policy::{Draft, Origin, PolicyId};

/// What a change does to what is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// More can be let in than before.
    Weakened,
    /// It can't be told.
    Unknown,
    /// Less can be let in than before.
    Strengthened,
}

/// One thing that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Change {
    /// What it does.
    pub verdict: Verdict,
    /// The kind of thing: `binding`, `policy`, `exception`, `image trust`, `tenant`, `bundle`.
    pub of: &'static str,
    /// Its name.
    pub name: String,
    /// What changed, and from what to what.
    pub what: String,
    /// Where it is written, in the new tree; in the old one where it is gone. Empty where that is not one place.
    pub at: String,
}

/// What is done to learn whether the Rego of a policy, which is not the same, lets in more or less.
pub type Ask<'a> = &'a dyn Fn(&PolicyId) -> Verdict;

/// All changes from `old` to `new`, the worst first. Both have passed the gate.
pub fn changes(old: &Draft, new: &Draft, ask: Ask<'_>) -> Vec<Change> {
    let mut found = Found(Vec::new());
    bindings::compare(old, new, &mut found);
    policies::compare(old, new, ask, &mut found);
    exceptions::compare(old, new, &mut found);
    settings::compare(old, new, &mut found);
    images::compare(old.image_trust.as_ref(), new.image_trust.as_ref(), &mut found);
    let Found(mut changes) = found;
    changes.sort();
    changes
}

struct Found(Vec<Change>);

/// A thing that is compared.
#[derive(Clone, Copy)]
struct Thing<'a> {
    of: &'static str,
    name: &'a str,
    origin: Option<&'a Origin>,
}

impl Found {
    fn add(&mut self, thing: Thing<'_>, verdict: Verdict, what: impl Into<String>) {
        let at = thing.origin.map(ToString::to_string).unwrap_or_default();
        self.0.push(Change { verdict, of: thing.of, name: thing.name.to_owned(), what: what.into(), at });
    }

    /// A value of an order in which more is stricter.
    fn ordered<T: PartialOrd + Copy>(
        &mut self,
        thing: Thing<'_>,
        member: &str,
        (old, new): (T, T),
        shown: impl Fn(T) -> String,
    ) {
        let verdict = match new.partial_cmp(&old) {
            Some(std::cmp::Ordering::Equal) => return,
            Some(std::cmp::Ordering::Less) => Verdict::Weakened,
            Some(std::cmp::Ordering::Greater) => Verdict::Strengthened,
            None => Verdict::Unknown,
        };
        self.add(thing, verdict, format!("{member}: {} → {}", shown(old), shown(new)));
    }

    /// Sets of which the larger one is stricter, or the smaller one.
    fn sets<T: Ord + ToString>(
        &mut self,
        thing: Thing<'_>,
        member: &str,
        (old, new): (&std::collections::BTreeSet<T>, &std::collections::BTreeSet<T>),
        more_is: Verdict,
    ) {
        let listed =
            |names: Vec<&T>| names.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (added, gone) =
            (new.difference(old).collect::<Vec<_>>(), old.difference(new).collect::<Vec<_>>());
        let less_is = match more_is {
            Verdict::Weakened => Verdict::Strengthened,
            Verdict::Strengthened => Verdict::Weakened,
            Verdict::Unknown => Verdict::Unknown,
        };
        if !added.is_empty() {
            self.add(thing, more_is, format!("{member}: {} added", listed(added)));
        }
        if !gone.is_empty() {
            self.add(thing, less_is, format!("{member}: {} removed", listed(gone)));
        }
    }

    /// A `match`.
    fn matches(&mut self, thing: Thing<'_>, (old, new): (&crate::policy::Match, &crate::policy::Match)) {
        let (verdict, what) = match (old.covers(new), new.covers(old)) {
            (true, true) => return,
            (true, false) => (Verdict::Weakened, "match: narrower"),
            (false, true) => (Verdict::Strengthened, "match: wider"),
            (false, false) => (Verdict::Unknown, "match: another, neither wider nor narrower"),
        };
        self.add(thing, verdict, what);
    }
}
