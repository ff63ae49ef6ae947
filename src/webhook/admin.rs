//! The admin port: health, metrics, and what is in force. Nothing here changes anything, and nothing of a request is
//! ever shown.

use std::sync::Arc;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Service;
use super::router::Webhook;
use crate::activation::{SourceStatus, Status};
use crate::metrics::CONTENT_TYPE as METRICS;

/// The paths of the admin port (contracts: server, names).
pub(super) fn router(webhook: Arc<Webhook>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/bundle", get(bundle))
        .route("/config", get(config))
        .with_state(webhook)
}

/// Fails where nothing but a new process helps: every worker is stuck.
async fn livez(State(webhook): State<Arc<Webhook>>) -> Response {
    if webhook.workers.all_stuck() {
        text(
            StatusCode::SERVICE_UNAVAILABLE,
            "[-]workers failed: every worker is stuck\nlivez check failed\n",
        )
    } else {
        text(StatusCode::OK, "ok\n")
    }
}

/// As the API server's own: `ok`, or what does not hold; with `?verbose` all conditions. What is only told is marked with
/// `!` where it does not hold.
async fn readyz(State(webhook): State<Arc<Webhook>>, RawQuery(query): RawQuery) -> Response {
    let is_verbose = query.is_some_and(|query| query.split('&').any(|word| word.starts_with("verbose")));
    let (conditions, is_ready) =
        (webhook.service.readiness.conditions(), webhook.service.readiness.is_ready());
    if is_ready && !is_verbose {
        return text(StatusCode::OK, "ok\n");
    }
    let mut lines = String::new();
    for (name, condition) in conditions {
        let (sign, word) = match (condition.holds, condition.is_needed) {
            (true, _) => ('+', "ok"),
            (false, true) => ('-', "failed"),
            (false, false) => ('!', "not yet"),
        };
        let detail = condition.detail.trim_end().replace('\n', "\n    ");
        let colon = if detail.is_empty() { "" } else { ": " };
        lines.push_str(&format!("[{sign}]{name} {word}{colon}{detail}\n"));
    }
    let (status, word) =
        if is_ready { (StatusCode::OK, "passed") } else { (StatusCode::SERVICE_UNAVAILABLE, "failed") };
    text(status, format!("{lines}readyz check {word}\n"))
}

async fn metrics(State(webhook): State<Arc<Webhook>>) -> Response {
    let metrics = &webhook.service.metrics;
    metrics.server(webhook.state());
    match metrics.text(OffsetDateTime::now_utc().unix_timestamp()) {
        Ok(text) => ([(CONTENT_TYPE, HeaderValue::from_static(METRICS))], text).into_response(),
        Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics can't be written\n"),
    }
}

async fn bundle(State(webhook): State<Arc<Webhook>>) -> Response {
    json_response(&shown(&webhook.service, &webhook.service.activation.status()))
}

async fn config(State(webhook): State<Arc<Webhook>>) -> Response {
    json_response(&webhook.service.configuration.shown())
}

/// What answers, what is about to, what is not to and why, and how the source is doing.
fn shown(service: &Service, status: &Status) -> Value {
    let revision = status.active.as_ref().map(|active| &active.revision);
    let last_good = status.active.as_ref().map(
        |active| json!({ "revision": active.revision, "since": active.since, "bindings": active.bindings }),
    );
    let refused = status.refused.as_ref().map(|refused| {
        json!({
            "revision": refused.revision, "at": refused.at, "stage": refused.stage, "reason": refused.reason,
            "why": refused.why.lines().collect::<Vec<_>>(),
        })
    });
    json!({
        "revision": revision,
        "active": status.active.as_ref().map(|active| &active.record),
        "candidate": status.candidate,
        "lastGood": last_good,
        "refused": refused,
        "source": source(service, status.source.as_ref()),
        "floor": status.source.as_ref().and_then(|source| source.floor.as_ref()),
    })
}

fn source(service: &Service, status: Option<&SourceStatus>) -> Value {
    let configured = &service.configuration;
    let Some(source) = &configured.source else { return json!({ "name": configured.policies }) };
    let status = status.cloned().unwrap_or_default();
    json!({
        "name": source.name,
        "lastCheck": status.last_check,
        "lastSuccess": status.last_success,
        "lastError": status.last_error,
        "next": status.next,
        "head": status.head,
        "notes": status.notes,
    })
}

fn json_response(value: &Value) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], format!("{value:#}\n")).into_response()
}

fn text(status: StatusCode, text: impl Into<String>) -> Response {
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    (status, [(CONTENT_TYPE, content_type)], text.into()).into_response()
}
