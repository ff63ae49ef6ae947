//! One decision as a line of JSON.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::masked;
use crate::admission::{Answer, Request};
use crate::review::{Action, Decision, Finding, Phase};

/// What is longer was not written by an API server.
const CHARACTERS: usize = 256;
/// More groups than anybody is in.
const GROUPS: usize = 100;

/// What is known of a decision.
pub struct Record<'a> {
    /// What was asked.
    pub request: &'a Request,
    /// What was decided.
    pub decision: &'a Decision,
    /// What was answered.
    pub answer: &'a Answer,
    /// From where it was asked.
    pub requested_by: Option<SocketAddr>,
    /// From the request's head to its answer.
    pub took: Duration,
    /// When it was answered.
    pub at: OffsetDateTime,
}

/// The line, with its end.
pub(super) fn line(record: &Record<'_>, id: &str, messages: bool) -> String {
    let Record { request, decision, answer, requested_by, took, at } = record;
    let path = match decision.phase {
        Phase::Mutate => "mutate",
        Phase::Validate => "validate",
    };
    let code = match answer {
        Answer::Allowed { .. } => 200,
        Answer::Denied { status, .. } => status.code,
    };
    let message = |finding: &Finding| messages.then(|| masked::message(&finding.message, request));
    let findings: Vec<Value> = decision.findings.iter().map(|one| finding(one, message(one))).collect();
    let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
    let value = json!({
        "decision_id": cut(request.uid()),
        "timestamp": at.format(&Rfc3339).unwrap_or_default(),
        "labels": { "id": id, "version": env!("CARGO_PKG_VERSION") },
        "bundles": { "meshgate": { "revision": decision.revision.to_string() } },
        "path": path,
        "requested_by": requested_by.map(|address| address.to_string()),
        "input": input(request),
        "result": { "allowed": decision.allowed(), "code": code, "findings": findings },
        "erased": ["/input/object", "/input/oldObject", "/input/options"],
        "metrics": { "timer_server_handler_ns": nanoseconds },
    });
    format!("{value}\n")
}

/// The request without objects and options.
fn input(request: &Request) -> Value {
    let user = request.user_info();
    let groups = user.get("groups").and_then(Value::as_array).into_iter().flatten();
    let groups: Vec<String> = groups.filter_map(Value::as_str).take(GROUPS).map(cut).collect();
    let resource = request.resource();
    json!({
        "operation": request.operation().as_str(),
        "resource": {
            "group": cut(&resource.group),
            "version": cut(&resource.version),
            "resource": cut(&resource.resource),
        },
        "subResource": request.sub_resource().map(cut),
        "namespace": request.namespace().map(cut),
        "name": request.name().map(cut),
        "user": user.get("username").and_then(Value::as_str).map(cut),
        "groups": groups,
        "dryRun": request.dry_run(),
    })
}

fn finding(finding: &Finding, message: Option<String>) -> Value {
    let action = match finding.action {
        Action::Deny => "deny",
        Action::Warn => "warn",
        Action::Audit => "audit",
        Action::Excused => "excused",
    };
    let mut value = json!({
        "action": action,
        "error": finding.is_error,
        "policy": finding.policy.as_str(),
        "binding": finding.binding,
        "field": finding.field.as_deref().map(cut),
        "container": finding.container.as_deref().map(cut),
        "excused": finding.excuse.as_ref().map(|excuse| &excuse.exception),
        "suspended": finding.suspended,
    });
    if let (Some(members), Some(message)) = (value.as_object_mut(), message) {
        members.insert("message".to_owned(), Value::from(message));
    }
    value
}

fn cut(text: &str) -> String {
    text.chars().take(CHARACTERS).collect()
}
