//! What a client trusts, how long it waits, and through whom it goes.

use std::sync::LazyLock;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::SettingsError;
use super::url::Url;

/// How a client goes out. The default trusts the system's authorities, speaks plain http to this machine only, and
/// goes straight.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Authorities beside those of the system, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// Where plain http may go.
    pub plaintext: Plaintext,
    /// The proxy that leads to https, as `http://host:port`: it is asked to connect, and sees neither path nor header.
    pub proxy: Option<Url>,
    /// How long is waited.
    pub waits: Waits,
}

/// Where plain http may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plaintext {
    /// To loopback addresses.
    #[default]
    Loopback,
    /// Everywhere.
    Anywhere,
}

/// How long is waited at most. The caller's own deadline counts beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waits {
    /// For a connection with its handshake.
    pub connect: Duration,
    /// For the first byte of an answer, and between two pieces of its body.
    pub idle: Duration,
    /// For an answer with all of its body.
    pub request: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(2), idle: seconds(5), request: seconds(10) }
    }
}

/// Read once: hundreds of files on some systems.
static SYSTEM: LazyLock<Vec<CertificateDer<'static>>> =
    LazyLock::new(|| rustls_native_certs::load_native_certs().certs);

/// The system's authorities and these. A system without any is no error: then these alone are trusted, or nobody.
pub(super) fn roots(authorities: Option<&[u8]>) -> Result<RootCertStore, SettingsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(SYSTEM.iter().cloned());
    let Some(pem) = authorities else { return Ok(roots) };
    let mut none = true;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| SettingsError::Authorities)?;
        roots.add(certificate).map_err(SettingsError::Authority)?;
        none = false;
    }
    if none { Err(SettingsError::Authorities) } else { Ok(roots) }
}
