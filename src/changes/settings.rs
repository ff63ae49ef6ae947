//! What holds for a whole tree: modes, how long exceptions may last, tenants, meshes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use time::Duration;

use super::{Found, Thing, Verdict};
use crate::policy::{Draft, Mode, Tenant};

pub(super) fn compare(old: &Draft, new: &Draft, found: &mut Found) {
    let thing = Thing { of: "bundle", name: &new.settings.name, origin: None };
    let (before, after) = (&old.settings, &new.settings);
    found.ordered(thing, "defaultMode", (before.default_mode, after.default_mode), shown_mode);
    expiry(thing, (before.max_expiry, after.max_expiry), found);
    let shown = |required: bool| required.to_string();
    found.ordered(thing, "tests.required", (before.tests_required, after.tests_required), shown);
    if before.pod_templates != after.pod_templates {
        found.add(thing, Verdict::Unknown, "podTemplates: others");
    }
    if format!("{:?}", old.meshes) != format!("{:?}", new.meshes) {
        found.add(thing, Verdict::Unknown, "MeshSettings: others");
    }
    tenants(&before.tenants, &after.tenants, found);
}

fn tenants(old: &[Arc<Tenant>], new: &[Arc<Tenant>], found: &mut Found) {
    let by_name = |tenants: &[Arc<Tenant>]| -> BTreeMap<String, Arc<Tenant>> {
        tenants.iter().map(|tenant| (tenant.name.clone(), Arc::clone(tenant))).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    let thing = |name| Thing { of: "tenant", name, origin: None };
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        found.add(thing(name), Verdict::Unknown, "removed; what lies in its folder is the platform's");
    }
    for (name, tenant) in &after {
        match before.get(name) {
            None => found.add(thing(name), Verdict::Unknown, "added; what lies in its folder is its own"),
            Some(other) => one(thing(name), other, tenant, found),
        }
    }
}

fn one(thing: Thing<'_>, old: &Tenant, new: &Tenant, found: &mut Found) {
    found.sets(thing, "namespaces", (&old.namespaces, &new.namespaces), Verdict::Weakened);
    found.ordered(thing, "ceiling", (old.ceiling, new.ceiling), shown_mode);
    let policies = |tenant: &Tenant| tenant.may_except.iter().cloned().collect::<BTreeSet<String>>();
    found.sets(thing, "mayExcept", (&policies(old), &policies(new)), Verdict::Weakened);
    let shown = |may_not: bool| (!may_not).to_string();
    found.ordered(thing, "mayMutate", (!old.may_mutate, !new.may_mutate), shown);
    expiry(thing, (Some(old.max_expiry), Some(new.max_expiry)), found);
    if old.path != new.path {
        found.add(thing, Verdict::Unknown, format!("path: {} → {}", old.path, new.path));
    }
}

/// The longer exceptions may last, the weaker; None is for ever.
fn expiry(thing: Thing<'_>, (old, new): (Option<Duration>, Option<Duration>), found: &mut Found) {
    let shown = |longest: Option<Duration>| match longest {
        Some(longest) => format!("{}h", longest.whole_hours()),
        None => "none".to_owned(),
    };
    let length = |longest: Option<Duration>| longest.unwrap_or(Duration::MAX);
    let what = || format!("maxExpiry: {} → {}", shown(old), shown(new));
    if length(new) > length(old) {
        found.add(thing, Verdict::Weakened, what());
    } else if length(new) < length(old) {
        found.add(thing, Verdict::Strengthened, what());
    }
}

fn shown_mode(mode: Mode) -> String {
    mode.as_str().to_owned()
}
