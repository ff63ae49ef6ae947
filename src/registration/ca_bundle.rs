//! The authorities that an API server is to trust. There is no empty bundle and none with something else in it: an API
//! server takes an empty one for its own roots, and garbage fails every call (R32).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::pem::Pem;

/// One authority's certificate or several, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaBundle(String);

/// Why something is no bundle of authorities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCaBundle {
    /// Nothing is in it.
    #[error("there is no certificate in it")]
    Empty,
    /// What is in it is no certificate.
    #[error("what it holds is not a certificate in PEM form: {0}")]
    Damaged(String),
}

impl CaBundle {
    /// Reads PEM texts; each certificate is kept once, in the order in which it comes first.
    ///
    /// # Errors
    /// A text without a certificate, and anything that is none.
    pub fn read<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NoCaBundle> {
        let mut all: Vec<Vec<u8>> = Vec::new();
        for text in texts {
            let before = all.len();
            let mut found = false;
            for section in Pem::iter_from_buffer(text.as_bytes()) {
                let section = section.map_err(|error| NoCaBundle::Damaged(error.to_string()))?;
                if section.label != "CERTIFICATE" {
                    return Err(NoCaBundle::Damaged(format!("a section is a {}", section.label)));
                }
                section.parse_x509().map_err(|error| NoCaBundle::Damaged(error.to_string()))?;
                found = true;
                if !all.contains(&section.contents) {
                    all.push(section.contents);
                }
            }
            if !found && all.len() == before {
                return Err(NoCaBundle::Empty);
            }
        }
        if all.is_empty() {
            return Err(NoCaBundle::Empty);
        }
        Ok(Self(all.iter().map(|der| pem(der)).collect()))
    }

    /// Reads `clientConfig.caBundle` of an entry.
    ///
    /// # Errors
    /// It is empty, or holds anything but certificates.
    pub fn decode(text: &str) -> Result<Self, NoCaBundle> {
        let bytes = STANDARD.decode(text).map_err(|error| NoCaBundle::Damaged(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|error| NoCaBundle::Damaged(error.to_string()))?;
        Self::read([text.as_str()])
    }

    /// As `clientConfig.caBundle` is written.
    pub fn encode(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// As PEM.
    pub fn as_pem(&self) -> &str {
        &self.0
    }
}

/// A certificate's PEM form (RFC 7468, section 2: 64 columns).
pub fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----".to_owned();
    for (column, character) in STANDARD.encode(der).chars().enumerate() {
        if column.is_multiple_of(64) {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}
