//! Paths and methods, and the way of one request through the limits to its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::FutureExt;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

use super::Service;
use super::body::Bodies;
use super::deadline;
use super::limits::Limits;
use super::refusal::Refusal;
use super::verdict::{Inquiry, Step, Times};
use super::workers::Workers;
use crate::context::{Facts, Now, gather};
use crate::review::Phase;

struct Webhook {
    service: Service,
    bodies: Bodies,
    workers: Arc<Workers>,
}

/// The paths of the webhook's port.
pub(super) fn router(service: Service, limits: &Limits) -> Router {
    let webhook = Webhook { service, bodies: Bodies::new(limits), workers: Arc::new(Workers::new(limits)) };
    Router::new()
        .route("/mutate", post(mutate))
        .route("/validate", post(validate))
        .method_not_allowed_fallback(async || Refusal::Method)
        .fallback(async || Refusal::Path)
        .with_state(Arc::new(webhook))
}

async fn mutate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    webhook.answer(Phase::Mutate, request).await
}

async fn validate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    webhook.answer(Phase::Validate, request).await
}

impl Webhook {
    async fn answer(self: Arc<Self>, phase: Phase, request: Request) -> Response {
        let received = Instant::now();
        let time = deadline::time_for(request.uri());
        let deadline = received.checked_add(time).unwrap_or(received);
        let now = self.service.now.unwrap_or_else(|| Now::at(OffsetDateTime::now_utc()));
        let review = AssertUnwindSafe(self.review(phase, request, Times { received, deadline, now }));
        // A worker's panic is caught there; what gathers facts can panic as well.
        let review = timeout_at(deadline, review.catch_unwind());
        match review.await.unwrap_or(Ok(Err(Refusal::Deadline))).unwrap_or(Err(Refusal::Panicked)) {
            Ok(body) => {
                ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
            }
            Err(refusal) => {
                tracing::warn!(status = refusal.status().as_u16(), ?phase, reason = %refusal, "refused");
                refusal.into_response()
            }
        }
    }

    async fn review(&self, phase: Phase, request: Request, times: Times) -> Result<Vec<u8>, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::ContentType);
        }
        let body = self.bodies.read(request.into_body()).await?;
        let bundle = self.service.activation.active().ok_or(Refusal::NoBundle)?;
        let activation = Arc::clone(&self.service.activation);
        let facts = Facts::at(times.now).guarded_by(Arc::clone(&self.service.subjects));
        let first = move || Inquiry::decode(body, phase, times, facts, bundle)?.step(&activation);
        let mut step = self.workers.run(times.deadline, first).await??;
        loop {
            match step {
                Step::Answer(bytes) => return Ok(bytes),
                Step::Need(inquiry, keys) => {
                    let answers = gather(self.service.source.as_ref(), &keys).await;
                    let activation = Arc::clone(&self.service.activation);
                    let next = move || inquiry.learn(keys, answers).step(&activation);
                    step = self.workers.run(times.deadline, next).await??;
                }
            }
        }
    }
}

/// Whether the content type is `application/json`, whatever its parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_json_with_any_parameter() {
        let table = [
            (Some("application/json"), true),
            (Some("Application/JSON ; charset=utf-8"), true),
            (Some("application/json;"), true),
            (Some("application/jsonp"), false),
            (Some("application/json, text/plain"), false),
            (Some("application/yaml"), false),
            (Some("application/x-www-form-urlencoded"), false),
            (Some(""), false),
            (None, false),
        ];
        for (content_type, expected) in table {
            let mut headers = HeaderMap::new();
            if let Some(content_type) = content_type {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
            }
            assert_eq!(is_json(&headers), expected, "{content_type:?}");
        }
    }
}
