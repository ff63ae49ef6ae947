//! Keys to verify with: a certificate or a public key in PEM, a JSON Web Key, or a set of them.

use regorus::Value;
use regorus::value::Object;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::super::Failure;
use super::super::encoding::base64url;
use super::super::json;

/// A key, and for what it says it is.
pub(super) struct Key {
    pub(super) alg: String,
    pub(super) kid: String,
    pub(super) material: Material,
}

/// What verifies.
pub(super) enum Material {
    /// Modulus and exponent.
    Rsa(Vec<u8>, Vec<u8>),
    /// A point, uncompressed; its length tells the curve.
    Ec(Vec<u8>),
    Ed25519(Vec<u8>),
    Secret(Vec<u8>),
    /// A private key: nothing is verified with one.
    Private,
}

const ALGORITHMS: [&str; 13] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "HS256", "HS384",
    "HS512", "EdDSA",
];

pub(super) fn read(text: &str) -> Result<Vec<Key>, Failure> {
    if let Some(start) = text.find("-----BEGIN ") {
        return from_pem(text.get(start..).unwrap_or_default())
            .map(|material| vec![Key { alg: String::new(), kid: String::new(), material }]);
    }
    let failed = |why: &str| Failure::Wrong(format!("failed to parse a JWK key (set): {why}"));
    let Ok(Value::Object(members)) = json::read(text) else { return Err(failed("not an object")) };
    let keys: Vec<Value> = match members.get(&Value::from("keys")) {
        Some(Value::Array(keys)) => keys.iter().cloned().collect(),
        Some(_) => return Err(failed("`keys` is not an array")),
        None => vec![Value::Object(members)],
    };
    let mut read = Vec::new();
    for key in keys {
        let Value::Object(members) = key else { return Err(failed("a key is not an object")) };
        let key = from_jwk(&members).ok_or_else(|| failed("a key lacks what it needs"))?;
        if key.alg.is_empty() || ALGORITHMS.contains(&key.alg.as_str()) {
            read.push(key);
        }
    }
    Ok(read)
}

fn from_pem(text: &str) -> Result<Material, Failure> {
    let wrong = |what: &str| Failure::Wrong(what.to_owned());
    let parsed = parse_x509_pem(text.as_bytes());
    let (rest, pem) = parsed.map_err(|_| wrong("failed to parse a JWK key (set)"))?;
    if !rest.is_empty() {
        return Err(wrong("extra data after a PEM certificate block"));
    }
    match pem.label.as_str() {
        "CERTIFICATE" => {
            let parsed = X509Certificate::from_der(&pem.contents).ok().filter(|(rest, _)| rest.is_empty());
            let (_, certificate) = parsed.ok_or_else(|| wrong("failed to parse a PEM certificate"))?;
            material(certificate.public_key())
        }
        "PUBLIC KEY" => {
            let parsed =
                SubjectPublicKeyInfo::from_der(&pem.contents).ok().filter(|(rest, _)| rest.is_empty());
            let (_, key) = parsed.ok_or_else(|| wrong("failed to parse a PEM public key"))?;
            material(&key)
        }
        _ => Err(wrong("failed to extract a Key from the PEM certificate")),
    }
}

fn material(key: &SubjectPublicKeyInfo<'_>) -> Result<Material, Failure> {
    let ed25519 = key.algorithm.algorithm.to_id_string() == "1.3.101.112";
    match key.parsed() {
        _ if ed25519 => Ok(Material::Ed25519(key.subject_public_key.data.to_vec())),
        Ok(PublicKey::RSA(key)) => Ok(Material::Rsa(plain(key.modulus), plain(key.exponent))),
        Ok(PublicKey::EC(point)) => Ok(Material::Ec(point.data().to_vec())),
        _ => Err(Failure::Beyond("is given a key of a kind that it does not know".to_owned())),
    }
}

/// Without the zero that keeps a number positive.
fn plain(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}

fn from_jwk(members: &Object) -> Option<Key> {
    let text = |name: &str| match members.get(&Value::from(name)) {
        Some(Value::String(text)) => Some(text.to_string()),
        _ => None,
    };
    let bytes = |name: &str| text(name).and_then(|text| base64url(&text).ok());
    let material = match (text("kty")?.as_str(), text("crv").as_deref()) {
        ("RSA", _) => Material::Rsa(plain(&bytes("n")?), plain(&bytes("e")?)),
        ("EC", Some(curve)) => {
            let size = match curve {
                "P-256" => 32,
                "P-384" => 48,
                "P-521" => 66,
                _ => return None,
            };
            let mut point = vec![4];
            for coordinate in [bytes("x")?, bytes("y")?] {
                let missing: usize = size;
                point.extend(std::iter::repeat_n(0, missing.checked_sub(coordinate.len())?));
                point.extend(coordinate);
            }
            Material::Ec(point)
        }
        ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?),
        ("oct", _) => Material::Secret(bytes("k")?),
        _ => return None,
    };
    let private = members.contains_key(&Value::from("d"));
    let material = if private { Material::Private } else { material };
    Some(Key { alg: text("alg").unwrap_or_default(), kid: text("kid").unwrap_or_default(), material })
}
