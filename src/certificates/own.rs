//! meshgate's own certificates. Each authority signs one certificate and its key is forgotten: no key that signs is ever
//! at rest, and renewal is the one path, always exercised (cluster: certificates).

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, KeyPair, KeyUsagePurpose, NameConstraints,
};
use time::{Duration, OffsetDateTime};

/// Clocks of nodes differ a little.
const SKEW: Duration = Duration::hours(1);
const LEAF: Duration = Duration::days(30);
/// An authority outlives what it signs, so that it is never the one that ends first.
const AUTHORITY: Duration = Duration::days(31);

/// A serving certificate with its key, and the authority that it leads to. All PEM.
pub struct Issued {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
    /// The authority.
    pub authority: String,
}

/// Issues a certificate for one DNS name: ECDSA P-256, for servers only.
pub(super) fn issue(name: &str, now: OffsetDateTime) -> Result<Issued, rcgen::Error> {
    let authority = CertifiedIssuer::self_signed(authority(name, now)?, KeyPair::generate()?)?;
    let mut leaf = CertificateParams::new(vec![name.to_owned()])?;
    leaf.distinguished_name.push(DnType::CommonName, name);
    leaf.not_before = now.saturating_sub(SKEW);
    leaf.not_after = now.saturating_add(LEAF);
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = leaf.signed_by(&key, &authority)?;
    Ok(Issued { certificate: certificate.pem(), key: key.serialize_pem(), authority: authority.pem() })
}

fn authority(name: &str, now: OffsetDateTime) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    // Authorities of one name would be taken for each other.
    let moment = now.unix_timestamp_nanos();
    parameters.distinguished_name.push(DnType::CommonName, format!("{name} {moment}"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.not_before = now.saturating_sub(SKEW);
    parameters.not_after = now.saturating_add(AUTHORITY);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    // Whoever got hold of it could sign for nothing else.
    parameters.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(name.to_owned())],
        excluded_subtrees: Vec::new(),
    });
    Ok(parameters)
}
