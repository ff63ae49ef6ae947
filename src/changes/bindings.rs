//! Bindings: what is in force, how hard, and on what.

use std::collections::BTreeMap;

use super::{Found, Thing, Verdict, parameters};
use crate::policy::{Binding, Draft, Enforcement, Templates};

pub(super) fn compare(old: &Draft, new: &Draft, found: &mut Found) {
    let (before, after) = (by_name(old), by_name(new));
    for (name, binding) in &before {
        if !after.contains_key(name) {
            found.add(thing(name, binding), Verdict::Weakened, "removed");
        }
    }
    for (name, binding) in &after {
        let thing = thing(name, binding);
        match before.get(name) {
            None => found.add(thing, Verdict::Strengthened, "added"),
            Some(other) => one(thing, other, binding, new, found),
        }
    }
}

fn one(thing: Thing<'_>, old: &Binding, new: &Binding, draft: &Draft, found: &mut Found) {
    let (before, after) = (old.enforcement, new.enforcement);
    match (rank(before), rank(after)) {
        (Some(rank_before), Some(rank_after)) => {
            let shown = |rank| word(if rank == rank_before { before } else { after }).to_owned();
            found.ordered(thing, "enforcement", (rank_before, rank_after), shown);
        }
        _ if before == after => {}
        _ => {
            let what = format!("enforcement: {} → {}", word(before), word(after));
            found.add(thing, Verdict::Unknown, what);
        }
    }
    let templates =
        |one: u8| ["off", "warn", "deny"].get(usize::from(one)).copied().unwrap_or_default().to_owned();
    found.ordered(thing, "templates", (strictness(old.templates), strictness(new.templates)), templates);
    found.matches(thing, (&old.matches, &new.matches));
    let tenant = |binding: &Binding| binding.tenant.as_ref().map(|tenant| tenant.name.clone());
    if tenant(old) != tenant(new) {
        found.add(thing, Verdict::Unknown, "of another sub-tree");
    }
    if let Some(policy) = draft.policies.get(&new.policy) {
        let schema = policy.metadata.parameters.schema();
        parameters::compare(thing, schema, (&old.parameters, &new.parameters), found);
    }
}

fn by_name(draft: &Draft) -> BTreeMap<String, &Binding> {
    draft.bindings.iter().map(|binding| (format!("{} ({})", binding.name, binding.policy), binding)).collect()
}

fn thing<'a>(name: &'a str, binding: &'a Binding) -> Thing<'a> {
    Thing { of: "binding", name, origin: Some(&binding.origin) }
}

/// None: what the namespace says.
fn rank(enforcement: Enforcement) -> Option<u8> {
    match enforcement {
        Enforcement::Audit => Some(0),
        Enforcement::Warn => Some(1),
        Enforcement::Deny => Some(2),
        Enforcement::Namespace => None,
    }
}

fn word(enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::Audit => "audit",
        Enforcement::Warn => "warn",
        Enforcement::Deny => "deny",
        Enforcement::Namespace => "namespace",
    }
}

fn strictness(templates: Templates) -> u8 {
    match templates {
        Templates::Off => 0,
        Templates::Warn => 1,
        Templates::Deny => 2,
    }
}
