//! Requests that get no verdict, and the HTTP status that says why.

use std::error::Error;

use axum::http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::admission::DecodeError;

/// What is said to a client, at most.
const TEXT_CHARACTERS: usize = 1_000;

/// Why a request gets no verdict. What is displayed is logged: it never quotes the body, its sources may.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("there is nothing at this path; reviews go to /mutate and /validate")]
    Path,
    #[error("reviews are sent with POST")]
    Method,
    #[error("the Content-Type is not application/json; send an AdmissionReview as JSON")]
    ContentType,
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body took too long to come")]
    SlowBody,
    #[error("the body can't be received")]
    BrokenBody(#[source] axum::Error),
    #[error("the body is no AdmissionReview that can be answered")]
    Review(#[from] DecodeError),
    #[error("no policies are in force yet; try again")]
    NoBundle,
    #[error("too many requests are waiting; try again")]
    QueueFull,
    #[error("no worker became free in time; try again")]
    QueueSlow,
    #[error("every worker is stuck; try again")]
    Stuck,
    #[error("too many large bodies are held; try again")]
    NoRoom,
    #[error("the request's timeout leaves no more time; try again")]
    Deadline,
    #[error("the server is about to stop; try again")]
    Stopping,
    #[error("the review failed inside meshgate; its log says where")]
    Panicked,
    #[error("the answer can't be written")]
    Answer(#[source] serde_json::Error),
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::BrokenBody(_) | Self::Review(_) => StatusCode::BAD_REQUEST,
            Self::NoBundle
            | Self::QueueFull
            | Self::QueueSlow
            | Self::Stuck
            | Self::NoRoom
            | Self::Deadline
            | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked | Self::Answer(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The error and what is behind it, in a line. It may quote the body, hence it is bounded and goes to the client
    /// alone.
    fn text(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            text.push_str(&format!(": {error}"));
            source = error.source();
        }
        text.chars().take(TEXT_CHARACTERS).chain(['\n']).collect()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, self.text()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            // With this the API server tries again within its timeout (client-go, rest/with_retry.go) …
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if matches!(
            status,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT
        ) {
            // … on a new connection, perhaps to another replica. And a body that was not read to its end leaves
            // nothing on the connection that could be understood.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
