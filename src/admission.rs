//! AdmissionReview, `admission.k8s.io/v1`: bytes → [`Request`], [`Answer`] → JSON.
//!
//! Called by `webhook` and `cli` for what comes from outside; `dry_run` makes its own requests. Objects stay JSON:
//! nothing of them is decoded into types, so nothing of them is lost.

mod answer;
mod decode;
mod json;
mod request;

pub use answer::{Answer, Cause, Status, respond};
pub use decode::{DecodeError, decode};
pub use json::{JsonError, strict_json};
pub use request::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
