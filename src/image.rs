//! Signed images: who signed the bytes behind an image's text, and what did they say about them?
//!
//! The answer is data, the fact `images` of a review. Whether it is enough is decided by policies, never here. Types are
//! the boundary of trust: an [`EvidenceSource`] yields [`Evidence`], which nobody has vouched for; only a verifier
//! makes something else of it.
//!
//! Called by `cluster`, `dry_run` and `cli`.

mod authority;
mod cached;
mod compile;
mod compliance;
mod credentials;
mod digest;
mod evidence;
mod facts;
mod flights;
mod gather;
mod identity;
mod in_force;
mod layout;
mod legacy;
mod limits;
mod pull_secrets;
mod registry;
mod reject;
mod save;
mod signer;
mod source;
mod stale;
mod statement;
mod trust;
mod verdicts;
mod verifier;

pub use authority::{Authorities, Authority};
pub use cached::Cached;
pub use credentials::{CredentialSet, DockerConfigError};
pub use digest::{Digest, DigestError};
pub use evidence::{Annotations, Evidence, Origin, Repository};
pub use gather::{Asked, Gatherer};
pub use identity::Identity;
pub use in_force::InForce;
pub use layout::{Layout, LayoutError};
pub use limits::Limits;
pub use pull_secrets::{Lacking, Looked, PullSecrets, StatedPullSecrets, of_account, of_secret};
pub use registry::{Registries, RegistriesError};
pub use reject::{Class, Reject};
pub use save::Pack;
pub use signer::{Certificate, Signer};
pub use source::{Answer, EvidenceSource, Gathered, Resolved, SourceError, Wanted};
pub use trust::{CertificateTrust, KeyTrust, ManagedKey, Trust, TrustRoot, Window};
pub use verdicts::Remembered;
pub use verifier::{
    Artifact, Checked, Form, Kind, SignatureVerifier, Sigstore, Verified, check, check_payload,
};
