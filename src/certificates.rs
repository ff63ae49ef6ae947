//! What the server shows to whoever connects: a certificate chain with its key, and the TLS settings around it.
//!
//! Called by `cli`; `webhook` is handed the settings. Nothing is written to disk, and no provider of the process is
//! set: it is passed on explicitly, so that no other crate can change it.

mod answers;
mod chain;
mod clients;
mod files;
mod kept;
mod localhost;
mod own;
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
use time::OffsetDateTime;

use crate::registration::{CaBundle, NoCaBundle, pem};
pub use answers::answers;
pub use clients::clients;
pub use kept::{Kept, Leaf, Phase, Progress, Step};
pub use own::Issued;
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
    /// A certificate could not be made.
    #[error("can't make a certificate; give one as files instead")]
    Made(#[from] rcgen::Error),
    /// The authorities' file holds anything but certificates.
    #[error("{} can't be registered; give the certificate of the authority, as PEM", path.display())]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: NoCaBundle,
    },
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

    /// The same from files that somebody renews, all of one moment, with the authorities that an API server is to trust.
    ///
    /// # Errors
    /// As of [`Identity::from_files`]; and authorities that are none.
    pub fn from_mounted(
        certificate: &Path,
        key: &Path,
        ca: &Path,
    ) -> Result<(Self, CaBundle), CertificateError> {
        let [certificate, key, ca] = files::of_one_moment([certificate, key, ca]);
        let text = String::from_utf8_lossy(&files::bytes(&ca)?).into_owned();
        let authorities = CaBundle::read([text.as_str()])
            .map_err(|source| CertificateError::Authorities { path: ca, source })?;
        Ok((Self::from_files(&certificate, &key)?, authorities))
    }

    /// The same from PEM texts; `of` names where they are from, in faults.
    ///
    /// # Errors
    /// As of [`Identity::from_files`].
    pub fn from_pem(of: &str, certificate: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let (crt_name, key_name) = (PathBuf::from(format!("{of}.crt")), PathBuf::from(format!("{of}.key")));
        let pair = files::pair((&crt_name, certificate), (&key_name, key), &provider())?;
        Ok(Self(Arc::new(pair)))
    }

    /// Makes a certificate for `localhost`, 127.0.0.1 and ::1, signed by itself and valid for a day. Lives in memory.
    ///
    /// # Errors
    /// [`CertificateError::Made`] where there is no randomness; [`CertificateError::Tls`] never, unless the two
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

/// Issues a serving certificate for a DNS name, by an authority that is made for it. It holds for 30 days.
///
/// # Errors
/// [`CertificateError::Made`] where there is no randomness.
pub fn issue(name: &str, now: OffsetDateTime) -> Result<Issued, CertificateError> {
    Ok(own::issue(name, now)?)
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
    fn what_is_issued_leads_to_its_own_authority_while_it_holds_and_to_no_other() {
        let name = "meshgate.meshgate-system.svc";
        let now = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
        let days = time::Duration::days;
        let (one, two) = (issue(name, now).unwrap(), issue(name, now).unwrap());
        let authorities =
            |texts: &[&Issued]| CaBundle::read(texts.iter().map(|issued| issued.authority.as_str())).unwrap();
        let identity = Identity::from_pem("current", one.certificate.as_bytes(), one.key.as_bytes()).unwrap();
        let (own, both, other) = (authorities(&[&one]), authorities(&[&two, &one]), authorities(&[&two]));
        for (authorities, name, moment, expected) in [
            (&own, name, now, true),
            (&both, name, now, true),
            (&other, name, now, false),
            (&own, "other.svc", now, false),
            (&own, name, now - time::Duration::minutes(59), true),
            (&own, name, now - days(1), false),
            (&own, name, now + days(29), true),
            (&own, name, now + days(30) + time::Duration::seconds(1), false),
        ] {
            let found = identity.leads_to(authorities, name, moment);
            assert_eq!(found.is_ok(), expected, "{name} {moment}: {found:?}");
        }
        assert_eq!(identity.validity(), Some((now - time::Duration::hours(1), now + days(30))));
        let foreign = Identity::from_pem("current", one.certificate.as_bytes(), two.key.as_bytes());
        assert!(foreign.unwrap_err().to_string().contains("current.key does not belong"));
    }

    #[test]
    fn mounted_files_are_those_of_one_moment() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let now = OffsetDateTime::now_utc();
        for version in ["..one", "..two"] {
            let issued = issue("a", now).unwrap();
            std::fs::create_dir(path(version)).unwrap();
            for (name, text) in
                [("tls.crt", issued.certificate), ("tls.key", issued.key), ("ca.crt", issued.authority)]
            {
                std::fs::write(path(version).join(name), text).unwrap();
            }
        }
        for name in ["tls.crt", "tls.key", "ca.crt"] {
            std::os::unix::fs::symlink(format!("..data/{name}"), path(name)).unwrap();
        }
        let read = || Identity::from_mounted(&path("tls.crt"), &path("tls.key"), &path("ca.crt"));
        for version in ["..one", "..two"] {
            drop(std::fs::remove_file(path("..data")));
            std::os::unix::fs::symlink(version, path("..data")).unwrap();
            let (identity, authorities) = read().unwrap();
            assert_eq!(identity.leads_to(&authorities, "a", now), Ok(()));
            let expected = std::fs::read_to_string(path(version).join("tls.crt")).unwrap();
            assert_eq!(identity.to_pem(), expected.replace("\r\n", "\n"));
        }
        std::fs::write(path("..two").join("tls.key"), issue("a", now).unwrap().key).unwrap();
        assert!(read().unwrap_err().to_string().contains("does not belong"));
        std::fs::write(path("..two").join("ca.crt"), "").unwrap();
        assert!(read().unwrap_err().to_string().contains("ca.crt can't be registered"));
    }

    #[test]
    fn http_2_is_not_offered() {
        let config = server_config(&Serving::new(Identity::for_localhost().unwrap()), None).unwrap();
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }
}
