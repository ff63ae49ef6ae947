//! Whom images are trusted from.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Thing, Verdict};
use crate::policy::{ImageTrust, TrustRule};

pub(super) fn compare(old: Option<&ImageTrust>, new: Option<&ImageTrust>, found: &mut Found) {
    let none = ImageTrust::default();
    let (old, new) = (old.unwrap_or(&none), new.unwrap_or(&none));
    let thing = |name| Thing { of: "image trust", name, origin: None };
    for (name, authority) in &new.authorities {
        match old.authorities.get(name) {
            None => found.add(thing(name), Verdict::Weakened, "authority: added"),
            Some(other) if other != authority => {
                found.add(thing(name), Verdict::Unknown, "authority: other keys, identities or demands");
            }
            Some(_) => {}
        }
    }
    for name in old.authorities.keys().filter(|name| !new.authorities.contains_key(*name)) {
        found.add(thing(name), Verdict::Strengthened, "authority: removed");
    }
    if old.trust_roots != new.trust_roots {
        found.add(thing("trustRoots"), Verdict::Unknown, "other roots");
    }
    if old.unchanged != new.unchanged {
        found.add(thing("unchanged"), Verdict::Unknown, "what becomes of images that stay is another thing");
    }
    rules(old, new, found);
}

fn rules(old: &ImageTrust, new: &ImageTrust, found: &mut Found) {
    let by_name = |trust: &ImageTrust| -> BTreeMap<String, usize> {
        trust.rules.iter().enumerate().map(|(index, rule)| (rule.name.clone(), index)).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    let thing = |name| Thing { of: "image trust", name, origin: None };
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        found.add(thing(name), Verdict::Weakened, "rule: removed");
    }
    for (name, index) in &after {
        let Some(rule) = new.rules.get(*index) else { continue };
        let Some(other) = before.get(name).and_then(|index| old.rules.get(*index)) else {
            found.add(thing(name), Verdict::Strengthened, "rule: added");
            continue;
        };
        let patterns = |images: &[String]| images.iter().cloned().collect::<BTreeSet<String>>();
        found.sets(
            thing(name),
            "images",
            (&patterns(&other.images), &patterns(&rule.images)),
            Verdict::Strengthened,
        );
        let rest = |rule: &TrustRule| TrustRule { images: Vec::new(), ..rule.clone() };
        if rest(rule) != rest(other) {
            found.add(thing(name), Verdict::Unknown, "rule: another demand");
        }
    }
}
