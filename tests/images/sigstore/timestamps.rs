//! A timestamp authority (RFC 3161, RFC 5652, RFC 5816): tokens over the bytes of a signature, DER by hand.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyUsagePurpose, SerialNumber,
};
use serde_json::{Value, json};
use sigstore_crypto::KeyPair;
use time::{Duration, OffsetDateTime};
use x509_parser::parse_x509_certificate;

use super::certificates::der;
use super::{b64, sha256};

const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
const SIGNING_CERTIFICATE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x02, 0x2f];
const POLICY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x02];
/// `id-kp-timeStamping`, as an extended key usage.
const TIME_STAMPING: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

pub(crate) struct Timestamps {
    key: KeyPair,
    leaf: Vec<u8>,
    root: Vec<u8>,
}

impl Timestamps {
    pub(crate) fn new() -> Self {
        Self::below(Duration::days(2))
    }

    /// Under a root that ends at some time from now.
    pub(crate) fn below(ends: Duration) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.not_after = OffsetDateTime::now_utc() + ends;
        params.distinguished_name.push(DnType::CommonName, "tsa root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = params.self_signed(&key).unwrap().der().to_vec();
        let issuer = Issuer::new(params, key);
        let signer = rcgen::KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "tsa");
        params.serial_number = Some(SerialNumber::from(vec![1, 2, 3]));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_before = OffsetDateTime::now_utc() - Duration::days(2);
        params.not_after = OffsetDateTime::now_utc() + Duration::days(2);
        let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], TIME_STAMPING.to_vec());
        usage.set_criticality(true);
        params.custom_extensions.push(usage);
        let leaf = params.signed_by(&signer, &issuer).unwrap().der().to_vec();
        Self { key: KeyPair::from_pkcs8_der(&signer.serialize_der()).unwrap(), leaf, root }
    }

    /// As a trust root names it, with its window.
    pub(crate) fn trusted(&self, start: &str) -> Value {
        let certificates = [&self.leaf, &self.root].map(|der| json!({ "rawBytes": b64(der) }));
        json!({
            "subject": { "organization": "kit", "commonName": "tsa root" },
            "uri": "https://tsa.kit",
            "certChain": { "certificates": certificates },
            "validFor": { "start": start },
        })
    }

    /// A response with a token over a signature, made at some time.
    pub(crate) fn over(&self, signature: &[u8], at: OffsetDateTime) -> Vec<u8> {
        let (date, time) = (at.date(), at.time());
        let moment = format!(
            "{:04}{:02}{:02}{:02}{:02}{:02}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second()
        );
        let imprint = sequence(&[&algorithm(SHA256), &der(4, &sha256(signature))]);
        let info =
            sequence(&[&der(2, &[1]), &der(6, POLICY), &imprint, &der(2, &[5]), &der(24, moment.as_bytes())]);
        let certificate = sequence(&[&sequence(&[&sequence(&[&der(4, &sha256(&self.leaf))])])]);
        let mut attributes = [
            attribute(CONTENT_TYPE, &der(6, TST_INFO)),
            attribute(MESSAGE_DIGEST, &der(4, &sha256(&info))),
            attribute(SIGNING_CERTIFICATE, &certificate),
        ];
        attributes.sort();
        let attributes = attributes.concat();
        let signed = self.key.sign(&der(0x31, &attributes)).unwrap();
        let (_, parsed) = parse_x509_certificate(&self.leaf).unwrap();
        let issuer = sequence(&[parsed.issuer().as_raw(), &der(2, &[1, 2, 3])]);
        let signer = sequence(&[
            &der(2, &[1]),
            &issuer,
            &algorithm(SHA256),
            &der(0xa0, &attributes),
            &algorithm(ECDSA_SHA256),
            &der(4, signed.as_bytes()),
        ]);
        let content = sequence(&[&der(6, TST_INFO), &der(0xa0, &der(4, &info))]);
        let data = sequence(&[
            &der(2, &[3]),
            &der(0x31, &algorithm(SHA256)),
            &content,
            &der(0xa0, &self.leaf),
            &der(0x31, &signer),
        ]);
        let token = sequence(&[&der(6, SIGNED_DATA), &der(0xa0, &data)]);
        sequence(&[&sequence(&[&der(2, &[0])]), &token])
    }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

fn algorithm(oid: &[u8]) -> Vec<u8> {
    sequence(&[&der(6, oid)])
}

fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    sequence(&[&der(6, oid), &der(0x31, value)])
}
