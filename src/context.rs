//! What a decision needs of the outside world, as data: [`FactKey`] names a fact, [`Facts`] holds what was
//! gathered, a [`ContextSource`] answers, and [`gather`] is the only place of a review that waits.
//!
//! Called by `review::complete`; implemented by the dry run (manifests) and, later, by the cluster's caches.

mod facts;
mod source;
mod subjects;
mod world;

pub use facts::{Fact, FactKey, Facts, Now, OwnerReference};
pub use source::{ContextSource, gather};
pub use subjects::Subjects;
pub use world::{Others, World};
