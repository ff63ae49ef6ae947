//! What is counted of a request: words of this program, whatever the request says (R48).

use super::refusal::Refusal;
use crate::admission::{Answer, Request};
use crate::config::NAMESPACE;
use crate::context::Subjects;
use crate::kubernetes::kinds::built_in_word;
use crate::metrics::RequestLabels;
use crate::review::{Phase, changes_guarded};

/// Where a request was refused before it was understood.
const UNKNOWN: &str = "unknown";

pub(super) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Mutate => "mutate",
        Phase::Validate => "validate",
    }
}

/// Of a request with an answer.
pub(super) fn answered(
    request: &Request,
    (of, subjects): (Phase, &Subjects),
    answer: &Answer,
) -> RequestLabels {
    let kind = request.kind();
    RequestLabels {
        phase: phase(of),
        entry: entry(request, subjects),
        kind: built_in_word(&kind.group, &kind.kind).unwrap_or("other"),
        operation: request.operation().as_str(),
        outcome: match answer {
            // Nothing but policies in error speaks (docs/architecture.md, "When something fails").
            Answer::Denied { status, .. } if status.code >= 500 => "error",
            Answer::Denied { .. } => "denied",
            Answer::Allowed { warnings, .. } if !warnings.is_empty() => "warned",
            Answer::Allowed { .. } => "allowed",
        },
    }
}

/// Of a request without a verdict.
pub(super) fn refused(of: Phase, refusal: &Refusal) -> RequestLabels {
    let outcome = if refusal.status().as_u16() == 503 { "shed" } else { "error" };
    RequestLabels { phase: phase(of), entry: UNKNOWN, kind: UNKNOWN, operation: UNKNOWN, outcome }
}

/// The entry of the registration that brings it: both are told by content, because all have the same paths.
fn entry(request: &Request, subjects: &Subjects) -> &'static str {
    if changes_guarded(request, subjects) {
        "guard"
    } else if request.namespace() == Some(NAMESPACE) {
        "own"
    } else {
        "workloads"
    }
}
