//! Numbers as go-yaml v2 reads them (resolve.go), and as Go writes them in JSON and in keys.

use serde_json::Number;

use super::resolve::Scalar;

/// What a scalar without quotes and tag is as a number. None: none.
pub(super) fn parse(value: &str) -> Option<Scalar> {
    match value.bytes().next()? {
        b'.' if are_underscores_between_digits(value) => float(&value.replace('_', "")).map(Scalar::Float),
        b'0'..=b'9' | b'+' | b'-' => {
            let value = value.replace('_', "");
            integer(&value).or_else(|| float(&value).map(Scalar::Float)).or_else(|| signed_binary(&value))
        }
        _ => None,
    }
}

/// A double in JSON as sigs.k8s.io/yaml passes it on: Go writes an integral one below 1e21 like an integer, with as
/// many digits as make it unique and then zeros. None: not finite.
pub(super) fn to_json(float: f64) -> Option<Number> {
    if float.fract() == 0.0 && float.abs() < 1e21 {
        let digits = format!("{float}");
        let signed = digits.parse::<i64>().map(Number::from);
        if let Ok(integer) = signed.or_else(|_| digits.parse::<u64>().map(Number::from)) {
            return Some(integer);
        }
    }
    Number::from_f64(float)
}

/// A double as go-yaml v3 writes it (Go: FormatFloat(f, 'g', -1, 64)).
pub(super) fn to_text(float: f64) -> String {
    in_words(float).map_or_else(|| shortest(&format!("{float:e}"), &float), str::to_owned)
}

/// A double as a key, which sigs.k8s.io/yaml writes in single precision (Go: FormatFloat(f, 'g', -1, 32)).
pub(super) fn to_key(float: f64) -> String {
    #[expect(
        clippy::as_conversions,
        reason = "the rounding of Go's float32(), which no conversion trait has"
    )]
    let single = float as f32;
    in_words(single.into()).map_or_else(|| shortest(&format!("{single:e}"), &single), str::to_owned)
}

/// What has no digits.
fn in_words(float: f64) -> Option<&'static str> {
    match float {
        float if float.is_nan() => Some(".nan"),
        f64::INFINITY => Some(".inf"),
        f64::NEG_INFINITY => Some("-.inf"),
        _ => None,
    }
}

/// Go's %g for the shortest digits.
fn shortest(scientific: &str, float: &dyn std::fmt::Display) -> String {
    let exponent =
        scientific.split_once('e').and_then(|(mantissa, exponent)| Some((mantissa, exponent.parse().ok()?)));
    match exponent {
        Some((mantissa, exponent @ (..-4 | 6..))) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", i32::unsigned_abs(exponent))
        }
        _ => format!("{float}"),
    }
}

/// An integer as the double that is nearest.
pub(super) fn exact(integer: i64) -> Option<f64> {
    integer.to_string().parse().ok()
}

/// Go's strconv.ParseInt(…, 0, 64) and then ParseUint: prefixes 0x, 0o, 0b, and 0 for octal; no sign beyond `i64`.
fn integer(text: &str) -> Option<Scalar> {
    let magnitude = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = magnitude.to_ascii_lowercase();
    let based = |prefix, radix| lower.strip_prefix(prefix).map(|digits| (digits, radix));
    let octal = || based("0", 8).filter(|(digits, _)| !digits.is_empty());
    let prefixed = based("0x", 16).or_else(|| based("0o", 8)).or_else(|| based("0b", 2)).or_else(octal);
    let (digits, radix) = prefixed.unwrap_or((&lower, 10));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    let signed = i64::from_str_radix(&format!("{sign}{digits}"), radix).ok().map(Scalar::Int);
    let is_signed = magnitude.len() < text.len();
    signed.or_else(|| u64::from_str_radix(digits, radix).ok().filter(|_| !is_signed).map(Scalar::Uint))
}

/// go-yaml reads behind the prefix with a sign, too: `0b-1` is -1.
fn signed_binary(text: &str) -> Option<Scalar> {
    let digits = text.strip_prefix("0b").filter(|digits| digits.starts_with(['+', '-']))?;
    i64::from_str_radix(digits, 2).ok().map(Scalar::Int)
}

/// A decimal number (go-yaml's yamlStyleFloat); one beyond all doubles is none.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = unsigned.starts_with(|first: char| first.is_ascii_digit())
        || unsigned
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    let is_plain =
        |character: char| character.is_ascii_digit() || matches!(character, '.' | 'e' | 'E' | '+' | '-');
    if !is_number || !unsigned.chars().all(is_plain) {
        return None;
    }
    text.parse().ok().filter(|float: &f64| float.is_finite())
}

fn are_underscores_between_digits(text: &str) -> bool {
    let mut parts = text.split('_').peekable();
    let mut is_first = true;
    while let Some(part) = parts.next() {
        let begins = is_first || part.starts_with(|first: char| first.is_ascii_digit());
        let ends = parts.peek().is_none() || part.ends_with(|last: char| last.is_ascii_digit());
        if !begins || !ends {
            return false;
        }
        is_first = false;
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_what_kubectl_sends() {
        let cases = [
            ("0777", json!(511)),
            ("0o17", json!(15)),
            ("0X1F", json!(31)),
            ("-0b11", json!(-3)),
            ("0b-1", json!(-1)),
            ("1_000", json!(1000)),
            ("089", json!(89)),
            ("1e3", json!(1000)),
            ("1.0", json!(1)),
            ("1.50", json!(1.5)),
            (".5", json!(0.5)),
            (".5_0", json!(0.5)),
            ("1.", json!(1)),
            ("+.5", json!(0.5)),
            ("-0.0", json!(0)),
            ("1e21", json!(1e21)),
            ("1e19", json!(10_000_000_000_000_000_000_u64)),
            ("1.2345678901234567e18", json!(1_234_567_890_123_456_800_i64)),
            ("18446744073709551615", json!(u64::MAX)),
            ("18446744073709551616", json!(18_446_744_073_709_552_000.0)),
            ("-9223372036854775809", json!(-9_223_372_036_854_775_808.0)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).and_then(|scalar| scalar.into_json()), Some(expected), "{text}");
        }
    }

    #[test]
    fn texts_are_no_numbers() {
        for text in [
            "-", "+", ".", "1:30", "0x", "0b", "-0b-1", "1.2.3", "100m", "1e", "1e999", "._5", ".5_",
            ".5__0", "_1", "inf",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn keys_have_single_precision() {
        let keys = [
            (1.5, "1.5"),
            (1e6, "1e+06"),
            (1_000_000.5, "1.0000005e+06"),
            (1e300, ".inf"),
            (-0.0, "-0"),
            (1e-5, "1e-05"),
            (0.1, "0.1"),
        ];
        for (float, expected) in keys {
            assert_eq!(to_key(float), expected);
        }
    }
}
