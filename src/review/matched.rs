//! Which bindings a request concerns, and what a violation of each would do there.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::decision::{Action, Phase};
use super::knowledge::{Knowledge, is_namespace};
use super::suspension::is_suspended;
use super::trace::{Asked, Outside, Side, Softened};
use super::unjudged::{is_mirror_pod, unjudged};
use crate::admission::{Operation, Request};
use crate::config::NAMESPACE;
use crate::engine::{Bound, Bundle, EvaluationError};
use crate::kubernetes::label_selector::LabelSelector;
use crate::policy::{
    DeclaredFact, EXEMPT_LABEL, Enforcement, FactName, MODE_LABEL, Match, Mismatch, Mode, Templates,
};

/// A binding that concerns the request.
pub(super) struct Matched<'a> {
    pub(super) bound: &'a Bound,
    /// What a denial of it does here.
    pub(super) action: Action,
    /// The mode that says so; None where the binding says it outright.
    mode: Option<Mode>,
    softening: Option<Softening<'a>>,
    /// Whether a denial is a warning here for a while.
    pub(super) suspended: bool,
    /// Why it could not be told whether the request is meant: an error of the binding, whatever its rules say.
    pub(super) error: Option<EvaluationError>,
}

/// What becomes of a denial that is about the Pods of a template.
#[derive(Clone, Copy)]
struct Softening<'a> {
    /// The JSON pointer to the template.
    template: &'a str,
    /// None: it is dropped.
    to: Option<Action>,
}

impl Matched<'_> {
    /// What a violation does that is about the field at `pointer`, and would else do `action`; one that names no field is
    /// taken to be about the Pods. None: nothing.
    pub(super) fn does(&self, action: Action, pointer: Option<&str>) -> Option<Action> {
        let Some(Softening { template, to }) = self.softening else { return Some(action) };
        let rest = pointer.map(|pointer| pointer.strip_prefix(template));
        let is_about_pods =
            rest.is_none_or(|rest| rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
        match to {
            _ if !is_about_pods => Some(action),
            // Nothing but a denial is softened.
            Some(softer) => Some(action.max(softer)),
            None => None,
        }
    }

    /// For the trace; what its rules say is not known yet.
    fn asked(&self) -> Asked {
        let softened = |softening: Softening<'_>| match softening.to {
            Some(_) => Softened::Warns,
            None => Softened::Dropped,
        };
        let templates = self.softening.map(softened);
        // Nothing but a denial is softened.
        let templates = templates.filter(|one| *one == Softened::Dropped || self.action == Action::Deny);
        Asked {
            action: self.action,
            mode: self.mode,
            templates,
            exceptions: Vec::new(),
            rules: self.error.clone().map_or(Ok(Vec::new()), Err),
        }
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
    if let Some(why) = unjudged(request, phase, knowledge.subjects()) {
        knowledge.trace().into_iter().for_each(|trace| trace.unjudged = Some(why));
        return Vec::new();
    }
    let template = template(bundle, request);
    let only_records = is_mirror_pod(request);
    let mut all = Vec::new();
    for bound in bundle.bound.iter().filter(|bound| asked_in(phase, bound)) {
        let found = one(bundle, bound, request, knowledge).and_then(|matched| {
            let action = if only_records { Action::Audit } else { at_most(matched.action, bound) };
            changes(phase, Matched { softening: softening(bound, template.as_ref()), action, ..matched })
        });
        if let Some(trace) = knowledge.trace() {
            let outcome = found.as_ref().map(Matched::asked).map_err(|outside| *outside);
            trace.note(bound, outcome);
        }
        all.extend(found.ok());
    }
    all
}

fn one<'a>(
    bundle: &Bundle,
    bound: &'a Bound,
    request: &Request,
    knowledge: &mut Knowledge<'_>,
) -> Result<Matched<'a>, Outside> {
    let error = covers(bound, request)?;
    let matched = in_namespace(bundle, bound, request, knowledge)?;
    Ok(Matched { error: error.or(matched.error), ..matched })
}

