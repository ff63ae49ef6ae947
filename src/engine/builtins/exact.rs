//! Sums, products and quotients of numbers with a fraction, with OPA's 64 bits of mantissa: `0.1 + 0.2` is `0.3`.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a BigInt does not overflow, and no divisor here is zero"
)]

use num_bigint::{BigInt, Sign};

use super::number::Number;
use super::{Failure, decimal};

/// Bits of a mantissa.
const BITS: u64 = 64;
/// Those of a double.
const DOUBLE_BITS: u64 = 53;

/// `mantissa × 2^exponent`, the mantissa of at most 64 bits.
#[derive(Clone)]
pub(super) struct Extended {
    mantissa: BigInt,
    exponent: i64,
}

impl Extended {
    /// The nearest to a number as it is written.
    pub(super) fn of(number: &Number) -> Self {
        match number {
            Number::Integer(integer) => Self { mantissa: integer.clone(), exponent: 0 }.rounded(false),
            Number::Double(double) => {
                let text = decimal::remembered(*double).unwrap_or_else(|| format!("{double:e}"));
                Self::parse(&text)
            }
        }
    }

    /// The nearest to a decimal number.
    fn parse(text: &str) -> Self {
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
        let mantissa: BigInt = format!("{before}{behind}").parse().unwrap_or_default();
        let exponent: i64 = exponent.parse().unwrap_or_default();
        let exponent = exponent.saturating_sub(i64::try_from(behind.len()).unwrap_or_default());
        let power = BigInt::from(10).pow(u32::try_from(exponent.unsigned_abs()).unwrap_or_default());
        if exponent < 0 {
            quotient(&mantissa, &power, 0)
        } else {
            Self { mantissa: mantissa * power, exponent: 0 }.rounded(false)
        }
    }

    pub(super) fn plus(&self, other: &Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        let aligned = |number: &Self| {
            let shift = number.exponent.saturating_sub(exponent);
            &number.mantissa << u64::try_from(shift).unwrap_or_default()
        };
        Self { mantissa: aligned(self) + aligned(other), exponent }.rounded(false)
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        self.plus(&Self { mantissa: -&other.mantissa, exponent: other.exponent })
    }

    pub(super) fn times(&self, other: &Self) -> Self {
        let exponent = self.exponent.saturating_add(other.exponent);
        Self { mantissa: &self.mantissa * &other.mantissa, exponent }.rounded(false)
    }

    /// A product with the 53 bits of a double: OPA's `product` keeps no more.
    pub(super) fn times_as_double(&self, other: &Self) -> Self {
        let exponent = self.exponent.saturating_add(other.exponent);
        Self { mantissa: &self.mantissa * &other.mantissa, exponent }.rounded_to(DOUBLE_BITS, false)
    }

    /// The other is not zero.
    pub(super) fn over(&self, other: &Self) -> Self {
        quotient(&self.mantissa, &other.mantissa, self.exponent.saturating_sub(other.exponent))
    }

    /// Halves go to the even neighbour; `more`: there was something behind the mantissa.
    fn rounded(self, more: bool) -> Self {
        self.rounded_to(BITS, more)
    }

    fn rounded_to(self, bits: u64, more: bool) -> Self {
        let surplus = self.mantissa.bits().saturating_sub(bits);
        if surplus == 0 {
            return self;
        }
        let negative = self.mantissa.sign() == Sign::Minus;
        let magnitude = BigInt::from(self.mantissa.magnitude().clone());
        let kept: BigInt = &magnitude >> surplus;
        let lost: BigInt = &magnitude - (&kept << surplus);
        let half = BigInt::from(1) << surplus.saturating_sub(1);
        let up = lost > half || (lost == half && (more || kept.bit(0)));
        let kept = if up { kept + BigInt::from(1) } else { kept };
        let exponent = self.exponent.saturating_add(i64::try_from(surplus).unwrap_or(i64::MAX));
        Self { mantissa: if negative { -kept } else { kept }, exponent }
    }

    /// The nearest number that the interpreter can hold.
    pub(super) fn into_number(self) -> Result<Number, Failure> {
        if self.mantissa.sign() == Sign::NoSign {
            return Ok(Number::Integer(self.mantissa));
        }
        if !(-1_200..=100_000).contains(&self.exponent) {
            return Err(Failure::Beyond("gives a number that no double can hold".to_owned()));
        }
        let shift = u32::try_from(self.exponent.unsigned_abs()).unwrap_or_default();
        let is_whole = self.exponent >= 0 || &self.mantissa % (BigInt::from(1) << shift) == BigInt::from(0);
        let text = self.shortest(BITS);
        if is_whole {
            return decimal::whole(&text).map(Number::Integer);
        }
        decimal::remember(&text).map(Number::Double)
    }

