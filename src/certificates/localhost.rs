//! A certificate for trying things on one's own machine.

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use time::{Duration, OffsetDateTime};

/// What `curl https://…` may call this machine.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Long enough for a day's work; nobody should come to rely on it.
const VALID: Duration = Duration::hours(24);
/// Clocks of a container and its host differ a little.
const SKEW: Duration = Duration::hours(1);

/// A new certificate, signed by its own key (ECDSA P-256), and that key.
pub(super) fn make() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let now = OffsetDateTime::now_utc();
    let mut parameters = CertificateParams::new(NAMES.map(str::to_owned))?;
    parameters.distinguished_name.push(DnType::CommonName, "meshgate on localhost");
    parameters.not_before = now.saturating_sub(SKEW);
    parameters.not_after = now.saturating_add(VALID);
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let certificate = parameters.self_signed(&key)?;
    Ok((certificate.der().clone(), key.into()))
}