/// Nothing is changed for the record, nor in a template that is left alone.
fn changes(phase: Phase, matched: Matched<'_>) -> Result<Matched<'_>, Outside> {
    match phase {
        Phase::Mutate if matched.action == Action::Audit => Err(Outside::Records),
        Phase::Mutate if matched.softening.is_some_and(|softening| softening.to.is_none()) => {
            Err(Outside::Templates)
        }
        Phase::Mutate | Phase::Validate => Ok(matched),
    }
}

/// The facts that these bindings read.
pub(super) fn declared(matched: &[Matched<'_>]) -> BTreeSet<DeclaredFact> {
    matched.iter().flat_map(|one| one.bound.policy.metadata.context.iter().cloned()).collect()
}

/// Whether the policy has anything to be asked for in that phase.
fn asked_in(phase: Phase, bound: &Bound) -> bool {
    match phase {
        Phase::Mutate => bound.mutates() || bound.injects() || bound.pins(),
        Phase::Validate => bound.judges(),
    }
}

/// Whether the rules and the object's labels are meant. An object in a version that only the registration could convert
/// is meant, and can't be judged.
fn covers(bound: &Bound, request: &Request) -> Result<Option<EvaluationError>, Outside> {
    if bound.binding.tenant.as_ref().is_some_and(|tenant| !tenant.covers(request)) {
        return Err(Outside::Tenant);
    }
    let mut error = None;
    for (side, matches) in both(bound) {
        match matches.mismatch(request) {
            None => {}
            Some(Mismatch::Version) => error = Some(other_version(matches, request)),
            Some(mismatch) => return Err(Outside::Rules(side, mismatch)),
        }
        if !matches.selects_object(request) {
            return Err(Outside::ObjectSelector(side));
        }
    }
    Ok(error)
}

/// The match of the policy, and that of the binding, which narrows it.
fn both(bound: &Bound) -> [(Side, &Match); 2] {
    [(Side::Policy, &bound.policy.metadata.matches), (Side::Binding, &bound.binding.matches)]
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
) -> Result<Matched<'a>, Outside> {
    let selectors: Vec<(Side, &LabelSelector)> = both(bound)
        .into_iter()
        .filter_map(|(side, matches)| Some((side, matches.namespace_selector.as_ref()?)))
        .collect();
    let outright = match bound.binding.enforcement {
        Enforcement::Deny => Some(Action::Deny),
        Enforcement::Warn => Some(Action::Warn),
        Enforcement::Audit => Some(Action::Audit),
        Enforcement::Namespace => None,
    };
    let is_outright = outright.is_some() && selectors.is_empty();
    // Where meshgate runs it refuses nothing: what it would refuse is what brings it back, or takes it away. An admission
    // policy and Pod Security guard that namespace (docs/cluster.md).
    let is_own = request.namespace() == Some(NAMESPACE);
    let matched =
        |action| Matched { bound, action, mode: None, softening: None, suspended: is_own, error: None };
    // An object of the cluster is neither exempt nor suspended.
    let is_in_one = request.namespace().is_some() || is_namespace(request);
    if let Some(action) = outright.filter(|_| is_outright && !is_in_one) {
        return Ok(matched(action));
    }
    let fact = knowledge.namespace(request).ok_or(Outside::Later)?;
    knowledge.trace().into_iter().for_each(|trace| trace.learn(&FactName::Namespace.into(), &fact));
    let namespace = match fact.known() {
        Ok(namespace) => namespace,
        // What is not known suspends nothing and exempts nobody.
        Err(_) if is_outright => return Ok(matched(outright.unwrap_or(Action::Deny))),
        Err(why) => {
            let error = Some(EvaluationError::Fact { name: FactName::Namespace.as_str(), why });
            return Ok(Matched { error, ..matched(outright.unwrap_or(Action::Deny)) });
        }
    };
    let labels = namespace.get("labels").and_then(Value::as_object);
    if is_exempt(request, labels) {
        return Err(Outside::Exempt);
    }
    // The API server's matcher: objects of the cluster are never kept out by a namespaceSelector, except Namespaces.
    let has_labels = request.namespace().is_some() || is_namespace(request);
    if let Some((side, _)) = selectors.iter().find(|(_, selector)| has_labels && !selector.matches(labels)) {
        return Err(Outside::NamespaceSelector(*side));
    }
    let (action, mode) = match outright {
        Some(action) => (action, None),
        None => {
            let mode = mode(labels, bundle.settings.default_mode).max(old_mode(bundle, request));
            (by_mode(mode).ok_or(Outside::Off)?, Some(mode))
        }
    };
    let suspended = is_own || is_suspended(request, &namespace, knowledge.now());
    Ok(Matched { mode, suspended, ..matched(action) })
}

/// Whether the workloads entry of the registration leaves it out by the label of its namespace; meshgate's own namespace
/// has an entry of its own.
fn is_exempt(request: &Request, labels: Option<&Map<String, Value>>) -> bool {
    let says_so = labels.and_then(|labels| labels.get(EXEMPT_LABEL)).is_some_and(|value| value == "true");
    says_so && request.namespace() != Some(NAMESPACE)
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

/// What a tenant's binding does, which is no more than the tenant's ceiling.
fn at_most(action: Action, bound: &Bound) -> Action {
    let ceiling = bound.binding.tenant.as_ref().and_then(|tenant| by_mode(tenant.ceiling));
    // The less an action does, the later it comes.
    ceiling.map_or(action, |ceiling| ceiling.max(action))
}

fn by_mode(mode: Mode) -> Option<Action> {
    match mode {
        Mode::Off => None,
        Mode::Audit => Some(Action::Audit),
        Mode::Warn => Some(Action::Warn),
        Mode::Deny => Some(Action::Deny),
    }
}

/// Where the object keeps the Pods that it will make, and their labels, as far as these are known. None where it makes none,
/// or where its template can't be read: then nothing is softened; nor is a deletion, which makes no Pods.
fn template<'a>(bundle: &'a Bundle, request: &Request) -> Option<(&'a str, Option<Map<String, Value>>)> {
    if !matches!(request.operation(), Operation::Create | Operation::Update) {
        return None;
    }
    let kind = request.kind();
    let template = bundle.settings.pod_templates.find(&kind.group, &kind.kind, request.object()?).ok()??;
    let labels = || template.pod.pointer("/metadata/labels").and_then(Value::as_object).cloned();
    // Which labels the controllers of other kinds add is not known.
    let known = template.is_own.then(|| labels().unwrap_or_default());
    template.is_template.then_some((template.pointer, known))
}

/// What a workload's template would be refused for is a warning, because its Pods are asked again when they are
/// made; where that is not sure, the denial stands.
fn softening<'a>(
    bound: &Bound,
    template: Option<&(&'a str, Option<Map<String, Value>>)>,
) -> Option<Softening<'a>> {
    let (pointer, labels) = template?;
    let matches = [&bound.policy.metadata.matches, &bound.binding.matches];
    match bound.binding.templates {
        Templates::Off => Some(Softening { template: pointer, to: None }),
        Templates::Warn if matches.iter().all(|m| m.covers_pods(labels.as_ref())) => {
            Some(Softening { template: pointer, to: Some(Action::Warn) })
        }
        Templates::Warn | Templates::Deny => None,
    }
}
