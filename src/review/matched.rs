//! Which bindings a request concerns, and what a violation of each would do there.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::decision::{Action, Phase};
use super::knowledge::{Knowledge, is_namespace};
use super::unjudged::{is_mirror_pod, unjudged};
use crate::admission::{Operation, Request};
use crate::context::Fact;
use crate::engine::{Bound, Bundle, EvaluationError};
use crate::kubernetes::label_selector::LabelSelector;
use crate::kubernetes::pod_template;
use crate::policy::{Enforcement, FactName, MODE_LABEL, Match, Mismatch, Mode, Templates};

/// A binding that concerns the request.
pub(super) struct Matched<'a> {
    pub(super) bound: &'a Bound,
    /// What a denial of it does here.
    pub(super) action: Action,
    softening: Option<Softening>,
    /// Why it could not be told whether the request is meant: an error of the binding, whatever its rules say.
    pub(super) error: Option<EvaluationError>,
}

/// What becomes of a denial that is about the Pods of a template.
#[derive(Clone, Copy)]
struct Softening {
    /// The JSON pointer to the template.
    template: &'static str,
    /// None: it is dropped.
    to: Option<Action>,
}

impl Matched<'_> {
    /// What a denial does that is about the field at `pointer`; one that names no field is taken to be about the Pods.
    /// None: nothing.
    pub(super) fn denies(&self, pointer: Option<&str>) -> Option<Action> {
        match self.softening {
            Some(Softening { template, to }) if self.action == Action::Deny => {
                let rest = pointer.map(|pointer| pointer.strip_prefix(template));
                let is_about_pods =
                    rest.is_none_or(|rest| rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
                if is_about_pods { to } else { Some(self.action) }
            }
            _ => Some(self.action),
        }
    }

    /// Whether templates are left alone.
    pub(super) fn leaves_templates(&self) -> bool {
        self.softening.is_some_and(|softening| softening.to.is_none())
    }
}

/// All bindings of `bundle` that concern `request`, in the bundle's order. Those that hang on a fact which is not
/// there yet are left out; `knowledge` has asked for it.
pub(super) fn matched<'a>(
    bundle: &'a Bundle,
    request: &Request,
    phase: Phase,
    knowledge: &mut Knowledge<'_>,
) -> Vec<Matched<'a>> {
    if unjudged(request, phase).is_some() {
        return Vec::new();
    }
    let template = template(request);
    let only_records = is_mirror_pod(request);
    let one = |bound| {
        let error = covers(bound, request).ok()?;
        let matched = in_namespace(bundle, bound, request, knowledge)?;
        let action = if only_records { Action::Audit } else { matched.action };
        let error = error.or(matched.error);
        Some(Matched { softening: softening(bound, template.as_ref()), action, error, ..matched })
    };
    bundle.bound.iter().filter(|bound| asked_in(phase, bound)).filter_map(one).collect()
}

