//! Whether a signature is that of a key.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::super::{Failure, budget};
use super::keys::Material;

/// A verification takes about 100 µs.
const STEPS: usize = 50_000;
/// Bytes of an RSA modulus.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1_024;

/// A key of another kind than the algorithm's verifies nothing.
pub(super) fn holds(key: &Material, alg: &str, signed: &[u8], signature: &[u8]) -> Result<bool, Failure> {
    budget::steps(STEPS.saturating_add(signed.len()))?;
    Ok(match key {
        Material::Rsa(modulus, exponent) => match rsa(alg) {
            Some(parameters) if MODULUS.contains(&modulus.len()) => {
                RsaPublicKeyComponents { n: modulus, e: exponent }
                    .verify(parameters, signed, signature)
                    .is_ok()
            }
            Some(_) => return Err(beyond("an RSA key of less than 2048 or more than 8192 bits")),
            None => false,
        },
        Material::Ec(point) => match ecdsa(alg) {
            Some((length, algorithm)) if point.len() == length => {
                UnparsedPublicKey::new(algorithm, point).verify(signed, signature).is_ok()
            }
            Some(_) => return Err(beyond("a key on another curve than the algorithm's")),
            None => false,
        },
        Material::Ed25519(key) => {
            alg == "EdDSA" && UnparsedPublicKey::new(&ED25519, key).verify(signed, signature).is_ok()
        }
        Material::Secret(secret) => {
            let algorithm = match alg {
                "HS256" => hmac::HMAC_SHA256,
                "HS384" => hmac::HMAC_SHA384,
                "HS512" => hmac::HMAC_SHA512,
                _ => return Ok(false),
            };
            hmac::verify(&hmac::Key::new(algorithm, secret), signed, signature).is_ok()
        }
        Material::Private => false,
    })
}

fn beyond(what: &str) -> Failure {
    Failure::Beyond(format!("is given {what}"))
}

fn rsa(alg: &str) -> Option<&'static RsaParameters> {
    Some(match alg {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        "PS384" => &RSA_PSS_2048_8192_SHA384,
        "PS512" => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// With the length of a point on the algorithm's curve.
fn ecdsa(alg: &str) -> Option<(usize, &'static EcdsaVerificationAlgorithm)> {
    Some(match alg {
        "ES256" => (65, &ECDSA_P256_SHA256_FIXED),
        "ES384" => (97, &ECDSA_P384_SHA384_FIXED),
        "ES512" => (133, &ECDSA_P521_SHA512_FIXED),
        _ => return None,
    })
}
