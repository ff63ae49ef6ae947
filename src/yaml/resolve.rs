//! What a scalar means, after go-yaml v2 (resolve.go) and the JSON that sigs.k8s.io/yaml makes of it.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, general_purpose::PAD};
use serde_json::Value;

use super::number;

/// The prefix of YAML's own tags, `!!` for short.
pub(super) const OWN_TAGS: &str = "tag:yaml.org,2002:";

/// A scalar's meaning in go-yaml's types; JSON has fewer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// Beyond `i64`.
    Uint(u64),
    Float(f64),
    Text(String),
}

impl Scalar {
    /// The value in JSON. None: not in JSON.
    pub(super) fn into_json(self) -> Option<Value> {
        match self {
            Self::Null => Some(Value::Null),
            Self::Bool(bool) => Some(Value::from(bool)),
            Self::Int(int) => Some(Value::from(int)),
            Self::Uint(uint) => Some(Value::from(uint)),
            Self::Float(float) => number::to_json(float).map(Value::Number),
            Self::Text(text) => Some(Value::String(text)),
        }
    }

    /// The scalar as a member's name (sigs.k8s.io/yaml, convertToJSONableObject). None: it can't be one.
    pub(super) fn into_key(self) -> Option<String> {
        match self {
            Self::Bool(bool) => Some(bool.to_string()),
            Self::Int(int) => Some(int.to_string()),
            Self::Float(float) => Some(number::to_key(float)),
            Self::Text(text) => Some(text),
            Self::Null | Self::Uint(_) => None,
        }
    }
}

/// What a scalar means. `tag` in full or empty; `plain`: without quotes. An error is what is wrong.
pub(super) fn resolve(tag: &str, value: &str, plain: bool) -> Result<Scalar, String> {
    if tag.is_empty() {
        return Ok(if plain { resolve_plain(value) } else { Scalar::Text(value.to_owned()) });
    }
    let text = || Scalar::Text(value.to_owned());
    // go-yaml hands the text of other tags on as it is.
    let Some(kind @ ("bool" | "int" | "float" | "null" | "timestamp" | "binary")) =
        tag.strip_prefix(OWN_TAGS)
    else {
        return Ok(text());
    };
    let resolved = match (kind, resolve_plain(value)) {
        ("binary", _) => decode_binary(value),
        ("timestamp", _) => is_timestamp(value).then(text),
        ("float", Scalar::Int(int)) => number::exact(int).map(Scalar::Float),
        ("bool", found @ Scalar::Bool(_))
        | ("int", found @ (Scalar::Int(_) | Scalar::Uint(_)))
        | ("float", found @ Scalar::Float(_))
        | ("null", found @ Scalar::Null) => Some(found),
        _ => None,
    };
    resolved.ok_or_else(|| format!("`{value}` is no `!!{kind}`; correct the value, or remove the tag"))
}

/// What a scalar without quotes and tag means.
pub(super) fn resolve_plain(value: &str) -> Scalar {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => number::parse(value).unwrap_or_else(|| Scalar::Text(value.to_owned())),
    }
}

/// Base64 as Go's StdEncoding reads it, and the bytes as Go's JSON writes them: each one that is not UTF-8 becomes
/// U+FFFD.
pub(super) fn decode_binary(value: &str) -> Option<Scalar> {
    let engine = GeneralPurpose::new(&STANDARD, PAD.with_decode_allow_trailing_bits(true));
    let bytes = engine.decode(value.replace(['\n', '\r'], "")).ok()?;
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Some(Scalar::Text(text))
}

/// Whether go-yaml reads a text as a timestamp (allowedTimestampFormats): a date, alone, with a time in UTC behind a
/// space, or with a time and a zone behind a `T`.
pub(super) fn is_timestamp(value: &str) -> bool {
    let Some(at) = value.find(['T', 't', ' ']) else { return is_date(value) };
    let (Some(date), Some(time)) = (value.get(..at), value.get(at.saturating_add(1)..)) else { return false };
    if value.get(at..).is_some_and(|rest| rest.starts_with(' ')) {
        return is_date(date) && is_clock(time);
    }
    let clock = match (time.strip_suffix('Z'), time.rfind(['+', '-'])) {
        (Some(clock), _) => Some(clock),
        (None, Some(zone)) if time.get(zone.saturating_add(1)..).is_some_and(is_offset) => time.get(..zone),
        _ => None,
    };
    is_date(date) && clock.is_some_and(is_clock)
}

fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Some(year_number) = digits(year, 4..=4) else { return false };
    let is_leap = year_number % 4 == 0 && (year_number % 100 != 0 || year_number % 400 == 0);
    let days = match digits(month, 1..=2) {
        Some(1 | 3 | 5 | 7 | 8 | 10 | 12) => 31,
        Some(4 | 6 | 9 | 11) => 30,
        Some(2) if is_leap => 29,
        Some(2) => 28,
        _ => return false,
    };
    digits(day, 1..=2).is_some_and(|day| (1..=days).contains(&day))
}

fn is_clock(text: &str) -> bool {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let parts: Vec<Option<u32>> = clock.split(':').map(|part| digits(part, 1..=2)).collect();
    let is_in_day = matches!(parts.as_slice(), [Some(..24), Some(..60), Some(..60)]);
    is_in_day && !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_offset(text: &str) -> bool {
    let parts = text.split_once(':').map(|(hours, minutes)| (digits(hours, 2..=2), digits(minutes, 2..=2)));
    matches!(parts, Some((Some(..=24), Some(..=60))))
}

fn digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(kind: &str, value: &str) -> Result<Scalar, String> {
        resolve(&format!("{OWN_TAGS}{kind}"), value, false)
    }

    fn text(value: &str) -> Result<Scalar, String> {
        Ok(Scalar::Text(value.to_owned()))
    }

    #[test]
    fn words_of_yaml_1_1_in_three_spellings() {
        let words = [("yes", true), ("On", true), ("y", true), ("TRUE", true), ("N", false), ("off", false)];
        for (word, expected) in words {
            assert_eq!(resolve_plain(word), Scalar::Bool(expected), "{word}");
        }
        for word in ["yEs", "nULL", "oN", "tRUE"] {
            assert_eq!(Ok(resolve_plain(word)), text(word));
        }
    }

    #[test]
    fn tags_are_obeyed_or_refused() {
        assert_eq!(tagged("str", "yes"), text("yes"));
        assert_eq!(tagged("int", "3"), Ok(Scalar::Int(3)));
        assert_eq!(tagged("float", "3"), Ok(Scalar::Float(3.0)));
        assert_eq!(tagged("bool", "on"), Ok(Scalar::Bool(true)));
        assert_eq!(tagged("null", ""), Ok(Scalar::Null));
        assert_eq!(tagged("binary", "aG\nk="), text("hi"));
        assert_eq!(tagged("binary", "aP//"), text("h\u{fffd}\u{fffd}"));
        assert_eq!(resolve("!mine", "3", false), text("3"));
        for (kind, value) in
            [("int", "x"), ("int", "1.5"), ("null", "x"), ("binary", "?"), ("bool", "1"), ("float", "")]
        {
            assert!(tagged(kind, value).is_err(), "{kind} {value}");
        }
    }

    #[test]
    fn timestamps_are_texts_that_look_like_one() {
        let good = [
            "2001-1-2",
            "2000-02-29",
            "2001-01-02 3:4:5.678",
            "2001-01-02T03:04:05Z",
            "2001-1-2t3:4:5,6+01:30",
        ];
        for value in good {
            assert_eq!(tagged("timestamp", value), text(value));
        }
        let bad = [
            "2001-13-01",
            "2001-02-29",
            "01-01-01",
            "2001-01-02 24:00:00",
            "2001-01-02T03:04:05",
            "2001-01-02 ",
            "x",
        ];
        for value in bad {
            assert!(tagged("timestamp", value).is_err(), "{value}");
        }
    }

    #[test]
    fn keys_are_texts() {
        for (value, expected) in [("0x10", "16"), ("yes", "true"), ("a", "a"), ("1e3", "1000")] {
            assert_eq!(resolve_plain(value).into_key().as_deref(), Some(expected), "{value}");
        }
        for value in ["~", "18446744073709551615"] {
            assert_eq!(resolve_plain(value).into_key(), None, "{value}");
        }
    }
}
