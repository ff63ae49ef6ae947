//! What the server shows to whoever connects: a certificate chain with its key, and the TLS settings around it.
//!
//! Called by `cli`; `webhook` is handed the settings. Nothing is written to disk, and no provider of the process is
//! set: it is passed on explicitly, so that no other crate can change it.

mod files;
mod localhost;
mod serving;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

use crate::registration::pem;
pub use serving::Serving;

/// A certificate chain and the key that belongs to its first certificate.
#[derive(Clone, Debug)]
pub struct Identity(Arc<CertifiedKey>);

/// Why there is no identity, or no TLS with it.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file can't be read.
    #[error("can't read {}; check that it exists and that you may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// A file has no section of the kind that is wanted, or is cut off.
    #[error("{} holds no {wanted} in PEM form", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What should be there.
        wanted: &'static str,
        /// What the reader says.
        #[source]
        source: pem::Error,
    },
    /// The key is of a kind that TLS does not use here.
    #[error("the key in {} can't be used; give an ECDSA (P-256, P-384, P-521), Ed25519 or RSA key", path.display())]
    Key {
        /// The key's file.
        path: PathBuf,
        /// What the TLS library says.
        #[source]
        source: rustls::Error,
    },
    /// The first certificate is damaged.
    #[error("the first certificate in {} can't be used; issue it again", path.display())]
    Certificate {
        /// The certificates' file.
        path: PathBuf,
        /// What the TLS library says.
        #[source]
        source: rustls::Error,
    },
    /// Certificate and key are not a pair.
    #[error(
        "the key in {} does not belong to the first certificate in {}; give the two that were issued together, \
         the server's own certificate first",
        key.display(), certificate.display()
    )]
    NoPair {
        /// The certificates' file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate for localhost could not be made.
    #[error("can't make a certificate for localhost; give one as files instead")]
    Localhost(#[from] rcgen::Error),
    /// The TLS library does not take the settings.
    #[error("can't set TLS up")]
    Tls(#[source] rustls::Error),
}

impl Identity {
    /// Reads a chain (the server's own certificate first) and its key, both PEM.
    ///
    /// # Errors
    /// What can't be read or used, naming the file, and a key of another certificate.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        files::read(certificate, key, &provider()).map(|pair| Self(Arc::new(pair)))
    }

    /// Makes a certificate for `localhost`, 127.0.0.1 and ::1, signed by itself and valid for a day. Lives in memory.
    ///
    /// # Errors
    /// [`CertificateError::Localhost`] where there is no randomness; [`CertificateError::Tls`] never, unless the two
    /// libraries come to disagree.
    pub fn for_localhost() -> Result<Self, CertificateError> {
        let (certificate, key) = localhost::make()?;
        let pair =
            CertifiedKey::from_der(vec![certificate], key, &provider()).map_err(CertificateError::Tls)?;
        Ok(Self(Arc::new(pair)))
    }

    /// The chain as PEM, for who is to trust it; never the key.
    pub fn to_pem(&self) -> String {
        self.0.cert.iter().map(|certificate| pem(certificate)).collect()
    }
}

/// TLS 1.3 and 1.2 with the identity in force. `clients` says who may connect; None: whoever reaches the port. ALPN
/// offers `http/1.1` alone: the API server would speak HTTP/2 to a webhook that has a URL, and the limits count requests
/// by connection.
///
/// # Errors
/// [`CertificateError::Tls`].
pub fn server_config(
    serving: &Serving,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<Arc<ServerConfig>, CertificateError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(CertificateError::Tls)?;
    let clients = clients.unwrap_or_else(WebPkiClientVerifier::no_client_auth);
    let mut config = builder.with_client_cert_verifier(clients).with_cert_resolver(Arc::new(serving.clone()));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn the_pem_form_is_the_chain() {
        let identity = Identity::for_localhost().unwrap();
        let text = identity.to_pem();
        let read: Vec<_> = CertificateDer::pem_slice_iter(text.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read, identity.0.cert);
        assert!(text.lines().all(|line| line.len() <= 64));
        assert!(!text.contains("KEY"));
    }

    #[test]
    fn http_2_is_not_offered() {
        let config = server_config(&Serving::new(Identity::for_localhost().unwrap()), None).unwrap();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }
}
