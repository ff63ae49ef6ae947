//! Istio: what it would do with a Pod, and the sidecar that it would inject, rendered from the mesh's own template, values
//! and configuration as istiod does it. Pure. Nothing here is of one version of Istio: what differs between versions is read
//! from the mesh's own configuration.

mod annotations;
mod config;
mod data;
mod functions;
mod inject;
mod installed;
mod json;
mod merge;
mod mesh_config;
mod openshift;
mod order;
mod overrides;
mod pod;
mod probes;
mod prometheus;
pub mod propose;
mod proxy_config;
mod schema;
mod status;
mod target;
mod uninject;
mod version;

pub use config::{Installation, Texts};
pub use inject::{Injected, inject};
pub use installed::Istio;
pub use target::{Target, Workload};
