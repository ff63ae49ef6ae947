//! `io.jwt.*`: reading tokens, and verifying them with keys that the policy gives: pure, so it is here. Making
//! tokens is refused. The time is never the clock's: where a token has one, the call has to say what time it is.

mod keys;
mod verify;

use std::collections::BTreeMap;

use regorus::Value;
use regorus::value::Object;
use std::sync::Arc;

use super::arguments::{object, string};
use super::encoding::base64url;
use super::number::Number;
use super::{Failure, json};
use keys::{Key, Material};

/// The three parts as they stand in a token.
struct Token<'a> {
    /// Header and payload: what is signed.
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    fn of(text: &'a str) -> Result<Self, Failure> {
        let wrong = |what: String| Err(Failure::Wrong(what));
        let parts: Vec<&str> = text.split('.').collect();
        match parts.as_slice() {
            [header, payload, signature] => {
                let signed = text.rsplit_once('.').map_or(text, |(signed, _)| signed);
                Ok(Self { signed, header, payload, signature })
            }
            [_] => wrong("encoded JWT had no period separators".to_owned()),
            parts => wrong(format!("encoded JWT must have 3 sections, found {}", parts.len())),
        }
    }

    fn header(&self) -> Result<Arc<Object>, Failure> {
        let header = object_of(&decoded("header", self.header)?, "bad JWT header: ")?;
        if header.get(&Value::from("enc")).is_some() {
            return Err(Failure::Wrong("JWT is a JWE object, which is not supported".to_owned()));
        }
        Ok(header)
    }

    fn signature(&self) -> Result<Vec<u8>, Failure> {
        base64url(self.signature)
    }
}

fn decoded(what: &str, encoded: &str) -> Result<String, Failure> {
    let bytes = base64url(encoded).map_err(|failure| match failure {
        Failure::Wrong(why) => Failure::Wrong(format!("JWT {what} had invalid encoding: {why}")),
        beyond => beyond,
    })?;
    String::from_utf8(bytes)
        .map_err(|_| Failure::Beyond("is given a token that is no text (UTF-8)".to_owned()))
}

fn object_of(text: &str, context: &str) -> Result<Arc<Object>, Failure> {
    match json::read(text) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Failure::Wrong(format!("{context}decoded JSON type was not an Object"))),
        Err(Failure::Wrong(why)) => Err(Failure::Wrong(format!("{context}invalid JSON: {why}"))),
        Err(beyond) => Err(beyond),
    }
}

pub(super) fn decode(arguments: &[Value]) -> Result<Value, Failure> {
    let mut text = string(arguments, 0)?.to_string();
    loop {
        let token = Token::of(&text)?;
        let header = token.header()?;
        let payload = decoded("payload", token.payload)?;
        match header.get(&Value::from("cty")) {
            // A token in a token; its quotes are not part of it.
            Some(Value::String(kind)) if kind.as_ref() == "JWT" => {
                text = payload.trim_matches(['"', '\'']).to_owned();
            }
            Some(Value::String(_)) | None => {
                let payload = object_of(&payload, "")?;
                let signature = base64url(token.signature).map_err(|failure| match failure {
                    Failure::Wrong(why) => {
                        Failure::Wrong(format!("JWT signature had invalid encoding: {why}"))
                    }
                    beyond => beyond,
                })?;
                let signature = Value::from(super::crypto::hexadecimal(&signature));
                return Ok(Value::from(vec![Value::Object(header), Value::Object(payload), signature]));
            }
            Some(_) => {
                return Err(Failure::Beyond("is given a token whose `cty` is not a string".to_owned()));
            }
        }
    }
}

/// What of a header says how to verify.
struct Header {
    alg: String,
    kid: String,
    cty: String,
    /// It demands something that nobody knows.
    critical: bool,
}

impl Header {
    fn of(members: &Object) -> Result<Self, Failure> {
        let text = |name: &str| match members.get(&Value::from(name)) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.to_string()),
            Some(_) => Err(Failure::Wrong(format!("{name}: must be a string"))),
        };
        let known = ["alg", "kid", "typ", "cty", "crit"];
        let critical = match members.get(&Value::from("crit")) {
            None => false,
            Some(Value::Array(names)) if !names.is_empty() => names.iter().any(|name| {
                let unknown = |name: &Value| !known.iter().any(|known| *name == Value::from(*known));
                unknown(name) && members.contains_key(name)
            }),
            Some(_) => return Err(Failure::Wrong("crit: must be a nonempty list".to_owned())),
        };
        text("typ")?;
        Ok(Self { alg: text("alg")?, kid: text("kid")?, cty: text("cty")?, critical })
    }
}

/// Verifies with keys, a token's own algorithm having to be the function's.
fn verified(arguments: &[Value], alg: &str) -> Result<Value, Failure> {
    let token = Token::of(string(arguments, 0)?)?;
    let keys = keys::read(string(arguments, 1)?)?;
    let signature = token.signature()?;
    let header = Header::of(&*token.header()?)?;
    let holds = |key: &Key| verify::holds(&key.material, alg, token.signed.as_bytes(), &signature);
    if !header.kid.is_empty()
        && let Some(key) = keys.iter().find(|key| key.kid == header.kid)
    {
        return holds(key).map(Value::from);
    }
    for key in keys.iter().filter(|key| key.alg.is_empty() || key.alg == header.alg) {
        if holds(key)? {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

/// Verifies with a secret.
fn authentic(arguments: &[Value], alg: &str) -> Result<Value, Failure> {
    let token = Token::of(string(arguments, 0)?)?;
    let key = Material::Secret(string(arguments, 1)?.as_bytes().to_vec());
    verify::holds(&key, alg, token.signed.as_bytes(), &token.signature()?).map(Value::from)
}

pub(super) fn verify_hs256(arguments: &[Value]) -> Result<Value, Failure> {
    authentic(arguments, "HS256")
}

pub(super) fn verify_hs384(arguments: &[Value]) -> Result<Value, Failure> {
    authentic(arguments, "HS384")
}

pub(super) fn verify_hs512(arguments: &[Value]) -> Result<Value, Failure> {
    authentic(arguments, "HS512")
}

pub(super) fn verify_rs256(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "RS256")
}

pub(super) fn verify_rs384(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "RS384")
}

pub(super) fn verify_rs512(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "RS512")
}

