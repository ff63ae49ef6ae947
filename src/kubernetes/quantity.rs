//! Kubernetes' quantities: `500m`, `1.5Gi`, `1e3`. Read, compared, added and written as the API server does, but
//! exactly: no value ever wraps around or passes through a float. Called wherever a resource's amount is judged.
//!
//! Source: `k8s.io/apimachinery`, `pkg/api/resource`.

mod text;

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use serde_json::Value;

/// How many bytes a text may have: above it nothing is meant, and what is refused costs nothing.
const MAX_LENGTH: usize = 256;

/// How large an exponent may be, in magnitude. Kubernetes takes any of 32 bits and computes with that power of ten.
const MAX_EXPONENT: i32 = 100;

/// An exact amount, a whole number of nanos, and the way it is written. Compared by amount alone: `1k` equals `1e3`.
#[derive(Clone, Debug)]
pub struct Quantity {
    nanos: BigInt,
    format: Format,
}

/// The family of suffixes that a quantity is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Powers of ten by name: n, u, m, none, k, M, G, T, P, E.
    DecimalSi,
    /// Powers of 1024 by name: Ki, Mi, Gi, Ti, Pi, Ei.
    BinarySi,
    /// Powers of ten by number: `e3`.
    DecimalExponent,
}

/// Why a text is no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a number with a suffix at all.
    #[error("a quantity is a number and a suffix without spaces, such as 1.5, 500m, 2Gi or 1e3")]
    Format,
    /// A number, but the letters or the exponent behind it mean nothing.
    #[error(
        "a quantity's suffix is n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, or e and a whole number"
    )]
    Suffix,
    /// Kubernetes would take it, but no resource can have it.
    #[error(
        "a quantity has at most {MAX_LENGTH} characters and an exponent from -{MAX_EXPONENT} to {MAX_EXPONENT}"
    )]
    OutOfBounds,
}

impl Quantity {
    /// Reads a text. What is finer than a nano is rounded away from zero; binary amounts are capped at 2^63 - 1.
    /// As with Kubernetes, a missing number counts as zero (`m`, `+`), and white space is an error.
    ///
    /// # Errors
    /// [`QuantityError`]; its first two variants are also errors to Kubernetes.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        text::parse(text)
    }

    /// Reads a field of an object: a string, around which Kubernetes allows spaces, a number, or null, which is zero.
    /// Of a number written as a float the amount is kept, not the way it was written.
    ///
    /// # Errors
    /// As [`Quantity::parse`]; anything but a string, a number and null is [`QuantityError::Format`].
    pub fn from_json(value: &Value) -> Result<Self, QuantityError> {
        match value {
            // JSON escapes control characters, and Kubernetes trims without reading escapes: they stay an error.
            Value::String(text) => Self::parse(text.trim_matches(|c: char| c.is_whitespace() && c >= ' ')),
            Value::Number(number) => Self::parse(&number.to_string()),
            Value::Null => Ok(Self::default()),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(QuantityError::Format),
        }
    }

    /// The canonical text: the largest suffix of its format that leaves a whole number. Kubernetes itself sometimes
    /// repeats the text that it was given instead (`00001`, `1.025`).
    pub fn canonical(&self) -> String {
        text::canonical(&self.nanos, self.format)
    }

    /// How it is written.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The exact amount, in nanos.
    pub fn nanos(&self) -> &BigInt {
        &self.nanos
    }

    /// The amount in units, rounded away from zero; none where that is no `i64`, and Kubernetes would wrap around.
    pub fn value(&self) -> Option<i64> {
        self.count(0)
    }

    /// The amount in thousandths, rounded away from zero; none where that is no `i64`.
    pub fn milli_value(&self) -> Option<i64> {
        self.count(-3)
    }

    /// The amount rounded away from zero to a multiple of a power of ten: `-3` gives whole millis.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "a BigInt grows where an integer would overflow")]
    pub fn round_up(&self, power_of_ten: i8) -> Self {
        let step = nanos_in(power_of_ten);
        Self { nanos: divide_away_from_zero(&self.nanos, &step) * step, format: self.format }
    }

    /// The sum, in this format; where this is zero, in the other's.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "a BigInt grows where an integer would overflow")]
    pub fn plus(&self, other: &Self) -> Self {
        Self { nanos: &self.nanos + &other.nanos, format: self.format_with(other) }
    }

    /// The difference, in this format; where this is zero, in the other's.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "a BigInt grows where an integer would overflow")]
    pub fn minus(&self, other: &Self) -> Self {
        Self { nanos: &self.nanos - &other.nanos, format: self.format_with(other) }
    }

    fn format_with(&self, other: &Self) -> Format {
        if self.nanos.sign() == Sign::NoSign { other.format } else { self.format }
    }

    fn count(&self, power_of_ten: i8) -> Option<i64> {
        i64::try_from(divide_away_from_zero(&self.nanos, &nanos_in(power_of_ten))).ok()
    }
}

