//! Who signed, as far as cryptography can tell.

use serde_json::{Map, Value};

use super::digest::Digest;

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// Who holds a key.
    Key {
        /// The SHA-256 of the public key (SPKI, DER).
        id: Digest,
    },
    /// Who was given a certificate.
    Certificate(Certificate),
}

/// What an authority of the trust root said of who signed. An empty text counts as absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Who said to the certificate authority who it is.
    pub issuer: Option<String>,
    /// Who it is: an e-mail address or a URI.
    pub subject: Option<String>,
    /// What else was said: the extensions 1.3.6.1.4.1.57264.1.9 to .24 under their names in camel case, and
    /// `deprecatedGithub` for .2 to .6.
    pub claims: Map<String, Value>,
}