pub(super) fn verify_ps256(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "PS256")
}

pub(super) fn verify_ps384(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "PS384")
}

pub(super) fn verify_ps512(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "PS512")
}

pub(super) fn verify_es256(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "ES256")
}

pub(super) fn verify_es384(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "ES384")
}

pub(super) fn verify_es512(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "ES512")
}

pub(super) fn verify_eddsa(arguments: &[Value]) -> Result<Value, Failure> {
    verified(arguments, "EdDSA")
}

/// What a token has to satisfy.
#[derive(Default)]
struct Constraints {
    keys: Option<Vec<Key>>,
    secret: String,
    alg: String,
    iss: String,
    aud: String,
    /// In nanoseconds.
    time: Option<f64>,
}

impl Constraints {
    fn of(members: &Object) -> Result<Self, Failure> {
        let mut all = Self::default();
        for (name, value) in members.iter_sorted() {
            let text = || string(std::slice::from_ref(value), 0).map(ToString::to_string);
            let text = || text().map_err(|_| Failure::Wrong(format!("{name} constraint: must be a string")));
            match name.as_string().map(AsRef::as_ref) {
                Ok("cert") => all.keys = Some(keys::read(&text()?)?),
                Ok("secret") => all.secret = text()?,
                Ok("alg") => all.alg = text()?,
                Ok("iss") => all.iss = text()?,
                Ok("aud") => all.aud = text()?,
                Ok("time") => {
                    let time = Number::of(value).map(|time| time.to_double()).filter(|time| *time >= 0.0);
                    let wrong = || Failure::Wrong("token time constraint: must be a number".to_owned());
                    all.time = Some(time.ok_or_else(wrong)?);
                }
                _ => return Err(Failure::Wrong(format!("unknown token validation constraint: {name}"))),
            }
        }
        match (&all.keys, all.secret.is_empty()) {
            (Some(_), false) => Err(Failure::Wrong("duplicate key constraints".to_owned())),
            (None, true) => Err(Failure::Wrong("no key constraint".to_owned())),
            _ => Ok(all),
        }
    }

    /// Whether the signature is that of one of the keys.
    fn verify(&self, header: &Header, token: &Token<'_>) -> Result<bool, Failure> {
        let signature = token.signature()?;
        let holds =
            |material: &Material| verify::holds(material, &header.alg, token.signed.as_bytes(), &signature);
        let Some(keys) = &self.keys else { return holds(&Material::Secret(self.secret.as_bytes().to_vec())) };
        if !header.kid.is_empty()
            && let Some(key) = keys.iter().find(|key| key.kid == header.kid)
        {
            return holds(&key.material);
        }
        for key in keys.iter().filter(|key| key.alg.is_empty() || key.alg == header.alg) {
            if holds(&key.material)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the claims fit.
    fn admit(&self, payload: &Object) -> Result<bool, Failure> {
        let claim = |name: &str| payload.get(&Value::from(name));
        if !self.iss.is_empty() && claim("iss") != Some(&Value::from(self.iss.as_str())) {
            return Ok(false);
        }
        let wanted = Value::from(self.aud.as_str());
        let admitted = match claim("aud") {
            None => self.aud.is_empty(),
            Some(Value::Array(audiences)) => audiences.contains(&wanted),
            Some(audience) => *audience == wanted,
        };
        if !admitted {
            return Ok(false);
        }
        // Seconds in the token, nanoseconds in the call.
        let seconds = |name: &str| match claim(name) {
            None => Ok(None),
            Some(value @ Value::Number(_)) => {
                let now = self.time.ok_or_else(|| {
                    let what = "is given a token with times and no time; hand over `time` with the other constraints";
                    Failure::Beyond(what.to_owned())
                })?;
                Ok(Number::of(value).map(|then| (now / 1e9, then.to_double())))
            }
            Some(_) => Err(Failure::Wrong(format!("{name} value must be a number"))),
        };
        let expired = seconds("exp")?.is_some_and(|(now, end)| now >= end);
        Ok(!expired && !seconds("nbf")?.is_some_and(|(now, start)| now < start))
    }
}

pub(super) fn decode_verify(arguments: &[Value]) -> Result<Value, Failure> {
    let constraints = Constraints::of(object(arguments, 1)?)?;
    let empty = || Value::from(BTreeMap::new());
    let unverified = Ok(Value::from(vec![Value::from(false), empty(), empty()]));
    let mut text = string(arguments, 0)?.to_string();
    loop {
        let token = Token::of(&text)?;
        let members = token.header()?;
        let header = Header::of(&members)?;
        let wanted = constraints.alg.is_empty() || constraints.alg == header.alg;
        if header.alg.is_empty() || header.critical || !wanted || !constraints.verify(&header, &token)? {
            return unverified;
        }
        let payload = decoded("payload", token.payload)?;
        if header.cty.eq_ignore_ascii_case("JWT") {
            text = payload;
            continue;
        }
        let payload = object_of(&payload, "")?;
        if !constraints.admit(&payload)? {
            return unverified;
        }
        return Ok(Value::from(vec![Value::from(true), Value::Object(members), Value::Object(payload)]));
    }
}
