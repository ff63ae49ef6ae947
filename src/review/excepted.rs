//! The exceptions that cover an object: which containers they take out of a policy's view before it is asked, and which
//! of its violations they excuse afterwards. Each unit is excused by one exception, wholly (R27).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::decision::Finding;
use super::knowledge::object;
use super::matched::Matched;
use crate::admission::Request;
use crate::context::{Fact, Now};
use crate::engine::{Bound, Bundle, Exempt};
use crate::kubernetes::containers;
use crate::policy::Exception;

/// An exception that covers the object, and is in force.
pub(super) struct Excepted<'a> {
    exception: &'a Exception,
    /// The containers of the object that it is for.
    containers: BTreeSet<String>,
}

/// A container that a policy does not see under one of its controls.
pub(super) struct Exemption<'a> {
    pub(super) control: &'a str,
    pub(super) container: String,
    pub(super) exception: &'a Exception,
}

/// The exceptions that cover the object of a request at that moment, in the order of their names.
pub(super) fn excepted<'a>(bundle: &'a Bundle, request: &Request, now: Now) -> Vec<Excepted<'a>> {
    let object = object(request);
    let mut covering =
        bundle.exceptions.iter().filter(|one| one.is_in_force(now) && one.covers(request, object)).peekable();
    if covering.peek().is_none() {
        return Vec::new();
    }
    let (kind, templates) = (request.kind(), &bundle.settings.pod_templates);
    // A view that can't be computed has no container that could be let off.
    let view = object.and_then(|object| containers::fact(templates, &kind.group, &kind.kind, object).ok());
    let view = view.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let one = |exception: &'a Exception| {
        let containers = named(exception, view);
        let is_for_it = exception.containers.is_empty() || !containers.is_empty();
        is_for_it.then_some(Excepted { exception, containers })
    };
    covering.filter_map(one).collect()
}

/// The names of the containers that an exception is for. One name can stand for several containers where nobody has
/// judged the object yet: then all have to fit.
fn named(exception: &Exception, view: &[Value]) -> BTreeSet<String> {
    let fits = |container: &Value| exception.containers.iter().any(|one| one.covers(container));
    let name = |container: &Value| container.get("name").and_then(Value::as_str).map(str::to_owned);
    let others: BTreeSet<String> = view.iter().filter(|one| !fits(one)).filter_map(name).collect();
    view.iter().filter(|one| fits(one)).filter_map(name).filter(|name| !others.contains(name)).collect()
}

/// The containers that a binding does not see. A unit that several exceptions are for is the first one's.
pub(super) fn exemptions<'a>(excepted: &[Excepted<'a>], bound: &Bound) -> Vec<Exemption<'a>> {
    let mut units: BTreeMap<(&'a str, &str), &'a Exception> = BTreeMap::new();
    for Excepted { exception, containers } in excepted.iter().filter(|one| concerns(one.exception, bound)) {
        let exception: &'a Exception = exception;
        for control in &exception.controls {
            for container in containers {
                units.entry((control, container)).or_insert(exception);
            }
        }
    }
    let exemption = |((control, container), exception): ((&'a str, &str), &'a Exception)| Exemption {
        control,
        container: container.to_owned(),
        exception,
    };
    units.into_iter().map(exemption).collect()
}

/// What the bindings do not see, by their places.
pub(super) fn exempt<'e>(
    excepted: &'e [Excepted<'_>],
    bound: impl Iterator<Item = &'e Bound> + 'e,
) -> impl Iterator<Item = (usize, Exempt)> + 'e {
    bound.map(|one| {
        let mut exempt = Exempt::new();
        for Exemption { control, container, .. } in exemptions(excepted, one) {
            exempt.entry(control.to_owned()).or_default().insert(container);
        }
        (one.place(), exempt)
    })
}

/// Of bindings that only change objects, what they do not see; of others that is said where they judge.
pub(super) fn taken_out(excepted: &[Excepted<'_>], matched: &[Matched<'_>]) -> Vec<Finding> {
    let only_change = matched.iter().filter(|one| !one.bound.judges());
    let units = |one: &Matched<'_>| -> Vec<Finding> {
        exemptions(excepted, one.bound).iter().map(|unit| Finding::exemption(one, unit)).collect()
    };
    only_change.flat_map(units).collect()
}

/// The exception that excuses the violations of a binding, if there is one.
pub(super) fn excuse<'a>(excepted: &[Excepted<'a>], bound: &Bound) -> Option<&'a Exception> {
    let is_whole = |one: &&Excepted<'_>| one.exception.containers.is_empty();
    excepted.iter().filter(is_whole).map(|one| one.exception).find(|exception| concerns(exception, bound))
}

/// The fact `exceptions`: `[{name, policy, controls, containers, owner, reason, expires}]`; `containers` is null where
/// whole violations are excused.
pub(super) fn fact(excepted: &[Excepted<'_>]) -> Fact {
    let one = |Excepted { exception, containers }: &Excepted<'_>| {
        let containers = (!exception.containers.is_empty()).then_some(containers);
        json!({
            "name": exception.name, "policy": exception.policy.as_str(), "controls": exception.controls,
            "containers": containers, "owner": exception.owner, "reason": exception.reason,
            "expires": exception.expires,
        })
    };
    Fact::Known(excepted.iter().map(one).collect())
}

fn concerns(exception: &Exception, bound: &Bound) -> bool {
    exception.concerns(&bound.policy.id, bound.binding.tenant.as_deref())
}
