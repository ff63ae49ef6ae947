//! What a review comes to.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::excepted::Exemption;
use super::matched::Matched;
use super::trace::Trace;
use crate::engine::{EvaluationError, Observed, Refusal, Violation};
use crate::kubernetes::containers::LISTS;
use crate::kubernetes::field_path;
use crate::patch::Patch;
use crate::policy::{Exception, FailurePolicy, PolicyId, Revision, Severity};

/// Facts that can be missing whatever the object is like. All others are computed from it, or null where there is nothing.
const OF_THE_WORLD: [&str; 10] = [
    "namespace",
    "limit_ranges",
    "resource_quotas",
    "autoscalers",
    "disruption_budgets",
    "runtime_classes",
    "cluster.version",
    "inventory",
    "pods",
    "images",
];

/// The two times that the API server asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// `/mutate`: what to change. Denies only where a mutating policy is in error.
    Mutate,
    /// `/validate`: what is wrong with the object that is about to be stored.
    Validate,
}

/// What a finding does to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Refuses it.
    Deny,
    /// Shows a warning to who sent it.
    Warn,
    /// Is recorded.
    Audit,
    /// An exception covers it: it is recorded, and does nothing.
    Excused,
}

/// Something that a bound policy found, or an error of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it does to the request.
    pub action: Action,
    /// Whether the policy gave no answer: its failurePolicy speaks, not its rules.
    pub is_error: bool,
    /// The fact without which there is none, where somebody else would have to give it, not the object.
    pub lacks_fact: Option<&'static str>,
    /// The policy.
    pub policy: PolicyId,
    /// The binding's name.
    pub binding: String,
    /// Orders the findings of one policy.
    pub key: String,
    /// How bad, in the author's words.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The field, as Kubernetes writes paths.
    pub field: Option<String>,
    /// JSON pointer of the field in the object; None where the object has no place for it.
    pub pointer: Option<String>,
    /// The container that the field belongs to.
    pub container: Option<String>,
    /// What to write instead.
    pub remedy: Option<String>,
    /// What there is: it need not stand in the field.
    pub observed: Observed,
    /// What there has to be.
    pub required: Option<String>,
    /// Whether the message is shown without `[policy]` before it.
    pub plain: bool,
    /// The exception that covers it.
    pub excuse: Option<Excuse>,
    /// Whether it would be a denial, had the namespace not been suspended.
    pub suspended: bool,
    /// How the API server is told, if it is the only denial.
    pub refusal: Option<Refusal>,
    /// Why the policy gave no answer, in a word of this program; empty where it did.
    pub cause: &'static str,
}

/// Which missing facts leave a policy out, on request; its error is an error else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// All that somebody else would have to give.
    pub facts: bool,
    /// Those about images.
    pub images: bool,
}

impl LeftOut {
    /// Whether a finding says only that such a fact is missing.
    pub fn has(self, finding: &Finding) -> bool {
        match finding.lacks_fact {
            Some("images") => self.images || self.facts,
            Some(_) => self.facts,
            None => false,
        }
    }
}

/// An exception, as a finding names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Excuse {
    /// Its name.
    pub exception: String,
    /// When it ends.
    pub until: String,
    /// The control out of whose view a container was taken before the policy was asked; None: it was asked.
    pub control: Option<String>,
}

/// What a bundle means for a request in one phase.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The bundle that decided.
    pub revision: Revision,
    /// The phase.
    pub phase: Phase,
    /// What to change, against the object that came. Empty in [`Phase::Validate`] and in a denial.
    pub patch: Patch,
    /// The object with the patch applied; None on a request without an object.
    pub object: Option<Value>,
    /// Denials first, then by policy, binding and key.
    pub findings: Vec<Finding>,
    /// What policies want in the audit log.
    pub annotations: BTreeMap<String, String>,
    /// Of each binding that was asked, by its place in [`Bundle::bound`](crate::engine::Bundle::bound), whether its policy
    /// was in error.
    pub evaluated: BTreeMap<usize, bool>,
    /// How it came about, where that was asked for ([`explain`](super::explain)).
    pub trace: Option<Trace>,
}

impl Decision {
    /// Whether the request may go on.
    pub fn allowed(&self) -> bool {
        self.findings.iter().all(|finding| finding.action != Action::Deny)
    }
}

impl Finding {
    /// A violation of a matched policy; `action` is what its entry point does there, and None what it does where the
    /// policy denies; but nothing where an exception excuses it. None: it does nothing there.
    pub(super) fn violation(
        matched: &Matched<'_>,
        action: Option<Action>,
        violation: Violation,
        object: Option<&Value>,
        exception: Option<&Exception>,
    ) -> Option<Self> {
        let Violation { key, message, field, remedy, observed, required, refusal } = violation;
        let pointer =
            field.as_deref().zip(object).and_then(|(field, object)| field_path::to_pointer(field, object));
        let container =
            pointer.as_deref().zip(object).and_then(|(pointer, object)| container(pointer, object));
        let action = matched.does(action.unwrap_or(matched.action), pointer.as_deref())?;
        let excuse = exception.map(|exception| Excuse::by(exception, None));
        let action = if excuse.is_some() { Action::Excused } else { action };
        let about = Self::about(matched, action, false);
        let finding = Self {
            key,
            message,
            field,
            pointer,
            container,
            remedy,
            observed,
            required,
            excuse,
            refusal,
            ..about
        };
        Some(finding.suspended_by(matched))
    }

