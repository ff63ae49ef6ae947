//! Public keys of SSH: which kinds are taken, and what signs with them.

use std::fmt;
use std::ops::RangeInclusive;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ssh_key::{Algorithm, HashAlg, PublicKey};

/// The least and the greatest length of an RSA key, in bits.
const RSA_BITS: RangeInclusive<usize> = 2048..=4096;

/// A public key that may sign. Equal ones are written alike.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    blob: Vec<u8>,
    key: PublicKey,
}

impl Key {
    /// Reads a key as it stands in a file: `ssh-ed25519 AAAA…`.
    pub(super) fn read(kind: &str, text: &str) -> Result<Self, String> {
        let blob =
            STANDARD.decode(text).map_err(|_| "the key is no base64; copy it as a whole".to_owned())?;
        let key = Self::of(&blob)?;
        let written = key.algorithm();
        if written.as_str() != kind {
            return Err(format!("the key is of the kind {written}, not {kind}; copy the line as a whole"));
        }
        Ok(key)
    }

    /// Reads a key as it stands in a signature.
    pub(super) fn of(blob: &[u8]) -> Result<Self, String> {
        let key = PublicKey::from_bytes(blob).map_err(|_| "the key can't be read".to_owned())?;
        allowed(&key)?;
        Ok(Self { blob: blob.to_vec(), key })
    }

    /// As `ssh-keygen -l` shows it: `SHA256:…`.
    pub(super) fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.key.algorithm()
    }

    pub(super) fn public(&self) -> &PublicKey {
        &self.key
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint())
    }
}

/// Whether keys of this kind are taken.
fn allowed(key: &PublicKey) -> Result<(), String> {
    match key.algorithm() {
        Algorithm::Ed25519
        | Algorithm::SkEd25519
        | Algorithm::Ecdsa { .. }
        | Algorithm::SkEcdsaSha2NistP256 => Ok(()),
        Algorithm::Rsa { .. } => {
            let bits = key.key_data().rsa().and_then(|rsa| rsa.n.as_positive_bytes()).map_or(0, bits);
            if !RSA_BITS.contains(&bits) {
                let (least, most) = RSA_BITS.into_inner();
                return Err(format!(
                    "an RSA key of {bits} bits; use one of {least} to {most}, or ssh-ed25519"
                ));
            }
            Ok(())
        }
        other => Err(format!(
            "keys of the kind {} are not taken; use ssh-ed25519, ecdsa-sha2-nistp*, sk-* or ssh-rsa",
            other.as_str()
        )),
    }
}

/// The length of a number without leading zeros.
fn bits(bytes: &[u8]) -> usize {
    let Some((first, rest)) = bytes.split_first() else { return 0 };
    let of_first = usize::try_from(8_u32.saturating_sub(first.leading_zeros())).unwrap_or(0);
    rest.len().saturating_mul(8).saturating_add(of_first)
}
