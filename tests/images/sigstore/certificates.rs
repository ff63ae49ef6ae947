//! A certificate authority as Fulcio, and the log that vouches for its certificates (RFC 6962).

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyUsagePurpose, SanType, SerialNumber,
};
use serde_json::{Value, json};
use sigstore_crypto::KeyPair;
use time::{Duration, OffsetDateTime};
use x509_parser::parse_x509_certificate;

use super::{ISSUER, SUBJECT, b64, key, sha256};

/// A certificate and its key.
pub(crate) struct Leaf {
    pub(crate) key: KeyPair,
    pub(crate) der: Vec<u8>,
}

impl Leaf {
    pub(crate) fn pem(&self) -> String {
        sigstore_types::DerCertificate::from_bytes(&self.der).to_pem()
    }
}

/// What a certificate says, and what may be wrong with it.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) issuer: Option<&'static str>,
    pub(crate) subject: Option<&'static str>,
    pub(crate) is_logged: bool,
    pub(crate) purpose: ExtendedKeyUsagePurpose,
    /// When its ten minutes begin, from now.
    pub(crate) begins: Duration,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            issuer: Some(ISSUER),
            subject: Some(SUBJECT),
            is_logged: true,
            purpose: ExtendedKeyUsagePurpose::CodeSigning,
            begins: Duration::minutes(-5),
        }
    }
}

pub(crate) struct Authority {
    issuer: Issuer<'static, rcgen::KeyPair>,
    der: Vec<u8>,
    /// Who issued that one, where it is not the root itself.
    above: Option<Vec<u8>>,
    log: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "kit");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { issuer: Issuer::new(params, key), der, above: None, log: super::key() }
    }

    /// An intermediate of this authority, which ends at some time from now; it has the same log.
    pub(crate) fn below(self, ends: Duration) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "kit intermediate");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.not_before = OffsetDateTime::now_utc() - Duration::days(300);
        params.not_after = OffsetDateTime::now_utc() + ends;
        let der = params.signed_by(&key, &self.issuer).unwrap().der().to_vec();
        Self { issuer: Issuer::new(params, key), der, above: Some(self.der), log: self.log }
    }

    pub(crate) fn trusted(&self) -> Value {
        let chain = [Some(&self.der), self.above.as_ref()].into_iter().flatten();
        let chain: Vec<Value> = chain.map(|der| json!({ "rawBytes": b64(der) })).collect();
        json!({
            "subject": { "organization": "kit", "commonName": "kit" },
            "uri": "https://fulcio.kit",
            "certChain": { "certificates": chain },
            "validFor": { "start": "2020-01-01T00:00:00Z" },
        })
    }

    pub(crate) fn certificate_log(&self) -> Value {
        super::log::trusted(&self.log, "https://ct.kit")
    }

    pub(crate) fn leaf(&self) -> Leaf {
        self.leaf_that(&Said::default())
    }

    /// Issued twice: what the log signs is the certificate without its extension.
    pub(crate) fn leaf_that(&self, said: &Said) -> Leaf {
        let signer = rcgen::KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.serial_number = Some(SerialNumber::from(vec![1, 2, 3, 4]));
        params.not_before = OffsetDateTime::now_utc() + said.begins;
        params.not_after = params.not_before + Duration::minutes(10);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![said.purpose.clone()];
        let subject = said.subject.map(|text| match text.contains("://") {
            true => SanType::URI(text.try_into().unwrap()),
            false => SanType::Rfc822Name(text.try_into().unwrap()),
        });
        params.subject_alt_names = subject.into_iter().collect();
        if let Some(issuer) = said.issuer {
            // Where Fulcio wrote it first, as bare text, and where it writes it since; cosign's older form reads the first.
            params.custom_extensions.push(fulcio(1, issuer.as_bytes()));
            params.custom_extensions.push(fulcio(8, &utf8(issuer)));
            params.custom_extensions.push(fulcio(12, &utf8("https://ci.example/acme/app")));
        }
        let bare = params.signed_by(&signer, &self.issuer).unwrap();
        if said.is_logged {
            params.custom_extensions.push(CustomExtension::from_oid_content(
                &[1, 3, 6, 1, 4, 1, 11129, 2, 4, 2],
                self.vouched(bare.der()),
            ));
        }
        let der = params.signed_by(&signer, &self.issuer).unwrap().der().to_vec();
        Leaf { key: KeyPair::from_pkcs8_der(&signer.serialize_der()).unwrap(), der }
    }

    /// The list of timestamps of a certificate: one.
    fn vouched(&self, certificate: &[u8]) -> Vec<u8> {
        let (_, parsed) = parse_x509_certificate(certificate).unwrap();
        let (_, root) = parse_x509_certificate(&self.der).unwrap();
        let tbs: &[u8] = parsed.tbs_certificate.as_ref();
        let issuer = sha256(root.public_key().raw);
        let at = (OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as u64;
        let length = (tbs.len() as u32).to_be_bytes();
        let (no_extensions, entry_type) = ([0_u8, 0], [0_u8, 1]);
        let signed =
            [&[0_u8, 0][..], &at.to_be_bytes(), &entry_type, &issuer, &length[1..], tbs, &no_extensions]
                .concat();
        let signature = self.log.sign(&signed).unwrap();
        let id = sha256(self.log.public_key_der().unwrap().as_bytes());
        let size = (signature.len() as u16).to_be_bytes();
        let sct = [&[0_u8][..], &id, &at.to_be_bytes(), &no_extensions, &[4, 3], &size, signature.as_bytes()]
            .concat();
        let list = [&(sct.len() as u16).to_be_bytes()[..], &sct].concat();
        let list = [&(list.len() as u16).to_be_bytes()[..], &list].concat();
        der(4, &list)
    }
}

fn fulcio(number: u64, content: &[u8]) -> CustomExtension {
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57264, 1, number], content.to_vec())
}

fn utf8(text: &str) -> Vec<u8> {
    der(12, text.as_bytes())
}

pub(super) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = match content.len() {
        short @ 0..=127 => vec![short as u8],
        middle @ 128..=255 => vec![0x81, middle as u8],
        long => vec![0x82, (long >> 8) as u8, long as u8],
    };
    [&[tag][..], &length, content].concat()
}

/// A key that nobody trusts, for logs of somebody else.
pub(crate) fn other_log() -> Value {
    super::log::trusted(&key(), "https://ct.other")
}
