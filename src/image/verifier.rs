//! From evidence to what it proves. Pure: it reads the clock only to refuse what comes from the future, and asks nobody.

mod claims;
mod refusals;
pub(super) mod sigstore;
mod windows;

use std::sync::Arc;

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::digest::Digest;
use super::evidence::{Annotations, Evidence, EvidenceBody};
use super::legacy;
use super::limits::Limits;
use super::reject::{Class, Reject};
use super::signer::Signer;
use super::statement;
use super::trust::Trust;
use crate::policy::image_trust::HashAlgorithm;

/// Somebody who can tell whether evidence is signed, and what it says about a digest. Who may sign is not its business.
pub trait SignatureVerifier: Send + Sync {
    /// Signature, what has to vouch for it, and that it is about the digest.
    ///
    /// # Errors
    /// The first check that it did not pass.
    fn verify(&self, evidence: &Evidence, trust: &Arc<Trust>, digest: &Digest) -> Result<Verified, Reject>;
}

/// What a signature is over.
#[derive(Clone, Copy, Debug)]
pub enum Artifact<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// The bytes with this digest.
    Digest(&'a Digest),
    /// The bytes with this SHA-512. No image is named so; statements about other things are.
    Sha512(&'a [u8; 64]),
}

/// A signature that holds: by whom, when, and who vouches for it. Made by [`check`] alone.
#[derive(Clone, Debug)]
pub struct Checked {
    pub(super) signer: Signer,
    pub(super) log: bool,
    pub(super) sct: bool,
    pub(super) timestamps: Vec<OffsetDateTime>,
    /// Of an envelope: what is in it.
    pub(super) statement: Option<Vec<u8>>,
}

impl Checked {
    /// Who signed.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The statement of an envelope, as it was signed; None where bytes were signed by themselves.
    pub fn statement(&self) -> Option<&[u8]> {
        self.statement.as_deref()
    }
}

/// Verifies a Sigstore bundle over an artifact: signature, certificate, logs and times. What it means for an image is
/// another question ([`SignatureVerifier::verify`]).
///
/// # Errors
/// The first check that it did not pass.
pub fn check(bundle: &[u8], trust: &Trust, artifact: Artifact<'_>) -> Result<Checked, Reject> {
    sigstore::check(bundle, trust, artifact)
}

/// Verifies a signature of cosign's over a payload, by the annotations of its layer.
///
/// # Errors
/// The first check that it did not pass.
pub fn check_payload(payload: &[u8], annotations: &Annotations, trust: &Trust) -> Result<Checked, Reject> {
    if is_alone(trust) {
        return sigstore::check_alone(payload, &legacy::signature_of(annotations)?, trust);
    }
    let bundle = legacy::signature(payload, annotations, hash(trust))?;
    check(&bundle, trust, Artifact::Bytes(payload))
}

/// The forms of evidence, as facts name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Cosign's payload with its signature in an annotation.
    SimpleSigning,
    /// Cosign's envelope.
    Dsse,
    /// A Sigstore bundle.
    Bundle,
}

impl Form {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SimpleSigning => "simplesigning",
            Self::Dsse => "dsse",
            Self::Bundle => "bundle",
        }
    }
}

/// What verified evidence says about an image. No other module can make one.
#[derive(Clone, Debug)]
pub struct Verified {
    pub(super) kind: Kind,
    pub(super) form: Form,
    pub(super) checked: Checked,
    /// The digest of the evidence.
    pub(super) evidence: Digest,
    /// By what it was verified.
    pub(super) trust: Arc<Trust>,
}

impl Verified {
    /// What it says.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }
}

/// A signature is never an attestation, and an attestation never a signature.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// The signer signed the image.
    Signature {
        /// What the signer added.
        annotations: Map<String, Value>,
        /// The name under which it was signed, which proves nothing.
        claimed_reference: Option<String>,
    },
    /// The signer said something about it.
    Attestation {
        /// Of which type.
        predicate_type: String,
        /// What; null where nothing is said.
        predicate: Value,
        /// How many bytes the statement has.
        bytes: usize,
        /// The rest of the statement.
        head: Value,
    },
}

/// Verifies with Sigstore's rules.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sigstore {
    limits: Limits,
}

impl Sigstore {
    /// Within limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }
}

impl SignatureVerifier for Sigstore {
    fn verify(&self, evidence: &Evidence, trust: &Arc<Trust>, digest: &Digest) -> Result<Verified, Reject> {
        let size = u64::try_from(evidence.len()).unwrap_or(u64::MAX);
        if size > self.limits.evidence_bytes {
            return Err(Reject::new(Class::Limit, format!("{size} bytes")));
        }
        let mut checked = match &evidence.body {
            EvidenceBody::Bundle { json } => sigstore::check_envelope(json, trust, digest)?,
            EvidenceBody::LegacyAttestation { envelope, .. } if is_alone(trust) => {
                sigstore::check_envelope_alone(envelope, trust)?
            }
            EvidenceBody::LegacyAttestation { envelope, annotations } => {
                sigstore::check_envelope(&legacy::attestation(envelope, annotations)?, trust, digest)?
            }
            EvidenceBody::LegacySignature { payload, annotations } => {
                check_payload(payload, annotations, trust)?
            }
        };
        let kind = match (&evidence.body, &checked.statement) {
            (EvidenceBody::LegacySignature { payload, .. }, _) => statement::simple_signing(payload, digest)?,
            (_, Some(payload)) => statement::in_toto(payload, digest)?,
            (_, None) => return Err(Reject::new(Class::Unsupported, "no envelope")),
        };
        let trust = Arc::clone(trust);
        // What it says is in `kind`; verdicts are kept, and need not hold it twice.
        checked.statement = None;
        Ok(Verified { kind, form: evidence.form(), checked, evidence: evidence.digest(), trust })
    }
}

/// Whether nothing but a key counts: then nothing else of the evidence is looked at.
fn is_alone(trust: &Trust) -> bool {
    matches!(trust, Trust::Key(key) if !key.log && !key.timestamp)
}

/// What payloads are signed over: cosign signs with SHA-256 whatever the key, unless told otherwise.
fn hash(trust: &Trust) -> HashAlgorithm {
    match trust {
        Trust::Key(key) => key.keys.first().map_or(HashAlgorithm::Sha256, |key| key.hash),
        Trust::Certificate(_) => HashAlgorithm::Sha256,
    }
}
