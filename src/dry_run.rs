//! The dry run: manifests go through the same [`review`](crate::review::review) as in the cluster, in the order in
//! which the API server would ask: defaults, mutate, validate; then the Pods that a workload would make.
//!
//! Called by `cli`. What a cluster would know comes from manifests ([`World`](crate::context::World)); nothing is asked over a network.

mod asked;
mod check;
mod default;
mod described;
mod inject;
mod judge;
mod manifests;
mod parallel;
mod pods;
mod reported;
mod requests;
mod resources;
mod sources;
mod unserved;

pub use asked::Asked;
pub use check::{Check, Outcome, Reviewed};
pub use inject::{Inject, InjectOutcome, InjectedDocument, Injections, Note};
pub use manifests::{Content, File, Manifest, Manifests};
pub use parallel::each;
pub use requests::Requests;
