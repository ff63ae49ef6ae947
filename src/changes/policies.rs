//! Policies that are bound in both trees: their promises, and their Rego.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ask, Found, Thing, Verdict};
use crate::engine::canonical;
use crate::policy::{Draft, FailurePolicy, Module, Policy, PolicyId};

pub(super) fn compare(old: &Draft, new: &Draft, ask: Ask<'_>, found: &mut Found) {
    let changed = changed_libraries(old, new);
    for (id, policy) in &new.policies {
        let Some(before) = old.policies.get(id).filter(|_| is_bound(old, id) && is_bound(new, id)) else {
            continue;
        };
        let thing = Thing { of: "policy", name: id.as_str(), origin: None };
        promises(thing, before, policy, found);
        let is_same = canonical(&before.module) == canonical(&policy.module);
        if is_same && !changed.iter().any(|name| policy.module.text.contains(name.as_str())) {
            continue;
        }
        let verdict = ask(id);
        let what = match verdict {
            Verdict::Weakened => "Rego: another; of the examples, some are let in that were not",
            Verdict::Strengthened => "Rego: another; of the examples, some are kept out that were not",
            Verdict::Unknown => "Rego: another; the examples don't tell whether it lets in more or less",
        };
        found.add(thing, verdict, what);
    }
}

/// The names of libraries that are not the same, and of those that could read one of them.
fn changed_libraries(old: &Draft, new: &Draft) -> BTreeSet<String> {
    let (before, after) = (canonical_of(&old.libraries), canonical_of(&new.libraries));
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs = |path: &&&String| before.get(**path) != after.get(**path);
    let mut changed: BTreeSet<String> =
        paths.iter().filter(differs).filter_map(|path| library(path)).collect();
    loop {
        let reads = |text: &str| changed.iter().any(|name| text.contains(name.as_str()));
        let readers = after.iter().filter(|(_, text)| text.as_deref().is_none_or(reads));
        let more: BTreeSet<String> = readers.filter_map(|(path, _)| library(path)).collect();
        if more.is_subset(&changed) {
            return changed;
        }
        changed.extend(more);
    }
}

/// `lib/containers/containers.rego` is `containers` to those who import it.
fn library(path: &str) -> Option<String> {
    path.strip_prefix("lib/")?.split('/').next().map(str::to_owned)
}

fn promises(thing: Thing<'_>, old: &Policy, new: &Policy, found: &mut Found) {
    let (before, after) = (&old.metadata, &new.metadata);
    let fails = |policy: &Policy| policy.metadata.failure_policy == FailurePolicy::Fail;
    let shown = |fails: bool| if fails { "Fail" } else { "Ignore" }.to_owned();
    found.ordered(thing, "failurePolicy", (fails(old), fails(new)), shown);
    let words = |policy: &Policy| -> BTreeSet<&'static str> {
        policy.metadata.may_change.iter().map(|field| field.as_str()).collect()
    };
    found.sets(thing, "mayChange", (&words(old), &words(new)), Verdict::Weakened);
    found.matches(thing, (&before.matches, &after.matches));
}

fn canonical_of(modules: &[Module]) -> BTreeMap<String, Option<String>> {
    modules.iter().map(|module| (module.path.clone(), canonical(module))).collect()
}

fn is_bound(draft: &Draft, policy: &PolicyId) -> bool {
    draft.bindings.iter().any(|binding| binding.policy == *policy)
}
