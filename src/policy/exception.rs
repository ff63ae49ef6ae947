//! The file kind `PolicyException`: lets named objects, or named containers of them, off a policy until a moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};
use time::Duration;

use super::exempted::{ContainerFields, Exempted};
use super::fault::Fault;
use super::id::PolicyId;
use super::near::remedy;
use super::origin::Origin;
use super::rego::{Policy, Rego};
use super::settings::BundleSettings;
use super::shape::{Member, members};
use super::tenant::Tenant;
use super::written::Written;
use crate::admission::Request;
use crate::context::Now;
use crate::kubernetes::pattern::Pattern;

/// An exception from a policy. It excuses a unit wholly or not at all: (policy, control, container) where it names
/// containers, else a whole violation (R27).
#[derive(Clone, Debug)]
pub struct Exception {
    /// `metadata.name`; unique.
    pub name: String,
    /// The policy.
    pub policy: PolicyId,
    /// The controls of the policy from which containers are taken out.
    pub controls: BTreeSet<String>,
    /// The containers that it is for; none: whole violations.
    pub containers: Vec<Exempted>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// When it ends, as it is written.
    pub expires: String,
    /// Whose it is; None: the platform's.
    pub tenant: Option<Arc<Tenant>>,
    /// Where it is written.
    pub origin: Origin,
    /// The objects, the containers and the controls that it is for, as it is written.
    pub scope: ExceptionScope,
    matches: Objects,
    ends: Now,
    /// Where its end is written.
    ends_at: (usize, usize),
    /// How long before its end it can be in force at the most.
    longest: Option<Duration>,
}

/// What an exception is for, as it is written. What is absent means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionScope {
    /// The namespace.
    pub namespace: Option<String>,
    /// The pattern of the object's name.
    pub name: Option<String>,
    /// Labels that the object has.
    pub labels: BTreeMap<String, String>,
    /// Containers: name, and the pattern or the digest of the image.
    pub containers: BTreeSet<(String, String)>,
}

/// The objects that are meant. What is absent means all.
#[derive(Clone, Debug, Default)]
struct Objects {
    namespace: Option<String>,
    name: Option<Pattern>,
    labels: BTreeMap<String, String>,
}

/// `spec` of the kind. What has to be there is optional here, so that all that is missing is said at once.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ExceptionFields {
    policy: Option<String>,
    controls: Option<Vec<String>>,
    #[serde(rename = "match")]
    matches: ObjectFields,
    containers: Option<Vec<ContainerFields>>,
    owner: Option<String>,
    reason: Option<String>,
    expires: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ObjectFields {
    namespace: Option<String>,
    name: Option<String>,
    labels: BTreeMap<String, String>,
}

impl ExceptionFields {
    fn scope(&self) -> ExceptionScope {
        let ObjectFields { namespace, name, labels } = self.matches.clone();
        let containers = self.containers.iter().flatten().map(ContainerFields::written).collect();
        ExceptionScope { namespace, name, labels, containers }
    }
}

impl Exception {
    /// Whether it counts at that moment. One function for everybody who asks (R28). That it lasts longer than it may is
    /// a fault where the time is known, and in any case it counts no earlier than it may.
    pub fn is_in_force(&self, now: Now) -> bool {
        now < self.ends && self.longest.is_none_or(|longest| !self.ends.is_later_than(now, longest))
    }

    /// Whether the object of a request is meant: `object` is the new one, or the old one where there is no other.
    pub fn covers(&self, request: &Request, object: Option<&Value>) -> bool {
        let metadata = |member: &str| object.and_then(|object| object.get("metadata")?.get(member));
        let Objects { namespace, name, labels } = &self.matches;
        let in_namespace =
            |wanted: &String| !request.is_about_a_namespace() && request.namespace() == Some(wanted.as_str());
        let text = |member: &str| metadata(member).and_then(Value::as_str).filter(|text| !text.is_empty());
        let is_named = |pattern: &Pattern| match request.name().or_else(|| text("name")) {
            Some(name) => pattern.matches(name),
            None => text("generateName").is_some_and(|prefix| pattern.matches_all_with(prefix)),
        };
        let own = metadata("labels").and_then(Value::as_object);
        let has = |(key, value): (&String, &String)| {
            own.and_then(|own: &Map<String, Value>| own.get(key)?.as_str()) == Some(value.as_str())
        };
        namespace.as_ref().is_none_or(in_namespace)
            && name.as_ref().is_none_or(is_named)
            && labels.iter().all(has)
            && self.tenant.as_ref().is_none_or(|tenant| tenant.covers(request))
    }

