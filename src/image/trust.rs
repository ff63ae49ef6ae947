//! What cryptography needs of an authority: keys, or a trust root, and what has to vouch for a signature. Who may sign is
//! no part of it, so authorities with equal trust share one verification.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use time::OffsetDateTime;

use super::digest::Digest;
use super::verifier::sigstore;
use crate::policy::image_trust::HashAlgorithm;

/// The largest trust root that is read.
const ROOT_BYTES: usize = 1 << 20;

/// What signatures are verified by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// One of some keys.
    Key(KeyTrust),
    /// Certificates of a trust root.
    Certificate(CertificateTrust),
}

/// Keys, and what has to vouch for their signatures.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyTrust {
    /// One of them has to have signed.
    pub keys: Vec<ManagedKey>,
    /// Whether a transparency log has to vouch for it.
    pub log: bool,
    /// Whether a timestamp authority has to.
    pub timestamp: bool,
    /// By which logs and timestamp authorities are known. Needed where one of them is.
    pub root: Option<Arc<TrustRoot>>,
}

/// A trust root, and what has to vouch for signatures under it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CertificateTrust {
    /// Certificate authorities, logs and timestamp authorities.
    pub root: Arc<TrustRoot>,
    /// Whether a log of certificates has to vouch for the certificate.
    pub sct: bool,
    /// Whether a transparency log has to vouch for the signature.
    pub log: bool,
    /// Whether a timestamp authority has to. Something has to prove a time in any case.
    pub timestamp: bool,
}

/// A public key that is trusted by itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ManagedKey {
    pub(super) spki: Vec<u8>,
    pub(super) hash: HashAlgorithm,
    pub(super) valid_for: Window,
    id: Digest,
}

/// From when until when, both included; without bounds where nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// From when.
    pub start: Option<OffsetDateTime>,
    /// Until when.
    pub end: Option<OffsetDateTime>,
}

impl Window {
    /// Whether it has a bound.
    pub fn is_bounded(&self) -> bool {
        self.start.is_some() || self.end.is_some()
    }

    /// Whether a moment is within.
    pub fn contains(&self, moment: OffsetDateTime) -> bool {
        self.start.is_none_or(|start| start <= moment) && self.end.is_none_or(|end| moment <= end)
    }
}

impl ManagedKey {
    /// Reads a public key: PEM, SPKI; P-256, P-384, RSA of 2048 to 8192 bits, or Ed25519. `hash` is what signatures of
    /// payloads are made over, where the kind of key leaves a choice.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(pem: &str, hash: HashAlgorithm, valid_for: Window) -> Result<Self, String> {
        let spki = sigstore::public_key(pem, hash)?;
        Ok(Self { id: Digest::of(&spki), spki, hash, valid_for })
    }

    /// The SHA-256 of its SPKI.
    pub fn id(&self) -> Digest {
        self.id
    }
}

impl fmt::Debug for ManagedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ManagedKey({}, {:?}, {:?})", self.id, self.hash, self.valid_for)
    }
}

/// Certificate authorities, logs and timestamp authorities, each with its window: Sigstore's `trusted_root.json`, ready
/// to verify with. Equal where the bytes of its file are.
pub struct TrustRoot {
    version: Digest,
    pub(super) root: sigstore::Root,
}

impl TrustRoot {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, and what to do.
    pub fn parse(json: &[u8]) -> Result<Self, String> {
        if json.len() > ROOT_BYTES {
            return Err(format!("a trust root of more than {ROOT_BYTES} bytes; is it another file?"));
        }
        let text = std::str::from_utf8(json).map_err(|_| "not UTF-8; is it another file?".to_owned())?;
        Ok(Self { version: Digest::of(json), root: sigstore::Root::parse(text)? })
    }

    /// Those that come with meshgate, by name: `public-good`, `staging`, `github`.
    pub fn embedded(name: &str) -> Option<&'static str> {
        sigstore::embedded(name)
    }

    /// The names of those that come with meshgate.
    pub const EMBEDDED: [&str; 3] = ["public-good", "staging", "github"];

    /// The SHA-256 of its file.
    pub fn version(&self) -> Digest {
        self.version
    }

    /// Whether it can say who certificates are of.
    pub fn has_certificate_authorities(&self) -> bool {
        self.root.certificate_authorities() > 0
    }

    /// Whether it knows the authority of certificates at a URL, which is written without scheme and slash at its end.
    pub(super) fn has_certificate_authority(&self, bare: &str) -> bool {
        self.root.has_certificate_authority(bare)
    }

    /// Whether it knows the log at a URL, which is written likewise.
    pub(super) fn has_log(&self, bare: &str) -> bool {
        self.root.has_log(bare)
    }

    /// Whether it knows a transparency log.
    pub fn has_logs(&self) -> bool {
        self.root.logs() > 0
    }

    /// Whether it knows a timestamp authority.
    pub fn has_timestamp_authorities(&self) -> bool {
        self.root.timestamp_authorities() > 0
    }
}

impl fmt::Debug for TrustRoot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TrustRoot({})", self.version)
    }
}

impl PartialEq for TrustRoot {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version
    }
}

impl Eq for TrustRoot {}

impl PartialOrd for TrustRoot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TrustRoot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.version.cmp(&other.version)
    }
}
