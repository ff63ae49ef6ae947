//! Whether an API server that trusts some authorities takes a certificate, and when it ends.

use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use time::OffsetDateTime;
use x509_parser::parse_x509_certificate;

use super::{Identity, provider};
use crate::registration::CaBundle;

impl Identity {
    /// When its certificate begins to hold and when it ends.
    pub fn validity(&self) -> Option<(OffsetDateTime, OffsetDateTime)> {
        let (_, certificate) = parse_x509_certificate(self.0.cert.first()?).ok()?;
        let validity = certificate.validity();
        let moment = |seconds| OffsetDateTime::from_unix_timestamp(seconds).ok();
        Some((moment(validity.not_before.timestamp())?, moment(validity.not_after.timestamp())?))
    }

    /// Whether who trusts `authorities` takes it for `name` at that moment.
    ///
    /// # Errors
    /// What is wrong with it, as a TLS client says it.
    pub fn leads_to(&self, authorities: &CaBundle, name: &str, now: OffsetDateTime) -> Result<(), String> {
        let roots = roots(authorities)?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .map_err(|error| error.to_string())?;
        let name = ServerName::try_from(name).map_err(|error| error.to_string())?;
        let (leaf, between) = self.0.cert.split_first().ok_or("there is no certificate")?;
        let seconds = u64::try_from(now.unix_timestamp()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let verified = verifier.verify_server_cert(leaf, between, &name, &[], now);
        verified.map(drop).map_err(|error| error.to_string())
    }

    /// Whether it is the same certificate.
    pub fn is(&self, other: &Self) -> bool {
        self.0.cert == other.0.cert
    }
}

/// Authorities as TLS clients trust them.
pub(super) fn roots(authorities: &CaBundle) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities.as_pem().as_bytes()) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(roots)
}