    /// That a policy was asked without one of the containers.
    pub(super) fn exemption(matched: &Matched<'_>, exemption: &Exemption<'_>) -> Self {
        let Exemption { control, container, exception } = exemption;
        let message = format!("container \"{container}\" is taken out of the control `{control}`");
        Self {
            key: message.clone(),
            message,
            container: Some(container.clone()),
            excuse: Some(Excuse::by(exception, Some(control))),
            ..Self::about(matched, Action::Excused, false)
        }
    }

    /// An error of a matched policy, as its failurePolicy has it.
    pub(super) fn error(matched: &Matched<'_>, error: &EvaluationError) -> Self {
        let action = match (matched.bound.policy.metadata.failure_policy, matched.action) {
            (FailurePolicy::Ignore, Action::Deny) => Action::Warn,
            (_, action) => action,
        };
        let message = error.to_string();
        let cause = error.cause();
        let lacks_fact = match error {
            EvaluationError::Fact { name, .. } => OF_THE_WORLD.into_iter().find(|fact| fact == name),
            _ => None,
        };
        let about = Self::about(matched, action, true);
        Self { key: message.clone(), message, cause, lacks_fact, ..about }.suspended_by(matched)
    }

    /// What a matched policy would change, and why it is not done: for the record.
    pub(super) fn left_out(matched: &Matched<'_>, why: String) -> Self {
        Self { key: why.clone(), message: why, ..Self::about(matched, Action::Audit, false) }
    }

    /// Why a matched policy may not change what it changes: a denial, whatever its failurePolicy and its binding say.
    pub(super) fn guarded(matched: &Matched<'_>, why: String, field: Option<String>) -> Self {
        let about = Self::about(matched, Action::Deny, true);
        Self { key: why.clone(), message: why, field, cause: "powers", ..about }
    }

    /// What somebody is to know of what a matched policy agreed to; nothing hangs on it.
    pub(super) fn warned(matched: &Matched<'_>, text: String) -> Self {
        Self { key: text.clone(), message: text, ..Self::about(matched, Action::Warn, false) }
    }

    /// Why what a matched policy agreed to is refused: a denial, whatever its failurePolicy and its binding say.
    pub(super) fn refused(matched: &Matched<'_>, why: String) -> Self {
        Self { key: why.clone(), message: why, ..Self::about(matched, Action::Deny, false) }
    }

    fn about(matched: &Matched<'_>, action: Action, is_error: bool) -> Self {
        let policy = &matched.bound.policy;
        Self {
            action,
            is_error,
            lacks_fact: None,
            policy: policy.id.clone(),
            binding: matched.bound.binding.name.clone(),
            key: String::new(),
            severity: policy.metadata.severity,
            message: String::new(),
            field: None,
            pointer: None,
            container: None,
            remedy: None,
            observed: Observed::Field,
            required: None,
            plain: policy.metadata.plain,
            excuse: None,
            suspended: false,
            refusal: None,
            cause: "",
        }
    }

    /// The same, but that a denial only warns where denials are suspended.
    fn suspended_by(self, matched: &Matched<'_>) -> Self {
        if matched.suspended && self.action == Action::Deny {
            Self { action: Action::Warn, suspended: true, ..self }
        } else {
            self
        }
    }

    /// What somebody may not change about a Namespace.
    pub(super) fn of_namespace_guard(message: String, field: String, pointer: String) -> Self {
        let about = Self::of_meshgate(Action::Deny, Severity::Critical, message);
        Self { field: Some(field), pointer: Some(pointer), ..about }
    }

    /// The answer to a probe.
    pub(super) fn of_probe(message: String) -> Self {
        Self { plain: true, ..Self::of_meshgate(Action::Warn, Severity::Low, message) }
    }

    /// Said by no policy.
    fn of_meshgate(action: Action, severity: Severity, message: String) -> Self {
        Self {
            action,
            is_error: false,
            lacks_fact: None,
            policy: PolicyId::guard(),
            binding: "guard".to_owned(),
            key: message.clone(),
            severity,
            message,
            field: None,
            pointer: None,
            container: None,
            remedy: None,
            observed: Observed::Field,
            required: None,
            plain: false,
            excuse: None,
            suspended: false,
            refusal: None,
            cause: "",
        }
    }
}

impl Excuse {
    fn by(exception: &Exception, control: Option<&str>) -> Self {
        Self {
            exception: exception.name.clone(),
            until: exception.expires.clone(),
            control: control.map(str::to_owned),
        }
    }
}

/// The name of the container that a pointer leads into.
fn container(pointer: &str, object: &Value) -> Option<String> {
    let parts: Vec<&str> = pointer.split('/').collect();
    let list = parts.windows(2).position(
        |pair| matches!(pair, [list, index] if LISTS.contains(list) && index.parse::<usize>().is_ok()),
    )?;
    let end = list.saturating_add(2);
    let name = object.pointer(&parts.get(..end)?.join("/"))?.get("name")?.as_str()?;
    Some(name.to_owned())
}
