//! Exceptions: who is let off, and until when.

use std::collections::BTreeMap;

use super::{Found, Thing, Verdict};
use crate::policy::{Draft, Exception, ExceptionScope};

pub(super) fn compare(old: &Draft, new: &Draft, found: &mut Found) {
    let by_name = |draft: &Draft| -> BTreeMap<String, Exception> {
        draft.exceptions.iter().map(|one| (one.name.clone(), one.clone())).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    for (name, one) in before.iter().filter(|(name, _)| !after.contains_key(*name)) {
        found.add(thing(name, one), Verdict::Strengthened, format!("of {}: removed", one.policy));
    }
    for (name, one) in &after {
        let thing = thing(name, one);
        match before.get(name) {
            None => {
                let what = format!("of {}, until {}, by {}: added", one.policy, one.expires, one.owner);
                found.add(thing, Verdict::Weakened, what);
            }
            Some(other) if other.policy != one.policy => {
                let what = format!("of another policy: {} → {}", other.policy, one.policy);
                found.add(thing, Verdict::Weakened, what);
            }
            Some(other) => one_of_both(thing, other, one, found),
        }
    }
}

fn one_of_both(thing: Thing<'_>, old: &Exception, new: &Exception, found: &mut Found) {
    let until = format!("expires: {} → {}", old.expires, new.expires);
    if new.ends_after(old) {
        found.add(thing, Verdict::Weakened, until);
    } else if old.ends_after(new) {
        found.add(thing, Verdict::Strengthened, until);
    }
    found.sets(thing, "controls", (&old.controls, &new.controls), Verdict::Weakened);
    let (before, after) = (&old.scope, &new.scope);
    match (is_within(before, after), is_within(after, before)) {
        (true, true) => {}
        (true, false) => found.add(thing, Verdict::Weakened, "match: wider"),
        (false, true) => found.add(thing, Verdict::Strengthened, "match: narrower"),
        (false, false) => found.add(thing, Verdict::Unknown, "match: another, neither wider nor narrower"),
    }
    if before.containers != after.containers {
        found.add(thing, Verdict::Unknown, "containers: others, or other images of them");
    }
    let tenant = |one: &Exception| one.tenant.as_ref().map(|tenant| tenant.name.clone());
    if tenant(old) != tenant(new) {
        found.add(thing, Verdict::Unknown, "of another sub-tree");
    }
}

/// Whether all objects that `narrow` means are meant by `wide`.
fn is_within(narrow: &ExceptionScope, wide: &ExceptionScope) -> bool {
    let is_free = |wide: &Option<String>, narrow: &Option<String>| wide.is_none() || wide == narrow;
    is_free(&wide.namespace, &narrow.namespace)
        && is_free(&wide.name, &narrow.name)
        && wide.labels.iter().all(|(key, value)| narrow.labels.get(key) == Some(value))
}

fn thing<'a>(name: &'a str, one: &'a Exception) -> Thing<'a> {
    Thing { of: "exception", name, origin: Some(&one.origin) }
}
