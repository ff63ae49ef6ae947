//! Sums, products and quotients of numbers with a fraction, with OPA's 64 bits of mantissa: `0.1 + 0.2` is `0.3`.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a BigInt does not overflow, and no divisor here is zero"
)]

use num_bigint::{BigInt, Sign};

use super::Failure;
use super::number::Number;

/// Bits of a mantissa.
const BITS: u64 = 64;

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
                let text = format!("{double:e}");
                let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
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

    /// The other is not zero.
    pub(super) fn over(&self, other: &Self) -> Self {
        quotient(&self.mantissa, &other.mantissa, self.exponent.saturating_sub(other.exponent))
    }

    /// Halves go to the even neighbour; `more`: there was something behind the mantissa.
    fn rounded(self, more: bool) -> Self {
        let surplus = self.mantissa.bits().saturating_sub(BITS);
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
        if !(-1_200..=100_000).contains(&self.exponent) && self.mantissa.sign() != Sign::NoSign {
            return Err(Failure::Beyond("gives a number that no double can hold".to_owned()));
        }
        if self.exponent >= 0 {
            let shift = u64::try_from(self.exponent).unwrap_or_default();
            return Ok(Number::Integer(self.mantissa << shift));
        }
        let shift = self.exponent.unsigned_abs();
        let denominator = BigInt::from(1) << shift;
        if &self.mantissa % &denominator == BigInt::from(0) {
            return Ok(Number::Integer(self.mantissa / denominator));
        }
        // Exactly in decimal: a power of two has as many digits behind the point.
        let five = BigInt::from(5).pow(u32::try_from(shift).unwrap_or_default());
        let text = format!("{}e-{shift}", self.mantissa * five);
        Number::from_double(text.parse().unwrap_or(f64::NAN))
    }
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
