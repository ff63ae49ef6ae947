//! Which bindings a request concerns, and what a violation of each would do there.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::decision::Action;
use super::knowledge::{Knowledge, is_namespace, object};
use crate::admission::Request;
use crate::context::Fact;
use crate::engine::{Bound, Bundle, EvaluationError};
use crate::kubernetes::label_selector::LabelSelector;
use crate::kubernetes::pod_template;
use crate::policy::{Enforcement, FactName, Mode, Templates};

/// The label by which a namespace says how far it is rolled out (contracts: enforcement).
const MODE_LABEL: &str = "meshgate.io/mode";

/// A binding that concerns the request.
pub(super) struct Matched<'a> {
    pub(super) bound: &'a Bound,
    /// What a denial of it does here.
    pub(super) action: Action,
    /// Why it could not be told whether the request is meant: an error of the binding, whatever its rules say.
    pub(super) error: Option<EvaluationError>,
}

/// All bindings of `bundle` that concern `request`, in the bundle's order. Those that hang on a fact which is not
/// there yet are left out; `knowledge` has asked for it.
pub(super) fn matched<'a>(
    bundle: &'a Bundle,
    request: &Request,
    wanted: fn(&Bound) -> bool,
    knowledge: &mut Knowledge<'_>,
) -> Vec<Matched<'a>> {
    let template = template_labels(request);
    let concerns = |bound: &&Bound| wanted(bound) && covers(bound, request);
    let one = |bound| with_templates(in_namespace(bundle, bound, request, knowledge)?, template.as_ref());
    bundle.bound.iter().filter(concerns).filter_map(one).collect()
}

/// The facts that these bindings read.
pub(super) fn declared(matched: &[Matched<'_>]) -> BTreeSet<FactName> {
    matched.iter().flat_map(|one| one.bound.policy.metadata.context.iter().copied()).collect()
}

fn covers(bound: &Bound, request: &Request) -> bool {
    [&bound.policy.metadata.matches, &bound.binding.matches]
        .iter()
        .all(|m| m.covers(request) && m.selects_object(request))
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
        return Some(Matched { bound, action, error: None });
    }
    let namespace = match knowledge.namespace(request)? {
        Fact::Known(namespace) => namespace,
        Fact::Unknown(why) => {
            let error = Some(EvaluationError::Fact { name: FactName::Namespace.as_str(), why });
            return Some(Matched { bound, action: outright.unwrap_or(Action::Deny), error });
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
        None => by_mode(mode(labels, bundle.settings.default_mode))?,
    };
    Some(Matched { bound, action, error: None })
}

/// A word that is none of the four can't be read as a wish to be let off.
fn mode(labels: Option<&Map<String, Value>>, default: Mode) -> Mode {
    match labels.and_then(|labels| labels.get(MODE_LABEL)) {
        None => default,
        Some(word) => word.as_str().and_then(Mode::parse).unwrap_or(Mode::Deny),
    }
}

fn by_mode(mode: Mode) -> Option<Action> {
    match mode {
        Mode::Off => None,
        Mode::Audit => Some(Action::Audit),
        Mode::Warn => Some(Action::Warn),
        Mode::Deny => Some(Action::Deny),
    }
}

/// The labels of the Pods that the object will make; None where it makes none, or where its template can't be
/// read: then nothing is softened.
fn template_labels(request: &Request) -> Option<Map<String, Value>> {
    let kind = request.kind();
    let template = pod_template::find(&kind.group, &kind.kind, object(request)?).ok()??;
    let labels = template.pod.pointer("/metadata/labels").and_then(Value::as_object);
    template.is_template.then(|| labels.cloned().unwrap_or_default())
}

/// What a workload's template would be refused for is a warning, because its Pods are asked again when they are
/// made; where they would not be, the denial stands.
fn with_templates<'a>(matched: Matched<'a>, template: Option<&Map<String, Value>>) -> Option<Matched<'a>> {
    let Some(labels) = template else { return Some(matched) };
    let bound = matched.bound;
    let asked_again =
        || [&bound.policy.metadata.matches, &bound.binding.matches].iter().all(|m| m.covers_pods(labels));
    match (bound.binding.templates, matched.action) {
        (Templates::Off, _) => None,
        (Templates::Warn, Action::Deny) if asked_again() => Some(Matched { action: Action::Warn, ..matched }),
        _ => Some(matched),
    }
}