/// The facts that these bindings read.
pub(super) fn declared(matched: &[Matched<'_>]) -> BTreeSet<FactName> {
    matched.iter().flat_map(|one| one.bound.policy.metadata.context.iter().copied()).collect()
}

/// Whether the policy has anything to be asked for in that phase.
fn asked_in(phase: Phase, bound: &Bound) -> bool {
    match phase {
        Phase::Mutate => bound.mutates(),
        Phase::Validate => bound.judges(),
    }
}

/// What keeps a request out of a binding's match.
enum Outside {
    Rules,
    ObjectSelector,
}

/// Whether the rules and the object's labels are meant. An object in a version that only the registration could convert
/// is meant, and can't be judged.
fn covers(bound: &Bound, request: &Request) -> Result<Option<EvaluationError>, Outside> {
    let mut error = None;
    for matches in [&bound.policy.metadata.matches, &bound.binding.matches] {
        match matches.mismatch(request) {
            None => {}
            Some(Mismatch::Version) => error = Some(other_version(matches, request)),
            Some(_) => return Err(Outside::Rules),
        }
        if !matches.selects_object(request) {
            return Err(Outside::ObjectSelector);
        }
    }
    Ok(error)
}

fn other_version(matches: &Match, request: &Request) -> EvaluationError {
    let came = request.resource().version.clone();
    EvaluationError::Version { came, named: matches.versions(request).join(", ") }
}

/// Decides by the namespace: whether the selectors mean it, and its mode.
fn in_namespace<'a>(
    bundle: &Bundle,
    bound: &'a Bound,
    request: &Request,
    knowledge: &mut Knowledge<'_>,
) -> Option<Matched<'a>> {
    let selectors: Vec<&LabelSelector> = [&bound.policy.metadata.matches, &bound.binding.matches]
        .iter()
        .filter_map(|m| m.namespace_selector.as_ref())
        .collect();
    let outright = match bound.binding.enforcement {
        Enforcement::Deny => Some(Action::Deny),
        Enforcement::Warn => Some(Action::Warn),
        Enforcement::Audit => Some(Action::Audit),
        Enforcement::Namespace => None,
    };
    if let (Some(action), []) = (outright, selectors.as_slice()) {
        return Some(Matched { bound, action, softening: None, error: None });
    }
    let namespace = match knowledge.namespace(request)? {
        Fact::Known(namespace) => namespace,
        Fact::Unknown(why) => {
            let error = Some(EvaluationError::Fact { name: FactName::Namespace.as_str(), why });
            return Some(Matched { bound, action: outright.unwrap_or(Action::Deny), softening: None, error });
        }
    };
    let labels = namespace.get("labels").and_then(Value::as_object);
    // The API server's matcher: objects of the cluster are never kept out by a namespaceSelector, except Namespaces.
    let has_labels = request.namespace().is_some() || is_namespace(request);
    if has_labels && !selectors.iter().all(|selector| selector.matches(labels)) {
        return None;
    }
    let action = match outright {
        Some(action) => action,
        None => by_mode(mode(labels, bundle.settings.default_mode).max(old_mode(bundle, request)))?,
    };
    Some(Matched { bound, action, softening: None, error: None })
}

/// A word that is none of the four can't be read as a wish to be let off.
fn mode(labels: Option<&Map<String, Value>>, default: Mode) -> Mode {
    match labels.and_then(|labels| labels.get(MODE_LABEL)) {
        None => default,
        Some(word) => word.as_str().and_then(Mode::parse).unwrap_or(Mode::Deny),
    }
}

/// A Namespace that is changed is judged by the stricter of its old and its new mode: one that lets itself off is
/// judged once more. Nothing for all else.
fn old_mode(bundle: &Bundle, request: &Request) -> Mode {
    let old =
        request.old_object().filter(|_| is_namespace(request) && request.operation() == Operation::Update);
    let labels = |old: &Value| old.pointer("/metadata/labels").and_then(Value::as_object).cloned();
    old.map_or(Mode::Off, |old| mode(labels(old).as_ref(), bundle.settings.default_mode))
}

fn by_mode(mode: Mode) -> Option<Action> {
    match mode {
        Mode::Off => None,
        Mode::Audit => Some(Action::Audit),
        Mode::Warn => Some(Action::Warn),
        Mode::Deny => Some(Action::Deny),
    }
}

/// Where the object keeps the Pods that it will make, and their labels. None where it makes none, or where its template
/// can't be read: then nothing is softened; nor is a deletion, which makes no Pods.
fn template(request: &Request) -> Option<(&'static str, Map<String, Value>)> {
    if !matches!(request.operation(), Operation::Create | Operation::Update) {
        return None;
    }
    let kind = request.kind();
    let template = pod_template::find(&kind.group, &kind.kind, request.object()?).ok()??;
    let labels = template.pod.pointer("/metadata/labels").and_then(Value::as_object);
    template.is_template.then(|| (template.pointer, labels.cloned().unwrap_or_default()))
}

/// What a workload's template would be refused for is a warning, because its Pods are asked again when they are
/// made; where that is not sure, the denial stands.
fn softening(bound: &Bound, template: Option<&(&'static str, Map<String, Value>)>) -> Option<Softening> {
    let (pointer, labels) = template?;
    let matches = [&bound.policy.metadata.matches, &bound.binding.matches];
    match bound.binding.templates {
        Templates::Off => Some(Softening { template: pointer, to: None }),
        Templates::Warn if matches.iter().all(|m| m.covers_pods(labels)) => {
            Some(Softening { template: pointer, to: Some(Action::Warn) })
        }
        Templates::Warn | Templates::Deny => None,
    }
}
