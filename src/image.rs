//! Signed images: who signed the bytes behind an image's text, and what did they say about them?
//!
//! The answer is data, the fact `images` of a review. Whether it is enough is decided by policies, never here. Types are
//! the boundary of trust: an [`EvidenceSource`] yields [`Evidence`], which nobody has vouched for; only a verifier
//! makes something else of it.
//!
//! Called by `cluster`, `dry_run` and `cli`.

mod cached;
mod credentials;
mod digest;
mod evidence;
mod flights;
mod limits;
mod registry;
mod source;

pub use cached::Cached;
pub use credentials::{CredentialSet, DockerConfigError};
pub use digest::{Digest, DigestError};
pub use evidence::{Annotations, Evidence, Origin, Repository};
pub use limits::Limits;
pub use registry::{Registries, RegistriesError};
pub use source::{Answer, EvidenceSource, Gathered, Resolved, SourceError, Wanted};
