//! The webhook: HTTPS in, [`review`](crate::review), HTTPS out. `POST /mutate` and `POST /validate`, nothing else.
//!
//! Called by `cli`. What is wrong with a request, or with the server, is an HTTP error and never a verdict: the API
//! server's failurePolicy decides then. No object, and no part of one, is logged (R42).
//!
//! The way of a request: `listener` (limits of connections) → `router` → `body` (limits of bodies) → `workers` →
//! `verdict` (decode, review, answer).

mod body;
mod connections;
mod deadline;
mod limits;
mod listener;
mod refusal;
mod router;
mod verdict;
mod watched;
mod workers;

use std::sync::Arc;

use crate::activation::Activation;
use crate::context::{ContextSource, Now, Subjects};
use crate::metrics::Metrics;

pub use limits::Limits;
pub use listener::serve;

/// What answers requests.
#[derive(Clone)]
pub struct Service {
    /// The policies in force.
    pub activation: Arc<Activation>,
    /// Who knows the facts.
    pub source: Arc<dyn ContextSource>,
    /// The time that policies see; None: the clock.
    pub now: Option<Now>,
    /// Who may change what is guarded.
    pub subjects: Arc<Subjects>,
    /// Where what happens is counted.
    pub metrics: Metrics,
}