    /// A whole number with all the digits that its 64 bits have.
    pub(super) fn into_integer(self) -> Result<BigInt, Failure> {
        match u64::try_from(self.exponent) {
            Ok(shift) if shift <= 100_000 => Ok(self.mantissa << shift),
            _ => Err(Failure::Beyond("gives a number that no double can hold".to_owned())),
        }
    }

    /// The same of a number that has no more bits than a double.
    pub(super) fn into_double(self) -> Result<Number, Failure> {
        if self.mantissa.sign() == Sign::NoSign {
            return Ok(Number::Integer(self.mantissa));
        }
        if !(-1_200..=1_100).contains(&self.exponent) {
            return Err(Failure::Beyond("gives a number that no double can hold".to_owned()));
        }
        let text = self.shortest(DOUBLE_BITS);
        match text.parse::<f64>() {
            Ok(double) if double.fract() == 0.0 => decimal::whole(&text).map(Number::Integer),
            _ => decimal::remember(&text).map(Number::Double),
        }
    }

    /// The fewest decimal digits of which this is the nearest with so many bits, as Go finds them (big.Float's
    /// roundShortest).
    fn shortest(&self, bits: u64) -> String {
        let negative = self.mantissa.sign() == Sign::Minus;
        let magnitude = BigInt::from(self.mantissa.magnitude().clone());
        // With one bit more, which is half of what the mantissa's last stands for.
        let shift = bits.saturating_add(1).saturating_sub(magnitude.bits());
        let wide: BigInt = &magnitude << shift;
        let exponent = self.exponent.saturating_sub(i64::try_from(shift).unwrap_or_default());
        let (digits, power) = decimal_digits(&wide, exponent);
        let (lower, _) = decimal_digits(&(&wide - 1), exponent);
        let (upper, _) = decimal_digits(&(&wide + 1), exponent);
        let inclusive = !wide.bit(1);
        let at = |digits: &[u8], index: usize| digits.get(index).copied().unwrap_or(b'0');
        for (index, digit) in digits.iter().copied().enumerate() {
            let (low, high) = (at(&lower, index), at(&upper, index));
            let next = index.saturating_add(1);
            let down = low != digit || inclusive && next == lower.len();
            let up = digit != high && (inclusive || digit.saturating_add(1) < high || next < upper.len());
            let (kept, rest) = digits.split_at_checked(next).unwrap_or((&digits, &[]));
            let is_up = match (down, up) {
                (true, true) => {
                    rest > b"5".as_slice() || rest == b"5" && kept.last().is_some_and(|last| last % 2 == 1)
                }
                (down, up) => !down && up,
            };
            if down || up {
                let kept: BigInt = String::from_utf8_lossy(kept).parse().unwrap_or_default();
                let kept = if is_up { kept + 1 } else { kept };
                let length = i64::try_from(next).unwrap_or_default();
                return written(negative, &kept.to_string(), power.saturating_sub(length));
            }
        }
        let length = i64::try_from(digits.len()).unwrap_or_default();
        written(negative, &String::from_utf8_lossy(&digits), power.saturating_sub(length))
    }
}

fn written(negative: bool, digits: &str, exponent: i64) -> String {
    format!("{}{digits}e{exponent}", if negative { "-" } else { "" })
}

/// The decimal digits of `mantissa × 2^exponent`, without zeros at their end, and the power of ten of `0.digits`.
fn decimal_digits(mantissa: &BigInt, exponent: i64) -> (Vec<u8>, i64) {
    let power = exponent.unsigned_abs();
    let (scaled, fraction) = if exponent < 0 {
        // A power of two has as many digits behind the point.
        (mantissa * BigInt::from(5).pow(u32::try_from(power).unwrap_or_default()), power)
    } else {
        (mantissa << power, 0)
    };
    let text = scaled.to_string();
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let before = length.saturating_sub(i64::try_from(fraction).unwrap_or(i64::MAX));
    (text.trim_end_matches('0').as_bytes().to_vec(), before)
}

/// With enough bits that rounding sees what is lost.
fn quotient(numerator: &BigInt, denominator: &BigInt, exponent: i64) -> Extended {
    let missing = denominator.bits().saturating_add(BITS).saturating_add(2).saturating_sub(numerator.bits());
    let scaled: BigInt = numerator << missing;
    let mantissa = &scaled / denominator;
    let more = &scaled % denominator != BigInt::from(0);
    let exponent = exponent.saturating_sub(i64::try_from(missing).unwrap_or(i64::MAX));
    Extended { mantissa, exponent }.rounded(more)
}
