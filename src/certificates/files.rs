//! A certificate chain and its key from two PEM files.

use std::fs;
use std::path::{Path, PathBuf};

use rustls::InconsistentKeys;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::CertificateError;

const KEY: &str = "private key (PKCS#8, PKCS#1 or SEC1, not encrypted)";

/// Reads both files and checks that they belong together.
pub(super) fn read(
    certificate: &Path,
    key: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, CertificateError> {
    let [certificate_bytes, key_bytes] = [bytes(certificate)?, bytes(key)?];
    pair((certificate, &certificate_bytes), (key, &key_bytes), provider)
}

/// A pair from PEM texts, each with its name in faults.
pub(super) fn pair(
    (certificate, certificate_bytes): (&Path, &[u8]),
    (key, key_bytes): (&Path, &[u8]),
    provider: &CryptoProvider,
) -> Result<CertifiedKey, CertificateError> {
    let chain = sections::<CertificateDer<'static>>(certificate, certificate_bytes, "certificate")?;
    let Some(first) = sections::<PrivateKeyDer<'static>>(key, key_bytes, KEY)?.into_iter().next() else {
        return Err(none(key, KEY));
    };
    let signer = provider
        .key_provider
        .load_private_key(first)
        .map_err(|source| CertificateError::Key { path: key.to_owned(), source })?;
    let pair = CertifiedKey::new(chain, signer);
    match pair.keys_match() {
        Ok(()) => Ok(pair),
        Err(rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            Err(CertificateError::NoPair { certificate: certificate.to_owned(), key: key.to_owned() })
        }
        Err(source) => Err(CertificateError::Certificate { path: certificate.to_owned(), source }),
    }
}

/// Where files that a kubelet mounts are now: it swaps the link `..data` beside them, so files that are read below what it
/// leads to are of one moment (k8s.io/kubernetes, pkg/volume/util/atomic_writer.go).
pub(super) fn of_one_moment<const N: usize>(paths: [&Path; N]) -> [PathBuf; N] {
    let mut resolved: Option<(PathBuf, PathBuf)> = None;
    paths.map(|path| {
        let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
        if let Some((of, target)) = &resolved
            && of == directory
        {
            return target.join(name);
        }
        let Ok(target) = fs::canonicalize(directory.join("..data")) else { return path.to_owned() };
        resolved = Some((directory.to_owned(), target.clone()));
        target.join(name)
    })
}

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|source| CertificateError::Unreadable { path: path.to_owned(), source })
}

/// The certificates of a file.
pub(super) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    sections(path, &bytes(path)?, "certificate")
}

/// All sections of one kind; at least one.
fn sections<T: PemObject>(
    path: &Path,
    bytes: &[u8],
    wanted: &'static str,
) -> Result<Vec<T>, CertificateError> {
    let sections: Result<Vec<T>, pem::Error> = T::pem_slice_iter(bytes).collect();
    let sections =
        sections.map_err(|source| CertificateError::Pem { path: path.to_owned(), wanted, source })?;
    if sections.is_empty() { Err(none(path, wanted)) } else { Ok(sections) }
}

fn none(path: &Path, wanted: &'static str) -> CertificateError {
    CertificateError::Pem { path: path.to_owned(), wanted, source: pem::Error::NoItemsFound }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;
    use crate::certificates::Identity;

    /// A certificate and its key, as PEM.
    fn pair() -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["meshgate.meshgate-system.svc".to_owned()]).unwrap();
        (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    /// What becomes of a certificate's file and a key's file with these contents.
    fn read_texts(certificate: &str, key: &str) -> Result<Identity, CertificateError> {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["tls.crt", "tls.key"].map(|name| directory.path().join(name));
        for (path, text) in paths.iter().zip([certificate, key]) {
            fs::write(path, text).unwrap();
        }
        Identity::from_files(&paths[0], &paths[1])
    }

    #[test]
    fn a_pair_is_read_with_its_chain() {
        let ((leaf, key), (above, _)) = (pair(), pair());
        let identity = read_texts(&format!("# leaf\n{leaf}\n{above}"), &key).unwrap();
        assert_eq!(identity.to_pem().matches("BEGIN").count(), 2);
    }

    #[test]
    fn each_fault_names_its_file() {
        let ((leaf, key), (other, other_key)) = (pair(), pair());
        let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let wrong = [
            (leaf.as_str(), other_key.as_str(), "tls.key does not belong"),
            (&format!("{other}{leaf}"), &key, "the server's own certificate first"),
            ("", &key, "tls.crt holds no certificate"),
            (&key, &key, "tls.crt holds no certificate"),
            (&leaf, &leaf, "tls.key holds no private key"),
            (&leaf, &encrypted, "not encrypted"),
            (leaf.get(..leaf.len() / 2).unwrap(), &key, "tls.crt holds no certificate"),
            (garbage, &key, "tls.crt can't be used"),
            (&leaf, &key.replacen("MIG", "AAAA", 1), "tls.key"),
        ];
        for (certificate, key, needle) in wrong {
            let error = read_texts(certificate, key).unwrap_err().to_string();
            assert!(error.contains(needle), "{needle}: {error}");
        }
        let absent = Identity::from_files(Path::new("absent.crt"), Path::new("absent.key")).unwrap_err();
        assert_eq!(
            absent.to_string(),
            "can't read absent.crt; check that it exists and that you may read it"
        );
    }
}
