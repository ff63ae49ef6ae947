//! Base64, hexadecimal, query strings. Texts of Rego are Unicode here; what decodes to other bytes, which OPA lets
//! pass as a string, is an error always.

use std::collections::BTreeMap;

use base64::Engine;
use base64::alphabet::{self, Alphabet};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regorus::Value;

use super::arguments::{object, string, wrong};
use super::{Failure, strings};

/// Go's decoder wants the padding and does not look at the bits that nothing needs.
fn engine(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config.with_decode_padding_mode(DecodePaddingMode::RequireCanonical))
}

fn decoded(text: &str, alphabet: &Alphabet) -> Result<Vec<u8>, Failure> {
    // As Go, without line breaks.
    let text = text.replace(['\r', '\n'], "");
    engine(alphabet).decode(text).map_err(|error| Failure::Wrong(format!("illegal base64 data: {error}")))
}

/// Bytes as a string.
fn text(bytes: Vec<u8>) -> Result<Value, Failure> {
    let text = String::from_utf8(bytes);
    strings::made(text.map_err(|_| Failure::Beyond("gives bytes that are no text (UTF-8)".to_owned()))?)
}

pub(super) fn base64_encode(arguments: &[Value]) -> Result<Value, Failure> {
    strings::made(engine(&alphabet::STANDARD).encode(string(arguments, 0)?.as_bytes()))
}

pub(super) fn base64_decode(arguments: &[Value]) -> Result<Value, Failure> {
    text(decoded(string(arguments, 0)?, &alphabet::STANDARD)?)
}

pub(super) fn base64_is_valid(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(Value::from(string(arguments, 0).is_ok_and(|text| decoded(text, &alphabet::STANDARD).is_ok())))
}

pub(super) fn base64url_encode(arguments: &[Value]) -> Result<Value, Failure> {
    strings::made(engine(&alphabet::URL_SAFE).encode(string(arguments, 0)?.as_bytes()))
}

pub(super) fn base64url_encode_no_pad(arguments: &[Value]) -> Result<Value, Failure> {
    let padded = engine(&alphabet::URL_SAFE).encode(string(arguments, 0)?.as_bytes());
    strings::made(padded.trim_end_matches('='))
}

pub(super) fn base64url_decode(arguments: &[Value]) -> Result<Value, Failure> {
    text(base64url(string(arguments, 0)?)?)
}

/// Some encoders leave the padding out.
pub(super) fn base64url(encoded: &str) -> Result<Vec<u8>, Failure> {
    let padding = match encoded.len() & 3 {
        _ if encoded.ends_with('=') => "",
        0 => "",
        2 => "==",
        3 => "=",
        _ => return Err(Failure::Wrong(format!("illegal base64url string: {encoded}"))),
    };
    decoded(&format!("{encoded}{padding}"), &alphabet::URL_SAFE)
}

pub(super) fn hex_encode(arguments: &[Value]) -> Result<Value, Failure> {
    strings::made(super::crypto::hexadecimal(string(arguments, 0)?.as_bytes()))
}

pub(super) fn hex_decode(arguments: &[Value]) -> Result<Value, Failure> {
    let bytes = string(arguments, 0)?.as_bytes();
    let invalid = || Failure::Wrong("encoding/hex: invalid hexadecimal text".to_owned());
    let pair = |pair: &[u8]| match pair {
        [high, low] => hexadecimal(*high, *low).ok_or_else(invalid),
        _ => Err(invalid()),
    };
    text(bytes.chunks(2).map(pair).collect::<Result<Vec<u8>, _>>()?)
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit(high)?.checked_mul(16)?.checked_add(digit(low)?)
}

pub(super) fn urlquery_encode(arguments: &[Value]) -> Result<Value, Failure> {
    strings::made(escaped(string(arguments, 0)?))
}

fn escaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                result.push(char::from(byte))
            }
            b' ' => result.push('+'),
            byte => result.push_str(&format!("%{byte:02X}")),
        }
    }
    result
}

pub(super) fn urlquery_decode(arguments: &[Value]) -> Result<Value, Failure> {
    text(unescaped(string(arguments, 0)?)?)
}

fn unescaped(text: &str) -> Result<Vec<u8>, Failure> {
    let invalid = || Failure::Wrong(format!("invalid URL escape in {text:?}"));
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [b'%', high, low, rest @ ..] => {
                result.push(hexadecimal(*high, *low).ok_or_else(invalid)?);
                rest
            }
            [b'%', ..] => return Err(invalid()),
            [b'+', rest @ ..] => {
                result.push(b' ');
                rest
            }
            [byte, rest @ ..] => {
                result.push(*byte);
                rest
            }
            [] => return Ok(result),
        };
    }
}

pub(super) fn urlquery_encode_object(arguments: &[Value]) -> Result<Value, Failure> {
    let bad = || wrong(0, "values must be string, array[string], or set[string]");
    let mut pairs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in object(arguments, 0)?.iter_sorted() {
        let texts: Vec<&Value> = match value {
            Value::String(_) => vec![value],
            Value::Array(items) => items.iter().collect(),
            Value::Set(items) => items.iter_sorted().collect(),
            _ => return Err(bad()),
        };
        let Value::String(key) = key else {
            return Err(Failure::Beyond("is given a key that is not a string".to_owned()));
        };
        let plain =
            |value: &'_ Value| if let Value::String(text) = value { Some(text.to_string()) } else { None };
        if texts.iter().any(|text| plain(text).is_none()) {
            return Err(bad());
        }
        let texts = texts.into_iter().filter_map(|text| text.as_string().ok().map(AsRef::as_ref));
        pairs.insert(key, texts.collect());
    }
    let pair = |key: &str, value: &str| format!("{}={}", escaped(key), escaped(value));
    let all: Vec<String> =
        pairs.iter().flat_map(|(key, values)| values.iter().map(|value| pair(key, value))).collect();
    strings::made(all.join("&"))
}

pub(super) fn urlquery_decode_object(arguments: &[Value]) -> Result<Value, Failure> {
    let query = string(arguments, 0)?;
    let mut pairs: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if part.contains(';') {
            return Err(Failure::Wrong("invalid semicolon separator in query".to_owned()));
        }
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        pairs.entry(text(unescaped(key)?)?).or_default().push(text(unescaped(value)?)?);
    }
    Ok(Value::from(
        pairs.into_iter().map(|(key, values)| (key, Value::from(values))).collect::<BTreeMap<_, _>>(),
    ))
}