impl Default for Quantity {
    /// Zero.
    fn default() -> Self {
        Self { nanos: BigInt::ZERO, format: Format::DecimalSi }
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

/// How many nanos a power of ten is; a nano for what is finer.
fn nanos_in(power_of_ten: i8) -> BigInt {
    BigInt::from(10).pow(u32::try_from(i32::from(power_of_ten).saturating_add(9)).unwrap_or(0))
}

/// The quotient, away from zero where it is no whole number. The divisor is positive.
#[expect(clippy::arithmetic_side_effects, reason = "a BigInt does not overflow, and no divisor here is zero")]
fn divide_away_from_zero(dividend: &BigInt, divisor: &BigInt) -> BigInt {
    let quotient = dividend / divisor;
    match (dividend % divisor).sign() {
        Sign::Minus => quotient - 1,
        Sign::NoSign => quotient,
        Sign::Plus => quotient + 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    #[test]
    fn canonical_is_the_largest_suffix_that_leaves_a_whole_number() {
        let rows = [
            ("1.5", "1500m"),
            ("0.5Gi", "512Mi"),
            ("1Ki", "1Ki"),
            ("1024Ki", "1Mi"),
            ("1023.9Ki", "1048473600m"),
            ("1.5Ki", "1536"),
            ("-2048Mi", "-2Gi"),
            ("1000000m", "1k"),
            ("999999m", "999999m"),
            ("1e9", "1e9"),
            ("1.5E1", "15"),
            ("0.0000000001", "1n"),
            ("-0.0000000001", "-1n"),
            ("-0.0Mi", "0"),
            ("00001", "1"),
        ];
        for (text, canonical) in rows {
            assert_eq!(quantity(text).canonical(), canonical, "{text}");
        }
    }

    #[test]
    fn what_no_suffix_can_say_keeps_its_digits() {
        // Kubernetes writes "1" for each of these.
        assert_eq!(quantity("1000E").canonical(), "1000E");
        assert_eq!(quantity("1000000000000000000000").canonical(), "1000E");
        let large =
            (0..128).fold(quantity("0Ki"), |sum, _| sum.plus(&quantity("8191Pi")).plus(&quantity("1Pi")));
        assert_eq!(large.canonical(), "1024Ei");
    }

    #[test]
    fn suffixes_are_exact() {
        for text in ["1K", "1ki", "1e", "1eE1", "1mm", "1Ki1", "1e+", "--1", "1e99999999999999999999"] {
            assert_eq!(Quantity::parse(text).unwrap_err(), QuantityError::Suffix, "{text}");
        }
        for text in
            ["", " 1", "1 ", "1g", "1KB", "1,5", "0x10", "1.2.3", "1e1.5", "1e1m", "\u{ff11}", "NaN", "1\n"]
        {
            assert_eq!(Quantity::parse(text).unwrap_err(), QuantityError::Format, "{text}");
        }
        assert!(quantity("1E") > quantity("1E3"));
    }

    #[test]
    fn a_missing_number_is_zero_where_kubernetes_takes_it() {
        for text in ["+", "-", ".", "-.", "m", ".n", "Mi", "Ti", "E", "e3", "e-9"] {
            assert_eq!(quantity(text), Quantity::default(), "{text}");
        }
        for text in ["Pi", "Ei", ".Ei", "+e-10"] {
            assert_eq!(Quantity::parse(text).unwrap_err(), QuantityError::Format, "{text}");
        }
    }

    #[test]
    fn binary_amounts_between_zero_and_one_become_decimal() {
        let formats = ["0Ki", "0.0001Ki", "-0.0001Ki", "0.001Ki"].map(|text| quantity(text).format());
        assert_eq!(formats, [Format::BinarySi, Format::DecimalSi, Format::DecimalSi, Format::BinarySi]);
    }

    #[test]
    fn amounts_beyond_64_bits_have_no_count() {
        let most = quantity("8Ei");
        assert_eq!((most.value(), most.milli_value()), (Some(i64::MAX), None));
        assert_eq!(quantity("9223372036854775808").value(), None);
        assert_eq!(quantity("-0.5m").milli_value(), Some(-1));
    }

    #[test]
    fn huge_texts_are_refused_unread() {
        for text in ["1e101", "1e-101", "1e2147483648", &"1".repeat(257)] {
            assert_eq!(Quantity::parse(text).unwrap_err(), QuantityError::OutOfBounds, "{text}");
        }
        assert_eq!(quantity(&"1".repeat(256)).canonical(), "1".repeat(256));
        assert_eq!(quantity("1e-100").canonical(), "1e-9");
        assert_eq!(quantity("1000e100").canonical(), "10000e99");
    }

    #[test]
    fn fields_are_strings_numbers_or_null() {
        for (field, canonical) in
            [(json!(" 1Gi\u{a0}"), "1Gi"), (json!(0.1), "100m"), (json!(null), "0"), (json!(1e3), "1k")]
        {
            assert_eq!(Quantity::from_json(&field).unwrap().canonical(), canonical, "{field}");
        }
        for field in [json!(true), json!([]), json!({}), json!("null"), json!(""), json!("1\n"), json!("1\t")]
        {
            assert_eq!(Quantity::from_json(&field).unwrap_err(), QuantityError::Format, "{field}");
        }
    }

    #[test]
    fn sums_keep_the_format_of_the_left_unless_it_is_zero() {
        assert_eq!(quantity("1Ki").plus(&quantity("1024")).canonical(), "2Ki");
        assert_eq!(quantity("1k").minus(&quantity("1Mi")).canonical(), "-1047576");
        assert_eq!(quantity("0").plus(&quantity("1Ki")).format(), Format::BinarySi);
        assert_eq!(quantity("1Ki").minus(&quantity("1Ki")).canonical(), "0");
    }
}
