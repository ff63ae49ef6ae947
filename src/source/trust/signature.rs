//! Signatures of SSH over commits (OpenSSH, `PROTOCOL.sshsig`), verified without any other program. Each signature has
//! one form here: another wrapping, padding, or what stands behind it, is refused, so that no byte can be changed.

use std::str::from_utf8;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ssh_key::{Algorithm, HashAlg, Signature, SshSig};

use super::key::Key;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
const MAGIC: &[u8] = b"SSHSIG";
/// What git signs commits and tags for.
pub(super) const NAMESPACE: &str = "git";
/// The user touched the key (OpenSSH, `PROTOCOL.u2f`).
const USER_PRESENT: u8 = 1;
/// Flags and counter behind a signature of a hardware key.
const TRAILER: usize = 5;

/// A signature that is read and not yet verified.
pub(super) struct SshSignature {
    pub(super) key: Key,
    hash: HashAlg,
    signature: Signature,
}

/// Why a signature is none that counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is of a kind that is not taken.
    NotTaken(String),
    /// It is not written as such signatures are.
    Malformed(String),
}

impl SshSignature {
    /// Reads the text of a signature's header.
    pub(super) fn read(text: &str) -> Result<Self, Unreadable> {
        if let Some(kind) = other_kind(text) {
            return Err(Unreadable::NotTaken(format!(
                "{kind} signatures are not read by this release; sign with an SSH key"
            )));
        }
        let malformed = |why: &str| Unreadable::Malformed(why.to_owned());
        let blob =
            dearmored(text).ok_or_else(|| malformed("the signature is not written as ssh-keygen does it"))?;
        let parts = Parts::read(&blob).ok_or_else(|| malformed("the signature can't be read"))?;
        let key = Key::of(parts.key).map_err(Unreadable::NotTaken)?;
        if parts.namespace != NAMESPACE {
            return Err(Unreadable::NotTaken(format!(
                "the signature is for `{}`, not for `{NAMESPACE}`; sign with `git commit -S`",
                parts.namespace.escape_default()
            )));
        }
        let hash = match parts.hash {
            "sha256" => HashAlg::Sha256,
            "sha512" => HashAlg::Sha512,
            other => {
                return Err(Unreadable::NotTaken(format!(
                    "the hash `{}` is not taken",
                    other.escape_default()
                )));
            }
        };
        let signature = signature(parts.signature).ok_or_else(|| malformed("the signature can't be read"))?;
        fits(&key, &signature)?;
        Ok(Self { key, hash, signature })
    }

    /// Whether this is a signature of its key over these bytes.
    pub(super) fn verifies(&self, payload: &[u8]) -> bool {
        let public = self.key.public();
        let signature = SshSig::new(public.key_data().clone(), NAMESPACE, self.hash, self.signature.clone());
        signature.is_ok_and(|signature| public.verify(NAMESPACE, payload, &signature).is_ok())
    }
}

/// A signature of another kind, by its name.
fn other_kind(text: &str) -> Option<&'static str> {
    const KINDS: [(&str, &str); 3] = [
        ("-----BEGIN PGP SIGNATURE-----", "OpenPGP"),
        ("-----BEGIN PGP MESSAGE-----", "OpenPGP"),
        ("-----BEGIN SIGNED MESSAGE-----", "X.509"),
    ];
    KINDS.iter().find(|(start, _)| text.starts_with(start)).map(|(_, kind)| *kind)
}

/// The bytes between the two lines: lines of one length but the last, and base64 in its one form.
fn dearmored(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let lines = text.strip_prefix(BEGIN)?.strip_prefix('\n')?.strip_suffix(END)?.strip_suffix('\n')?;
    let lines: Vec<&str> = lines.split('\n').collect();
    let (last, before) = lines.split_last()?;
    let width = before.first().map_or(last.len(), |line| line.len());
    let is_even = before.iter().all(|line| line.len() == width) && (1..=width).contains(&last.len());
    is_even.then(|| STANDARD.decode(lines.concat()).ok()).flatten()
}

/// The fields of the blob, none left out and nothing behind them.
struct Parts<'a> {
    key: &'a [u8],
    namespace: &'a str,
    hash: &'a str,
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(blob: &'a [u8]) -> Option<Self> {
        let (version, rest) = blob.strip_prefix(MAGIC)?.split_first_chunk()?;
        let (key, rest) = string(rest)?;
        let (namespace, rest) = string(rest)?;
        let (reserved, rest) = string(rest)?;
        let (hash, rest) = string(rest)?;
        let (signature, rest) = string(rest)?;
        let is_whole =
            u32::from_be_bytes(*version) == SshSig::VERSION && reserved.is_empty() && rest.is_empty();
        let (namespace, hash) = (from_utf8(namespace).ok()?, from_utf8(hash).ok()?);
        is_whole.then_some(Self { key, namespace, hash, signature })
    }
}

/// A string as SSH writes it (RFC 4251, section 5), and what stands behind it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// A signature; behind one by a hardware key stand its flags and its counter.
fn signature(bytes: &[u8]) -> Option<Signature> {
    let (name, rest) = string(bytes)?;
    let (signature, trailer) = string(rest)?;
    let algorithm = Algorithm::new(from_utf8(name).ok()?).ok()?;
    let length = if is_hardware(&algorithm) { TRAILER } else { 0 };
    let data = [signature, trailer].concat();
    (trailer.len() == length).then(|| Signature::new(algorithm, data).ok()).flatten()
}

fn is_hardware(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256)
}

/// Whether a signature is of its key's kind, RSA's with SHA-2, a hardware key's with a touch.
fn fits(key: &Key, signature: &Signature) -> Result<(), Unreadable> {
    let (of_key, of_signature) = (key.algorithm(), signature.algorithm());
    let is_same = match (&of_key, &of_signature) {
        (Algorithm::Rsa { .. }, Algorithm::Rsa { hash: Some(_) }) => true,
        (Algorithm::Rsa { .. }, _) => false,
        (one, other) => one == other,
    };
    if !is_same {
        return Err(Unreadable::NotTaken(format!(
            "a signature of the kind {of_signature} by a key of the kind {of_key} is not taken"
        )));
    }
    let flags = signature.as_bytes().iter().rev().nth(TRAILER.saturating_sub(1)).copied().unwrap_or(0);
    if is_hardware(&of_key) && flags & USER_PRESENT == 0 {
        return Err(Unreadable::NotTaken(
            "nobody touched the hardware key; don't use no-touch-required".to_owned(),
        ));
    }
    Ok(())
}
