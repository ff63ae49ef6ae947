//! The adapter to the library that verifies, and with its two neighbours the only place that names it: its interfaces
//! change with each release, and what it leaves to its caller is done here.

use sigstore_crypto::{KeyAlgorithm, SubjectAltName, VerificationKey};
use sigstore_trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_types::{
    Artifact as Signed, ArtifactDigest, Bundle, DerPublicKey, DsseEnvelope, HashAlgorithm as Hash,
    Sha256Hash, SignatureBytes, SignatureContent, VerificationMaterialContent,
};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier};
use time::OffsetDateTime;

use super::claims::claims;
use super::windows::narrowed;
use super::{Artifact, Checked};
use crate::image::digest::Digest;
use crate::image::reject::{Class, Reject};
use crate::image::signer::{Certificate, Signer};
use crate::image::trust::{CertificateTrust, KeyTrust, ManagedKey, Trust};
use crate::policy::image_trust::HashAlgorithm;

/// Entries of logs, timestamps and certificates of a bundle.
const ENTRIES: usize = 4;
const TIMESTAMPS: usize = 4;
const CERTIFICATES: usize = 8;

/// What an envelope has to hold.
const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A trust root, ready to verify with.
pub(in crate::image) struct Root {
    verifier: Verifier,
    root: TrustedRoot,
}

impl Root {
    pub(in crate::image) fn parse(text: &str) -> Result<Self, String> {
        let of = |why: &dyn std::fmt::Display| {
            format!("no trust root: {why}; take a trusted_root.json as Sigstore clients read it")
        };
        let root = TrustedRoot::from_json(text).map_err(|why| of(&why))?;
        // What can't be used at all is said of what is written, not of what is left of it.
        Verifier::new(&root).map_err(|why| of(&why))?;
        let narrowed = narrowed(&root).map_err(|why| of(&why))?;
        let verifier = Verifier::new(&narrowed).map_err(|why| of(&why))?;
        Ok(Self { verifier, root })
    }

    pub(in crate::image) fn certificate_authorities(&self) -> usize {
        self.root.certificate_authorities.len()
    }

    pub(in crate::image) fn has_certificate_authority(&self, bare: &str) -> bool {
        self.root.certificate_authorities.iter().any(|one| is_at(&one.uri, bare))
    }

    pub(in crate::image) fn has_log(&self, bare: &str) -> bool {
        self.root.tlogs.iter().any(|one| is_at(&one.base_url, bare))
    }

    pub(in crate::image) fn logs(&self) -> usize {
        self.root.tlogs.len()
    }

    pub(in crate::image) fn timestamp_authorities(&self) -> usize {
        self.root.timestamp_authorities.len()
    }
}

fn is_at(url: &str, bare: &str) -> bool {
    url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/') == bare
}

/// A trust root that comes with the library.
pub(in crate::image) fn embedded(name: &str) -> Option<&'static str> {
    let instance = match name {
        "public-good" => SigstoreInstance::PublicGood,
        "staging" => SigstoreInstance::Staging,
        "github" => SigstoreInstance::GitHub,
        _ => return None,
    };
    Some(instance.embedded_trusted_root_json())
}

/// The SPKI of a public key in PEM, with which and the hash signatures can be verified.
pub(in crate::image) fn public_key(pem: &str, hash: HashAlgorithm) -> Result<Vec<u8>, String> {
    let remedy =
        "write a PEM block PUBLIC KEY with a key of P-256, P-384, RSA (2048 to 8192 bits) or Ed25519";
    let key = DerPublicKey::from_pem(pem).map_err(|why| format!("no public key: {why}; {remedy}"))?;
    verification_key(key.as_bytes(), hash)
        .map_err(|why| format!("no key to verify with: {why}; {remedy}"))?;
    Ok(key.into_bytes())
}

fn verification_key(spki: &[u8], hash: HashAlgorithm) -> sigstore_crypto::Result<VerificationKey> {
    let hash = match hash {
        HashAlgorithm::Sha256 => Hash::Sha2256,
        HashAlgorithm::Sha384 => Hash::Sha2384,
        HashAlgorithm::Sha512 => Hash::Sha2512,
    };
    let key = DerPublicKey::from_bytes(spki);
    let scheme = KeyAlgorithm::from_spki(&key)?.resolve_signing_scheme(hash)?;
    let key = VerificationKey::from_spki_with_scheme(&key, scheme)?;
    sigstore_crypto::validate_raw_public_key(scheme, key.as_bytes())?;
    Ok(key)
}

