//! `crypto.*`: hashes and their use with a key that the policy gives. Nothing is signed.

use hmac::{Hmac, Mac};
use md5::Md5;
use regorus::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::Failure;
use super::arguments::string;

pub(super) fn md5(arguments: &[Value]) -> Result<Value, Failure> {
    digest::<Md5>(arguments)
}

pub(super) fn sha1(arguments: &[Value]) -> Result<Value, Failure> {
    digest::<Sha1>(arguments)
}

pub(super) fn sha256(arguments: &[Value]) -> Result<Value, Failure> {
    digest::<Sha256>(arguments)
}

fn digest<D: Digest>(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(Value::from(hexadecimal(&D::digest(string(arguments, 0)?.as_bytes()))))
}

pub(super) fn hmac_md5(arguments: &[Value]) -> Result<Value, Failure> {
    hmac::<Hmac<Md5>>(arguments)
}

pub(super) fn hmac_sha1(arguments: &[Value]) -> Result<Value, Failure> {
    hmac::<Hmac<Sha1>>(arguments)
}

pub(super) fn hmac_sha256(arguments: &[Value]) -> Result<Value, Failure> {
    hmac::<Hmac<Sha256>>(arguments)
}

pub(super) fn hmac_sha512(arguments: &[Value]) -> Result<Value, Failure> {
    hmac::<Hmac<Sha512>>(arguments)
}

fn hmac<M: Mac + hmac::digest::KeyInit>(arguments: &[Value]) -> Result<Value, Failure> {
    let (text, key) = (string(arguments, 0)?, string(arguments, 1)?);
    let mac = <M as Mac>::new_from_slice(key.as_bytes());
    let mut mac = mac.map_err(|_| Failure::Wrong("the key's length is invalid".to_owned()))?;
    mac.update(text.as_bytes());
    Ok(Value::from(hexadecimal(&mac.finalize().into_bytes())))
}

pub(super) fn hmac_equal(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(Value::from(string(arguments, 0)? == string(arguments, 1)?))
}

/// Bytes as lower-case digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
