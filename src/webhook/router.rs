//! Paths and methods, and the way of one request through the limits to its answer.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use futures_util::FutureExt;
use time::OffsetDateTime;
use tokio::time::{Instant, timeout_at};

use super::Service;
use super::body::Bodies;
use super::connections::Connections;
use super::facts::Asked;
use super::limits::Limits;
use super::refusal::Refusal;
use super::verdict::{Answered, Inquiry, Origin, Step};
use super::workers::Workers;
use super::{deadline, labels};
use crate::context::{Now, gather};
use crate::metrics::ServerState;
use crate::review::Phase;

/// What the paths of both ports share.
pub(super) struct Webhook {
    pub(super) service: Service,
    pub(super) workers: Arc<Workers>,
    bodies: Bodies,
    connections: Arc<Connections>,
}

/// The paths of the webhook's port.
pub(super) fn router(webhook: Arc<Webhook>) -> Router {
    Router::new()
        .route("/mutate", post(mutate))
        .route("/validate", post(validate))
        .method_not_allowed_fallback(async || Refusal::Method)
        .fallback(async || Refusal::Path)
        .with_state(webhook)
}

async fn mutate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    webhook.answer(Phase::Mutate, request).await
}

async fn validate(State(webhook): State<Arc<Webhook>>, request: Request) -> Response {
    webhook.answer(Phase::Validate, request).await
}

impl Webhook {
    pub(super) fn new(service: Service, limits: &Limits, connections: Arc<Connections>) -> Self {
        let workers = Arc::new(Workers::new(limits, service.metrics.clone()));
        Self { service, workers, bodies: Bodies::new(limits), connections }
    }

    /// What is held now.
    pub(super) fn state(&self) -> ServerState {
        let (queued, busy_workers, free_workers, stuck_workers) = self.workers.counted();
        let (new_connections, idle_connections, busy_connections) = self.connections.counted();
        ServerState {
            queued,
            busy_workers,
            free_workers,
            stuck_workers,
            body_bytes: self.bodies.held(),
            new_connections,
            idle_connections,
            busy_connections,
        }
    }

    async fn answer(self: Arc<Self>, phase: Phase, request: Request) -> Response {
        let received = Instant::now();
        let time = deadline::time_for(request.uri());
        let origin = Origin {
            phase,
            received,
            deadline: received.checked_add(time).unwrap_or(received),
            now: self.service.now.unwrap_or_else(|| Now::at(OffsetDateTime::now_utc())),
            peer: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer),
        };
        let review = AssertUnwindSafe(self.review(request, origin));
        // A worker's panic is caught there; what gathers facts can panic as well.
        let review = timeout_at(origin.deadline, review.catch_unwind());
        let result = review.await.unwrap_or(Ok(Err(Refusal::Deadline)));
        let result = result.unwrap_or_else(|_| {
            self.service.metrics.panicked();
            Err(Refusal::Panicked)
        });
        let (labels, response) = match result {
            Ok(Answered { bytes, labels }) => {
                let json = HeaderValue::from_static("application/json");
                (labels, ([(CONTENT_TYPE, json)], bytes).into_response())
            }
            Err(refusal) => {
                tracing::warn!(status = refusal.status().as_u16(), ?phase, reason = %refusal, "refused");
                (labels::refused(phase, &refusal), refusal.into_response())
            }
        };
        self.service.metrics.request(labels, received.elapsed());
        response
    }

    async fn review(&self, request: Request, origin: Origin) -> Result<Answered, Refusal> {
        if !is_json(request.headers()) {
            return Err(Refusal::ContentType);
        }
        let body = self.bodies.read(request.into_body()).await?;
        self.step(&origin, "body", origin.received);
        let bundle = self.service.activation.active().ok_or(Refusal::NoBundle)?;
        let asked = Asked {
            source: self.service.source.as_ref(),
            images: self.service.images.images(&bundle),
            deadline: origin.deadline,
            metrics: &self.service.metrics,
        };
        let service = self.service.clone();
        let first = move || Inquiry::decode(body, origin, bundle, &service)?.step(&service);
        let mut step = self.workers.run(origin.deadline, first).await??;
        loop {
            match step {
                Step::Answer(answered) => return Ok(answered),
                Step::Need(inquiry, keys) => {
                    let since = Instant::now();
                    let answers = gather(&asked, &keys).await;
                    self.step(&origin, "gather", since);
                    let service = self.service.clone();
                    let next = move || inquiry.learn(keys, answers).step(&service);
                    step = self.workers.run(origin.deadline, next).await??;
                }
            }
        }
    }

    fn step(&self, origin: &Origin, step: &'static str, since: Instant) {
        self.service.metrics.step(labels::phase(origin.phase), step, since.elapsed());
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
