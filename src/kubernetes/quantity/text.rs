//! The text of a quantity, read and written.

use num_bigint::BigInt;

use super::{Format, MAX_EXPONENT, MAX_LENGTH, Quantity, QuantityError, divide_away_from_zero, nanos_in};

/// Suffixes and their exponents, of ten.
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];

/// Suffixes and their exponents, of two.
const BINARY: [(&str, i32); 6] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

/// What stands behind a number: the number counts times 10^exponent, or 2^exponent for binary suffixes.
#[derive(Clone, Copy)]
struct Suffix {
    format: Format,
    exponent: i32,
}

pub(super) fn parse(text: &str) -> Result<Quantity, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    if text.len() > MAX_LENGTH {
        return Err(QuantityError::OutOfBounds);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, rest) = split_digits(unsigned);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    let suffix = parse_suffix(rest)?;
    if !(-MAX_EXPONENT..=MAX_EXPONENT).contains(&suffix.exponent) {
        return Err(QuantityError::OutOfBounds);
    }
    // Kubernetes reads a missing number as zero where 64 bits and nine places suffice, and refuses it elsewhere.
    let missing = whole.is_empty() && fraction.is_empty();
    if missing && (suffix.exponent < -9 || suffix.format == Format::BinarySi && suffix.exponent > 40) {
        return Err(QuantityError::Format);
    }
    let digits = BigInt::parse_bytes(format!("{whole}{fraction}").as_bytes(), 10).unwrap_or_default();
    let places = u32::try_from(fraction.len()).map_err(|_| QuantityError::OutOfBounds)?;
    Ok(amount(text.starts_with('-'), digits, places, suffix))
}

/// The canonical text. Fractions and magnitudes below 1024 are written in decimal even if the format is binary.
pub(super) fn canonical(nanos: &BigInt, format: Format) -> String {
    let unit = nanos_in(0);
    let units = divide_away_from_zero(nanos, &unit);
    if format == Format::BinarySi && is_multiple(nanos, &unit) && units.bits() > 10 {
        let (mantissa, exponent) = shorten(units, 1024, 0, 10, 60);
        return format!("{mantissa}{}", name(&BINARY, exponent));
    }
    if format == Format::DecimalExponent {
        let (mantissa, exponent) = shorten(nanos.clone(), 1000, -9, 3, MAX_EXPONENT);
        return if exponent == 0 { mantissa.to_string() } else { format!("{mantissa}e{exponent}") };
    }
    let (mantissa, exponent) = shorten(nanos.clone(), 1000, -9, 3, 18);
    format!("{mantissa}{}", name(&DECIMAL, exponent))
}

fn split_digits(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (text.strip_suffix(rest).unwrap_or(text), rest)
}

fn parse_suffix(text: &str) -> Result<Suffix, QuantityError> {
    let named =
        |table: &[(&str, i32)]| table.iter().find(|(name, _)| *name == text).map(|(_, exponent)| *exponent);
    if let Some(exponent) = named(&DECIMAL) {
        return Ok(Suffix { format: Format::DecimalSi, exponent });
    }
    if let Some(exponent) = named(&BINARY) {
        return Ok(Suffix { format: Format::BinarySi, exponent });
    }
    // Kubernetes tells letters, sign and digits of the wrong kind from what is no suffix at all.
    let behind_letters = text.trim_start_matches(|c| "eEinumkKMGTP".contains(c));
    let (_, rest) = split_digits(behind_letters.strip_prefix(['+', '-']).unwrap_or(behind_letters));
    if !rest.is_empty() {
        return Err(QuantityError::Format);
    }
    let exponent: i64 = text
        .strip_prefix(['e', 'E'])
        .and_then(|exponent| exponent.parse().ok())
        .ok_or(QuantityError::Suffix)?;
    let exponent = i32::try_from(exponent).map_err(|_| QuantityError::OutOfBounds)?;
    Ok(Suffix { format: Format::DecimalExponent, exponent })
}

/// `digits`, the last of them `places` behind the point, times the suffix; rounded, capped, and as it will be written.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a BigInt does not overflow; texts and exponents are bounded"
)]
fn amount(negative: bool, digits: BigInt, places: u32, suffix: Suffix) -> Quantity {
    let binary = suffix.format == Format::BinarySi;
    let (twos, tens) = if binary { (suffix.exponent, 0) } else { (0, suffix.exponent) };
    let power = |base: i32, exponent: i32| BigInt::from(base).pow(u32::try_from(exponent).unwrap_or(0));
    let numerator = digits * power(2, twos) * power(10, tens) * nanos_in(0);
    let denominator = power(10, -tens) * BigInt::from(10).pow(places);
    let mut nanos = divide_away_from_zero(&numerator, &denominator);
    let mut format = suffix.format;
    if binary {
        nanos = nanos.min(BigInt::from(i64::MAX) * nanos_in(0));
        if nanos > BigInt::ZERO && nanos < nanos_in(0) {
            format = Format::DecimalSi;
        }
    }
    Quantity { nanos: if negative { -nanos } else { nanos }, format }
}

/// Divides while nothing is lost: each time `factor` goes, the exponent rises by `step`, to at most `highest`.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "a BigInt does not overflow, and the exponent is at most `highest`"
)]
fn shorten(mut mantissa: BigInt, factor: u32, lowest: i32, step: i32, highest: i32) -> (BigInt, i32) {
    let factor = BigInt::from(factor);
    if mantissa == BigInt::ZERO {
        return (mantissa, 0);
    }
    let mut exponent = lowest;
    while exponent + step <= highest && is_multiple(&mantissa, &factor) {
        mantissa /= &factor;
        exponent += step;
    }
    (mantissa, exponent)
}

#[expect(clippy::arithmetic_side_effects, reason = "no divisor here is zero")]
fn is_multiple(dividend: &BigInt, divisor: &BigInt) -> bool {
    dividend % divisor == BigInt::ZERO
}

fn name(table: &[(&'static str, i32)], exponent: i32) -> &'static str {
    table.iter().find(|(_, other)| *other == exponent).map_or("", |(name, _)| name)
}
