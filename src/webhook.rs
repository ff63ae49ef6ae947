//! The webhook: HTTPS in, [`review`](crate::review), HTTPS out. `POST /mutate` and `POST /validate` on its port; health,
//! metrics and what is in force on the admin port.
//!
//! Called by `cli`. What is wrong with a request, or with the server, is an HTTP error and never a verdict: the API
//! server's failurePolicy decides then. No object, and no part of one, is logged (R42).
//!
//! The way of a request: `listener` (limits of connections) → `router` → `body` (limits of bodies) → `workers` →
//! `verdict` (decode, review, respond).

mod admin;
mod body;
mod connections;
mod deadline;
mod drain;
mod facts;
mod labels;
mod limits;
mod listener;
mod refusal;
mod router;
mod serve;
mod verdict;
mod watched;
mod workers;

use std::sync::Arc;

use tokio::sync::watch;

use crate::activation::{Activation, Readiness};
use crate::config::Configuration;
use crate::context::{ContextSource, Now, ProofKeys};
use crate::events::Events;
use crate::image::InForce;
use crate::mesh::Meshes;
use crate::metrics::Metrics;
use crate::record::Decisions;

pub use drain::Stop;
pub use limits::Limits;
pub use serve::{Port, serve};

/// What answers requests.
#[derive(Clone)]
pub struct Service {
    /// The policies in force.
    pub activation: Arc<Activation>,
    /// Who knows the facts.
    pub source: Arc<dyn ContextSource>,
    /// Who is asked about images.
    pub images: Arc<InForce>,
    /// The time that policies see; None: the clock.
    pub now: Option<Now>,
    /// How the process is set up: who may change what is guarded, and what `/config` shows.
    pub configuration: Arc<Configuration>,
    /// What must hold before requests are to come.
    pub readiness: Readiness,
    /// Who knows the meshes.
    pub meshes: Arc<dyn Meshes>,
    /// The keys by which sidecars are known again that were rendered by any replica.
    pub proof_keys: watch::Receiver<Arc<ProofKeys>>,
    /// Where what happens is counted.
    pub metrics: Metrics,
    /// Who is told of what operators are to know.
    pub events: Arc<dyn Events>,
    /// Where decisions are recorded; None: nowhere.
    pub decisions: Option<Arc<Decisions>>,
}