/// A bundle that holds a statement about a digest.
pub(in crate::image) fn check_envelope(
    json: &[u8],
    trust: &Trust,
    digest: &Digest,
) -> Result<Checked, Reject> {
    let bundle = parse(json)?;
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        return Err(Reject::new(Class::Unsupported, "a signature of bytes, attached to an image"));
    };
    match trust {
        Trust::Key(key) if !key.log && !key.timestamp => {
            of_kind(&bundle, trust)?;
            envelope_alone(envelope, key)
        }
        _ => verify(&bundle, trust, Artifact::Digest(digest)),
    }
}

/// A bundle over an artifact.
pub(in crate::image) fn check(json: &[u8], trust: &Trust, artifact: Artifact<'_>) -> Result<Checked, Reject> {
    verify(&parse(json)?, trust, artifact)
}

/// An envelope of which nothing counts but that one of the keys signed it.
pub(in crate::image) fn check_envelope_alone(envelope: &[u8], trust: &Trust) -> Result<Checked, Reject> {
    let envelope: DsseEnvelope =
        serde_json::from_slice(envelope).map_err(|why| Reject::new(Class::Malformed, why))?;
    envelope_alone(&envelope, keys(trust)?)
}

/// A payload of which nothing counts but that one of the keys signed it.
pub(in crate::image) fn check_alone(
    payload: &[u8],
    signature: &[u8],
    trust: &Trust,
) -> Result<Checked, Reject> {
    signed_by(keys(trust)?, payload, &SignatureBytes::from_bytes(signature), None)
}

fn keys(trust: &Trust) -> Result<&KeyTrust, Reject> {
    match trust {
        Trust::Key(key) => Ok(key),
        Trust::Certificate(_) => Err(Reject::new(Class::Kind, "a certificate is wanted")),
    }
}

fn envelope_alone(envelope: &DsseEnvelope, keys: &KeyTrust) -> Result<Checked, Reject> {
    let statement = statement(envelope)?;
    signed_by(keys, &envelope.pae(), &envelope.signature.sig, Some(statement))
}

fn signed_by(
    keys: &KeyTrust,
    message: &[u8],
    signature: &SignatureBytes,
    statement: Option<Vec<u8>>,
) -> Result<Checked, Reject> {
    let is_signer = |key: &&ManagedKey| {
        let verification = verification_key(&key.spki, key.hash);
        verification.is_ok_and(|with| with.verify(message, signature).is_ok())
    };
    let signer = keys.keys.iter().find(is_signer);
    let signer = signer.ok_or_else(|| Reject::new(Class::Signature, "none of the keys signed it"))?;
    if signer.valid_for.is_bounded() {
        return Err(Reject::new(Class::Time, "the key has a window, and nothing proves a time"));
    }
    let signer = Signer::Key { id: signer.id() };
    Ok(Checked { signer, log: false, sct: false, timestamps: Vec::new(), statement })
}

fn statement(envelope: &DsseEnvelope) -> Result<Vec<u8>, Reject> {
    if envelope.payload_type != IN_TOTO {
        return Err(Reject::new(Class::Unsupported, format!("payload type {}", envelope.payload_type)));
    }
    Ok(envelope.payload.as_bytes().to_vec())
}

fn parse(json: &[u8]) -> Result<Bundle, Reject> {
    let text = std::str::from_utf8(json).map_err(|why| Reject::new(Class::Malformed, why))?;
    let bundle = Bundle::from_json(text).map_err(|why| Reject::new(Class::Malformed, why))?;
    let material = &bundle.verification_material;
    let certificates = match &material.content {
        VerificationMaterialContent::X509CertificateChain { certificates } => certificates.len(),
        _ => 0,
    };
    let counts = [
        ("log entries", material.tlog_entries.len(), ENTRIES),
        ("timestamps", timestamps(&bundle), TIMESTAMPS),
        ("certificates", certificates, CERTIFICATES),
    ];
    match counts.into_iter().find(|(_, count, most)| count > most) {
        Some((what, count, _)) => Err(Reject::new(Class::Limit, format!("{count} {what}"))),
        None => Ok(bundle),
    }
}

fn timestamps(bundle: &Bundle) -> usize {
    bundle.verification_material.timestamp_verification_data.rfc3161_timestamps.len()
}

/// What evidence brings along never becomes trust: a key counts where keys are trusted, a certificate where a trust root
/// is.
fn of_kind(bundle: &Bundle, trust: &Trust) -> Result<(), Reject> {
    let has_key = matches!(bundle.verification_material.content, VerificationMaterialContent::PublicKey(_));
    match (trust, has_key) {
        (Trust::Key(_), true) | (Trust::Certificate(_), false) => Ok(()),
        (Trust::Key(_), false) => Err(Reject::new(Class::Kind, "signed by a certificate, a key is wanted")),
        (Trust::Certificate(_), true) => {
            Err(Reject::new(Class::Kind, "signed by a key, a certificate is wanted"))
        }
    }
}

