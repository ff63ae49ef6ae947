//! `units.*`: amounts with units, reckoned exactly.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a BigInt does not overflow, and no divisor here is zero"
)]

use num_bigint::BigInt;
use regorus::Value;

use super::Failure;
use super::arguments::string;
use super::number::{Number, of_integer};

/// Digits of an exponent; more would be a number without end.
const EXPONENT_DIGITS: usize = 6;
/// Digits behind the point of what is no integer.
const DECIMALS: usize = 10;

/// A fraction; the denominator is more than nothing.
struct Fraction {
    numerator: BigInt,
    denominator: BigInt,
}

pub(super) fn parse(arguments: &[Value]) -> Result<Value, Failure> {
    let raw = string(arguments, 0)?.replace('"', "");
    // Only `m` for a thousandth and `M` for a million differ by their case.
    let (amount, unit) = amount_and_unit(&raw, "units.parse")?;
    let factor = if unit == "m" {
        Fraction { numerator: BigInt::from(1), denominator: BigInt::from(1_000) }
    } else {
        let lower = unit.to_lowercase();
        whole(
            factor(&lower, false)
                .ok_or_else(|| wrong("units.parse", &format!("unit {unit} not recognized")))?,
        )
    };
    let number =
        fraction(amount).ok_or_else(|| wrong("units.parse", "could not parse amount to a number"))?;
    let numerator = number.numerator * factor.numerator;
    let denominator = number.denominator * factor.denominator;
    if &numerator % &denominator == BigInt::from(0) {
        return Ok(of_integer(&(numerator / denominator)));
    }
    let text = rounded(&numerator, &denominator);
    let number: f64 = text.parse().map_err(|_| wrong("units.parse", "could not parse amount to a number"))?;
    Number::from_double(number).map(Number::into_value)
}

pub(super) fn parse_bytes(arguments: &[Value]) -> Result<Value, Failure> {
    let raw = string(arguments, 0)?.to_lowercase().replace('"', "");
    let (amount, unit) = amount_and_unit(&raw, "units.parse_bytes")?;
    let unknown = || wrong("units.parse_bytes", &format!("byte unit {unit} not recognized"));
    let factor = factor(unit, true).ok_or_else(unknown)?;
    let number = fraction(amount)
        .ok_or_else(|| wrong("units.parse_bytes", "could not parse byte amount to a number"))?;
    Ok(of_integer(&(number.numerator * factor / number.denominator)))
}

fn wrong(name: &str, what: &str) -> Failure {
    Failure::Wrong(format!("{name}: {what}"))
}

fn whole(number: BigInt) -> Fraction {
    Fraction { numerator: number, denominator: BigInt::from(1) }
}

/// `bytes`: a `b` may follow, and the binary units are written `ki` or `kib`.
fn factor(unit: &str, bytes: bool) -> Option<BigInt> {
    let letters = if bytes && unit.len() > 1 { unit.strip_suffix('b').unwrap_or(unit) } else { unit };
    let (letter, base) = letters.strip_suffix('i').map_or((letters, 1_000), |letter| (letter, 1_024));
    let power = match letter {
        "" if base == 1_000 => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        "e" => 6,
        _ => return None,
    };
    Some(BigInt::from(base).pow(power))
}

/// Splits after the number, which may have an exponent.
fn amount_and_unit<'a>(text: &'a str, name: &str) -> Result<(&'a str, &'a str), Failure> {
    if text.contains(' ') {
        return Err(wrong(name, "spaces not allowed in resource strings"));
    }
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = 0_usize;
    while let Some(byte) = bytes.get(at) {
        let after = at.saturating_add(1);
        match byte {
            b'0'..=b'9' | b'.' | b'+' | b'-' => at = after,
            b'e' | b'E' => {
                let signed = matches!(bytes.get(after), Some(b'+' | b'-'));
                if !signed && !digit(after) {
                    break;
                }
                at = if signed { after.saturating_add(1) } else { after };
                let digits = bytes.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count();
                if digits > EXPONENT_DIGITS {
                    return Err(wrong(name, "exponent too large"));
                }
            }
            _ => break,
        }
    }
    match text.split_at_checked(at) {
        Some(("", _)) | None => Err(wrong(name, "no amount provided")),
        Some(parts) => Ok(parts),
    }
}

/// `-1.5e3`
fn fraction(text: &str) -> Option<Fraction> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{before}{behind}");
    if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number: BigInt = all.parse().ok()?;
    let number = if negative { -number } else { number };
    let exponent: i64 = exponent.parse().ok()?;
    let exponent = exponent.checked_sub(i64::try_from(behind.len()).ok()?)?;
    // As long as this it takes seconds to print.
    let power =
        BigInt::from(10).pow(u32::try_from(exponent.unsigned_abs()).ok().filter(|power| *power < 20_000)?);
    Some(if exponent < 0 {
        Fraction { numerator: number, denominator: power }
    } else {
        whole(number * power)
    })
}

/// With ten digits behind the point, the last one rounded away from zero at a half.
fn rounded(numerator: &BigInt, denominator: &BigInt) -> String {
    let negative = numerator.sign() == num_bigint::Sign::Minus;
    let magnitude = BigInt::from(numerator.magnitude().clone());
    let scaled = magnitude * BigInt::from(10).pow(u32::try_from(DECIMALS).unwrap_or_default());
    let digits: BigInt = (scaled * BigInt::from(2) + denominator) / (denominator * BigInt::from(2));
    let digits =
        format!("{digits:0>width$}", width = DECIMALS.saturating_add(1), digits = digits.to_string());
    let (before, behind) = digits.split_at_checked(digits.len().saturating_sub(DECIMALS)).unwrap_or_default();
    format!("{}{before}.{behind}", if negative { "-" } else { "" })
}