    /// Whether it ends later than another.
    pub fn ends_after(&self, other: &Self) -> bool {
        other.ends < self.ends
    }

    /// Whether it is for bindings of that owner: a tenant's for its own and the platform's, the platform's for all.
    pub fn concerns(&self, policy: &PolicyId, tenant: Option<&Tenant>) -> bool {
        let is_foreign = match (&self.tenant, tenant) {
            (Some(own), Some(other)) => own.name != other.name,
            _ => false,
        };
        self.policy == *policy && !is_foreign
    }

    /// The fault of one that would last longer than it may, seen from that moment.
    pub(super) fn too_long(&self, now: Now) -> Option<Fault> {
        let longest = self.longest.filter(|longest| self.ends.is_later_than(now, *longest))?;
        let (days, hours) = (longest.whole_days(), longest.whole_hours());
        let longest = if hours == days.saturating_mul(24) { format!("{days}d") } else { format!("{hours}h") };
        let message = format!(
            "spec.expires: {} is more than {longest} ahead, the longest that an exception may last here; end it earlier",
            self.expires
        );
        Some(Fault::new(&self.origin.file, self.ends_at, message))
    }
}

/// The exceptions of all documents of the kind, sorted by name.
pub(super) fn read(
    documents: &[&Written],
    settings: &BundleSettings,
    rego: &Rego,
    faults: &mut Vec<Fault>,
) -> Vec<Exception> {
    let mut exceptions: Vec<Exception> = Vec::new();
    let mut names = BTreeSet::new();
    for written in documents {
        if !names.insert(&written.name) {
            let message = format!("a second exception `{}`; names of exceptions are unique", written.name);
            faults.push(written.fault("/metadata/name", message));
        }
        exceptions.extend(one(written, settings, rego, faults));
    }
    exceptions.sort_by(|a, b| a.name.cmp(&b.name));
    exceptions
}

fn one(
    written: &Written,
    settings: &BundleSettings,
    rego: &Rego,
    faults: &mut Vec<Fault>,
) -> Option<Exception> {
    let fields: ExceptionFields = written.spec(faults)?;
    let before = faults.len();
    let tenant = settings.tenant_of(&written.file);
    let mut fault = |member: &str, message: String| {
        let pointer = format!("/spec/{}", member.replace('[', "/").replace(']', "").replace('.', "/"));
        faults.push(written.fault(&pointer, format!("spec.{member}: {message}")));
    };
    let text = |name: &str, value: &Option<String>, what: &str, fault: &mut dyn FnMut(&str, String)| {
        let text = value.as_deref().map(str::trim).unwrap_or_default().to_owned();
        if text.is_empty() {
            fault(name, format!("missing; {what}"));
        }
        text
    };
    let owner = text("owner", &fields.owner, "name who answers for it", &mut fault);
    let reason = text("reason", &fields.reason, "say why it is needed", &mut fault);
    let expires = text("expires", &fields.expires, "say until when, as 2026-01-31T12:00:00Z", &mut fault);
    let wanted = text("policy", &fields.policy, "name the policy", &mut fault);
    let ends = Now::parse(&expires).ok();
    if ends.is_none() && !expires.is_empty() {
        fault("expires", format!("`{expires}` is no time; write it as 2026-01-31T12:00:00Z"));
    }
    let policy = policy(&wanted, tenant, rego, &mut fault);
    let matches = objects(&fields.matches, tenant, &mut fault);
    let containers = containers(fields.containers.as_deref(), &mut fault);
    let controls = policy.map(|policy| controls(&fields, policy, &mut fault)).unwrap_or_default();
    if faults.len() > before {
        return None;
    }
    Some(Exception {
        name: written.name.clone(),
        policy: policy?.id.clone(),
        controls,
        containers,
        owner,
        reason,
        expires,
        tenant: tenant.cloned(),
        origin: Origin { file: written.file.clone(), line: written.line() },
        scope: fields.scope(),
        matches,
        ends: ends?,
        ends_at: written.place("/spec/expires"),
        longest: tenant.map(|tenant| tenant.max_expiry).into_iter().chain(settings.max_expiry).min(),
    })
}