fn verify(bundle: &Bundle, trust: &Trust, artifact: Artifact<'_>) -> Result<Checked, Reject> {
    of_kind(bundle, trust)?;
    let artifact = match artifact {
        Artifact::Bytes(bytes) => Signed::from_blob(bytes),
        Artifact::Digest(digest) => Signed::from_digest(Sha256Hash::new(*digest.bytes())),
        Artifact::Sha512(bytes) => {
            let digest = ArtifactDigest::new(Hash::Sha2512, bytes.to_vec());
            Signed::from_digest(digest.map_err(|why| Reject::new(Class::Unsupported, why))?)
        }
    };
    let checked = match trust {
        Trust::Certificate(trust) => by_certificate(bundle, trust, artifact)?,
        Trust::Key(trust) => by_key(bundle, trust, artifact)?,
    };
    let (log, timestamp) = match trust {
        Trust::Certificate(trust) => (trust.log, trust.timestamp),
        Trust::Key(trust) => (trust.log, trust.timestamp),
    };
    let entries = &bundle.verification_material.tlog_entries;
    let is_vouched =
        entries.iter().all(|one| one.inclusion_proof.is_some() || one.inclusion_promise.is_some());
    if log && !(checked.log && !entries.is_empty() && is_vouched) {
        return Err(Reject::new(Class::Log, "no entry of a log, or one without proof and promise"));
    }
    // The library refuses timestamps of which one does not verify.
    if timestamp && timestamps(bundle) == 0 {
        return Err(Reject::new(Class::Time, "no timestamp"));
    }
    Ok(checked)
}

fn by_certificate(
    bundle: &Bundle,
    trust: &CertificateTrust,
    artifact: Signed<'_>,
) -> Result<Checked, Reject> {
    // Who may sign is ours to ask: the library compares exactly, and "any" includes nobody.
    let mut policy = VerificationPolicy::any_identity();
    if !trust.sct {
        policy = policy.skip_sct();
    }
    if !trust.log {
        policy = policy.skip_tlog_unsafe();
    }
    let result = trust.root.root.verifier.verify(artifact, bundle, &policy)?;
    if !result.certificate_verified() {
        return Err(Reject::new(Class::Certificate, "not verified"));
    }
    if trust.sct && !result.sct_verified() {
        return Err(Reject::new(Class::Sct, "not verified"));
    }
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let signer = Certificate {
        issuer: text(result.issuer()),
        subject: text(result.identity().map(SubjectAltName::as_str)),
        claims: result.certificate().map(|info| claims(&info.ci_claims)).unwrap_or_default(),
    };
    checked(bundle, Signer::Certificate(signer), &result)
}

fn by_key(bundle: &Bundle, trust: &KeyTrust, artifact: Signed<'_>) -> Result<Checked, Reject> {
    let root = trust.root.as_ref().ok_or_else(|| Reject::new(Class::TrustRoot, "none is named"))?;
    let mut refused = Reject::new(Class::Signature, "no key");
    for key in &trust.keys {
        let mut policy = PublicKeyVerificationPolicy::new(DerPublicKey::from_bytes(&key.spki));
        if !trust.log {
            policy = policy.skip_tlog_unsafe();
        }
        match root.root.verifier.verify(artifact.clone(), bundle, &policy) {
            Ok(result) => {
                let checked = checked(bundle, Signer::Key { id: key.id() }, &result)?;
                return in_time(checked, key, trust.timestamp);
            }
            Err(why) => refused = why.into(),
        }
    }
    Err(refused)
}

/// A key with a window counts only where times are proven, and all of them within.
fn in_time(checked: Checked, key: &ManagedKey, needs_time: bool) -> Result<Checked, Reject> {
    let is_bounded = key.valid_for.is_bounded();
    if (needs_time || is_bounded) && checked.timestamps.is_empty() {
        return Err(Reject::new(Class::Time, "nothing proves a time"));
    }
    match checked.timestamps.iter().find(|moment| !key.valid_for.contains(**moment)) {
        Some(moment) => Err(Reject::new(Class::Time, format!("{moment} is outside the key's window"))),
        None => Ok(checked),
    }
}

fn checked(bundle: &Bundle, signer: Signer, result: &VerificationResult) -> Result<Checked, Reject> {
    let moments = result.verified_timestamps().iter();
    let moments = moments.map(|one| OffsetDateTime::from_unix_timestamp_nanos(one.as_nanosecond()));
    let mut timestamps: Vec<OffsetDateTime> =
        moments.collect::<Result<_, _>>().map_err(|why| Reject::new(Class::Time, why))?;
    timestamps.sort();
    timestamps.dedup();
    let statement = match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => Some(statement(envelope)?),
        _ => None,
    };
    Ok(Checked { signer, log: result.tlog_verified(), sct: result.sct_verified(), timestamps, statement })
}
