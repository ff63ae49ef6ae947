//! What a scalar means, after go-yaml v3 (resolve.go).

use super::super::number;
use super::super::resolve::{OWN_TAGS, Scalar, is_timestamp};

/// The tags that scalars without one have, short.
pub(super) const STRING: &str = "!!str";
pub(super) const MERGE: &str = "!!merge";
pub(super) const TIMESTAMP: &str = "!!timestamp";
const NULL: &str = "!!null";

/// `tag:yaml.org,2002:int` is `!!int`.
pub(super) fn short(tag: &str) -> String {
    match tag.strip_prefix(OWN_TAGS) {
        Some(name) => format!("!!{name}"),
        None => tag.to_owned(),
    }
}

/// The tag and the meaning of a scalar without quotes and tag. A timestamp means its text: nothing asks for more.
pub(super) fn plain(value: &str) -> (&'static str, Scalar) {
    let text = || Scalar::Text(value.to_owned());
    let float = |float| ("!!float", Scalar::Float(float));
    match value {
        "" | "~" | "null" | "Null" | "NULL" => return (NULL, Scalar::Null),
        "true" | "True" | "TRUE" => return ("!!bool", Scalar::Bool(true)),
        "false" | "False" | "FALSE" => return ("!!bool", Scalar::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return float(f64::NEG_INFINITY),
        _ if is_timestamp(value) => return (TIMESTAMP, text()),
        _ => {}
    }
    match number::parse(value).or_else(|| signed_octal(value)) {
        Some(Scalar::Float(value)) => float(value),
        Some(integer) => ("!!int", integer),
        None => (STRING, text()),
    }
}

/// Behind the prefix of 1.2 go-yaml reads a sign, too: `0o-7` is -7.
fn signed_octal(value: &str) -> Option<Scalar> {
    let plain = value.replace('_', "");
    let digits = plain.strip_prefix("0o").filter(|digits| digits.starts_with(['+', '-']))?;
    i64::from_str_radix(digits, 8).ok().map(Scalar::Int)
}

/// What a scalar of a tag means. Other tags than these make a text of it.
///
/// # Errors
/// It is nothing of the tag's kind.
pub(super) fn tagged(tag: &str, value: &str) -> Result<Scalar, String> {
    let text = || Scalar::Text(value.to_owned());
    if !["!!bool", "!!int", "!!float", NULL, TIMESTAMP].contains(&tag) {
        return Ok(text());
    }
    match (tag, plain(value)) {
        ("!!float", ("!!int", Scalar::Int(integer))) => {
            number::exact(integer).map(Scalar::Float).ok_or_else(String::new)
        }
        (_, (found, scalar)) if found == tag => Ok(scalar),
        (_, (found, _)) => Err(format!("cannot decode {found} `{value}` as a {tag}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_left_of_yaml_1_1() {
        let text = |value: &str| Scalar::Text(value.to_owned());
        let cases = [
            ("yes", STRING, text("yes")),
            ("off", STRING, text("off")),
            ("0777", "!!int", Scalar::Int(511)),
            ("0o17", "!!int", Scalar::Int(15)),
            ("0o-7", "!!int", Scalar::Int(-7)),
            ("1_000", "!!int", Scalar::Int(1_000)),
            ("12:30", STRING, text("12:30")),
            ("2001-01-02", TIMESTAMP, text("2001-01-02")),
            ("<<", STRING, text("<<")),
            ("1e3", "!!float", Scalar::Float(1e3)),
            ("TRUE", "!!bool", Scalar::Bool(true)),
            ("~", NULL, Scalar::Null),
        ];
        for (value, tag, scalar) in cases {
            assert_eq!(plain(value), (tag, scalar), "{value}");
        }
    }

    #[test]
    fn tags_are_obeyed_or_refused() {
        assert_eq!(tagged("!!float", "3"), Ok(Scalar::Float(3.0)));
        assert_eq!(tagged("!mine", "3"), Ok(Scalar::Text("3".to_owned())));
        assert!(tagged("!!int", "1.5").is_err() && tagged("!!bool", "yes").is_err());
    }
}
