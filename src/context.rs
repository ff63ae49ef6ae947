//! What a decision needs of the outside world, as data: [`FactKey`] names a fact, [`Facts`] holds what was
//! gathered, a [`ContextSource`] answers, and [`gather`] is the only place of a review that waits.
//!
//! Called by `review::complete`; implemented by the dry run (manifests) and by the cluster's caches, which compute
//! facts from objects by the code of this module.

mod beside;
mod facts;
mod images;
mod images_file;
mod inventory;
mod listed;
mod needs;
mod objects;
mod owners;
mod pods;
mod proof_keys;
mod source;
mod subjects;
mod world;

pub use beside::Beside;
pub use facts::{Fact, FactKey, Facts, ImageKey, Now, OwnerReference, Puller};
pub use images::Images;
pub use images_file::ImagesFile;
pub use inventory::Inventory;
pub use listed::{Listed, Shelf, runtime_class, runtime_classes};
pub use needs::{Needs, ReadRule};
pub use objects::{Keep, Made, Names, Objects, Stored};
pub use owners::{Owner, owner};
pub use pods::pods;
pub use proof_keys::{PROOF_KEY_BYTES, ProofKey, ProofKeys};
pub use source::{ContextSource, gather};
pub use subjects::{KUBE_SYSTEM, Subjects};
pub use world::{Others, World};
