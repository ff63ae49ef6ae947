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
    // A file that only one of the two names is a change of an authority or a root, which is told already.
    for (file, content) in &new.contents {
        if old.contents.get(file).is_some_and(|other| other != content) {
            found.add(thing(file), Verdict::Unknown, "key or trust root: another content");
        }
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
    // With a rule fewer or more, an image can come under another one, or under none, of which `noMatch` decides.
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        found.add(thing(name), Verdict::Unknown, "rule: removed");
    }
    for (name, index) in &after {
        let Some(rule) = new.rules.get(*index) else { continue };
        let widened = if new.passes(rule) { Verdict::Weakened } else { Verdict::Unknown };
        let Some(other) = before.get(name).and_then(|index| old.rules.get(*index)) else {
            found.add(thing(name), widened, "rule: added");
            continue;
        };
        let patterns = |images: &[String]| images.iter().cloned().collect::<BTreeSet<String>>();
        let (was, is) = (patterns(&other.images), patterns(&rule.images));
        for (from, to, verdict, what) in
            [(&was, &is, widened, "added"), (&is, &was, Verdict::Unknown, "removed")]
        {
            for pattern in to.difference(from) {
                found.add(thing(name), verdict, format!("images: {pattern} {what}"));
            }
        }
        let rest = |rule: &TrustRule| TrustRule { images: Vec::new(), ..rule.clone() };
        if rest(rule) != rest(other) {
            found.add(thing(name), Verdict::Unknown, "rule: another demand");
        }
    }
}
