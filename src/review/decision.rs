//! What a review comes to.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::matched::Matched;
use super::trace::Trace;
use crate::engine::{EvaluationError, Violation};
use crate::kubernetes::field_path;
use crate::patch::Patch;
use crate::policy::{FailurePolicy, PolicyId, Revision, Severity};

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
}

/// Something that a bound policy found, or an error of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it does to the request.
    pub action: Action,
    /// Whether the policy gave no answer: its failurePolicy speaks, not its rules.
    pub is_error: bool,
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
    /// Whether the message is shown without `[policy]` before it.
    pub plain: bool,
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
    /// policy denies. None: it does nothing there.
    pub(super) fn violation(
        matched: &Matched<'_>,
        action: Option<Action>,
        violation: Violation,
        object: Option<&Value>,
    ) -> Option<Self> {
        let Violation { key, message, field, remedy } = violation;
        let pointer =
            field.as_deref().zip(object).and_then(|(field, object)| field_path::to_pointer(field, object));
        let container =
            pointer.as_deref().zip(object).and_then(|(pointer, object)| container(pointer, object));
        let action = matched.does(action.unwrap_or(matched.action), pointer.as_deref())?;
        Some(Self { key, message, field, pointer, container, remedy, ..Self::about(matched, action, false) })
    }

    /// An error of a matched policy, as its failurePolicy has it.
    pub(super) fn error(matched: &Matched<'_>, error: &EvaluationError) -> Self {
        let action = match (matched.bound.policy.metadata.failure_policy, matched.action) {
            (FailurePolicy::Ignore, Action::Deny) => Action::Warn,
            (_, action) => action,
        };
        let message = error.to_string();
        Self { key: message.clone(), message, ..Self::about(matched, action, true) }
    }

    /// What a matched policy would change, and why it is not done: for the record.
    pub(super) fn left_out(matched: &Matched<'_>, why: String) -> Self {
        Self { key: why.clone(), message: why, ..Self::about(matched, Action::Audit, false) }
    }

    /// Why a matched policy may not change what it changes: a denial, whatever its failurePolicy and its binding say.
    pub(super) fn guarded(matched: &Matched<'_>, why: String, field: Option<String>) -> Self {
        Self { key: why.clone(), message: why, field, ..Self::about(matched, Action::Deny, true) }
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
            policy: policy.id.clone(),
            binding: matched.bound.binding.name.clone(),
            key: String::new(),
            severity: policy.metadata.severity,
            message: String::new(),
            field: None,
            pointer: None,
            container: None,
            remedy: None,
            plain: policy.metadata.plain,
        }
    }
}

/// The name of the container that a pointer leads into.
fn container(pointer: &str, object: &Value) -> Option<String> {
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    let parts: Vec<&str> = pointer.split('/').collect();
    let list = parts.windows(2).position(
        |pair| matches!(pair, [list, index] if lists.contains(list) && index.parse::<usize>().is_ok()),
    )?;
    let end = list.saturating_add(2);
    let name = object.pointer(&parts.get(..end)?.join("/"))?.get("name")?.as_str()?;
    Some(name.to_owned())
}
