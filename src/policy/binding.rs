//! The file kind `PolicyBinding`: puts a policy in force.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::Fault;
use super::files::word;
use super::id::PolicyId;
use super::matching::{Match, MatchFields};
use super::near::remedy;
use super::origin::Origin;
use super::rego::Rego;
use super::settings::{BundleSettings, Mode};
use super::shape::{Member, members};
use super::tenant::Tenant;
use super::written::Written;

/// A policy in force, with its parameters. A `PolicyBinding` that names a category becomes one for each policy.
#[derive(Clone, Debug)]
pub struct Binding {
    /// `metadata.name`; unique together with the policy.
    pub name: String,
    /// The policy that is bound.
    pub policy: PolicyId,
    /// What the policy reads as `input.parameters`.
    pub parameters: Value,
    /// What a violation does.
    pub enforcement: Enforcement,
    /// Narrows the policy's own match.
    pub matches: Match,
    /// What a `deny` does on a workload that makes Pods.
    pub templates: Templates,
    /// Whose it is; None: the platform's.
    pub tenant: Option<Arc<Tenant>>,
    /// Where it is written.
    pub origin: Origin,
}

/// What a `deny` of a bound policy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// Refuses the request.
    Deny,
    /// Warns the requester.
    Warn,
    /// Records.
    Audit,
    /// What the namespace's label `meshgate.io/mode` says, else the bundle's `defaultMode`.
    Namespace,
}

/// What a denial does on a workload's template. Its Pods are judged in full when they are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Templates {
    /// Warns. The default.
    #[default]
    Warn,
    /// Refuses, where the binding refuses.
    Deny,
    /// Does not judge templates.
    Off,
}

/// `spec` of the kind `PolicyBinding`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BindingFields {
    policy: String,
    parameters: Option<Value>,
    enforcement: Enforcement,
    #[serde(default, rename = "match")]
    matches: MatchFields,
    #[serde(default, deserialize_with = "word")]
    templates: Templates,
}

impl Enforcement {
    /// Whether it does more than a ceiling allows. What follows a namespace's mode is cut where the mode is known.
    fn exceeds(self, ceiling: Mode) -> bool {
        let mode = match self {
            Self::Deny => Mode::Deny,
            Self::Warn => Mode::Warn,
            Self::Audit => Mode::Audit,
            Self::Namespace => return false,
        };
        mode > ceiling
    }
}

/// The bindings of all documents of the kind, sorted by policy and name.
pub(super) fn read(
    documents: &[&Written],
    settings: &BundleSettings,
    rego: &Rego,
    faults: &mut Vec<Fault>,
) -> Vec<Binding> {
    let mut bindings: Vec<Binding> = Vec::new();
    for written in documents {
        let found = one(written, settings.tenant_of(&written.file), rego, &bindings, faults);
        bindings.extend(found);
    }
    bindings.sort_by(|a, b| (&a.policy, &a.name).cmp(&(&b.policy, &b.name)));
    bindings
}

/// The bindings of one document: one for each policy that it means.
fn one(
    written: &Written,
    tenant: Option<&Arc<Tenant>>,
    rego: &Rego,
    others: &[Binding],
    faults: &mut Vec<Fault>,
) -> Vec<Binding> {
    let Some(fields) = written.spec::<BindingFields>(faults) else { return Vec::new() };
    let matches = match fields.matches.clone().read() {
        Ok(matches) => matches,
        Err((pointer, message)) => {
            faults.push(written.fault(&format!("/spec/match{pointer}"), format!("spec.match.{message}")));
            return Vec::new();
        }
    };
    let mut fault = |pointer: &str, message: String| faults.push(written.fault(pointer, message));
    if let Some(tenant) = tenant.filter(|tenant| fields.enforcement.exceeds(tenant.ceiling)) {
        let (name, ceiling) = (&tenant.name, tenant.ceiling.as_str());
        fault(
            "/spec/enforcement",
            format!("spec.enforcement: the tenant `{name}` may do no more than {ceiling}; write that"),
        );
    }
    let meant = rego.meant(&fields.policy, tenant);
    if meant.is_empty() && !rego.is_broken(&fields.policy) {
        let known = rego.ids(tenant);
        let remedy = remedy(&fields.policy, known.into_iter());
        fault("/spec/policy", format!("spec.policy: no policy `{}`; {remedy}", fields.policy));
    }
    let mut bindings = Vec::new();
    for policy in meant {
        if others.iter().any(|other| other.name == written.name && other.policy == policy.id) {
            let name = &written.name;
            let message = format!("a second binding `{name}` of {}; names of bindings are unique", policy.id);
            fault("/metadata/name", message);
        }
        if !matches.meets(&policy.metadata.matches) {
            let message = "has no rule in common with that of the policy, so nothing would ever be matched";
            fault("/spec/match", format!("spec.match of {}: {message}", policy.id));
        }
        match policy.metadata.parameters.complete(fields.parameters.as_ref()) {
            Ok(parameters) => bindings.push(Binding {
                name: written.name.clone(),
                policy: policy.id.clone(),
                parameters,
                enforcement: fields.enforcement,
                matches: matches.clone(),
                templates: fields.templates,
                tenant: tenant.cloned(),
                origin: Origin { file: written.file.clone(), line: written.line() },
            }),
            Err(misfits) => misfits.into_iter().for_each(|misfit| {
                let pointer = format!("/spec/parameters{}", misfit.pointer);
                fault(&pointer, format!("{}: {}", policy.id, misfit.message));
            }),
        }
    }
    bindings
}

/// What the kind may have in it.
pub(super) fn fields() -> Vec<Member> {
    members::<BindingFields>("spec")
}