fn policy<'a>(
    wanted: &str,
    tenant: Option<&Arc<Tenant>>,
    rego: &'a Rego,
    fault: &mut dyn FnMut(&str, String),
) -> Option<&'a Policy> {
    if wanted.is_empty() || (rego.is_broken(wanted) && !wanted.contains('*')) {
        return None;
    }
    if wanted.contains('*') {
        fault("policy", format!("`{wanted}`; an exception is from one policy: name it in full"));
        return None;
    }
    let Some(policy) = rego.meant(wanted, tenant).into_iter().next() else {
        let remedy = remedy(wanted, rego.ids(tenant).into_iter());
        fault("policy", format!("no policy `{wanted}`; {remedy}"));
        return None;
    };
    if let Some(tenant) = tenant.filter(|tenant| !tenant.may_except_from(&policy.id)) {
        fault(
            "policy",
            format!(
                "the tenant `{}` may not except from `{wanted}`; let the platform add it to `mayExcept` of the Bundle",
                tenant.name
            ),
        );
    }
    Some(policy)
}

fn objects(
    fields: &ObjectFields,
    tenant: Option<&Arc<Tenant>>,
    fault: &mut dyn FnMut(&str, String),
) -> Objects {
    let ObjectFields { namespace, name, labels } = fields.clone();
    if let Some(namespace) = namespace.as_ref().filter(|name| name.is_empty() || name.contains('*')) {
        fault("match.namespace", format!("`{namespace}` is no namespace; name one in full"));
    } else if let (Some(namespace), Some(tenant)) = (&namespace, tenant)
        && !tenant.namespaces.contains(namespace)
    {
        let name = &tenant.name;
        fault(
            "match.namespace",
            format!("`{namespace}` is none of the namespaces of the tenant `{name}`; name one of them"),
        );
    }
    let name = name.and_then(|text| {
        let pattern = Pattern::of_name(&text);
        if pattern.is_none() {
            fault("match.name", format!("`{text}` is no name of an object; `*` stands for any characters"));
        }
        pattern
    });
    Objects { namespace, name, labels }
}

fn containers(fields: Option<&[ContainerFields]>, fault: &mut dyn FnMut(&str, String)) -> Vec<Exempted> {
    if fields.is_some_and(<[_]>::is_empty) {
        fault(
            "containers",
            "empty, so nothing would be excused; name some, or leave it out to excuse whole violations"
                .to_owned(),
        );
    }
    let fields = fields.unwrap_or_default().iter().enumerate();
    fields
        .filter_map(|(index, fields)| {
            fields
                .read()
                .map_err(|(member, message)| fault(&format!("containers[{index}]{member}"), message))
                .ok()
        })
        .collect()
}

/// The controls that are meant: those of the policy, or some of them.
fn controls(
    fields: &ExceptionFields,
    policy: &Policy,
    fault: &mut dyn FnMut(&str, String),
) -> BTreeSet<String> {
    let all: BTreeSet<String> = policy.metadata.controls.iter().cloned().collect();
    if fields.containers.is_some() && !policy.metadata.reads_containers() {
        fault(
            "containers",
            format!(
                "{} doesn't read the view of containers, so nothing would be excused; leave it out to excuse whole violations",
                policy.id
            ),
        );
    }
    let Some(named) = &fields.controls else { return all };
    if named.is_empty() {
        fault(
            "controls",
            "empty, so nothing would be excused; name some, or leave it out for all".to_owned(),
        );
    }
    for (index, control) in named.iter().enumerate().filter(|(_, control)| !all.contains(*control)) {
        let remedy = remedy(control, all.iter().map(String::as_str));
        fault(&format!("controls[{index}]"), format!("{} has no control `{control}`; {remedy}", policy.id));
    }
    let named: BTreeSet<String> = named.iter().cloned().collect();
    if fields.containers.is_none() && named.is_subset(&all) && named != all {
        fault(
            "controls",
            "a violation doesn't say which control it is of; name `containers`, or leave `controls` out"
                .to_owned(),
        );
    }
    named
}

/// What the kind may have in it.
pub(super) fn fields() -> Vec<Member> {
    members::<ExceptionFields>("spec")
}
