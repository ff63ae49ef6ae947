//! Numbers as they are written in decimal: whole ones of any size, others where a double has all their digits, or where
//! [`remember`] has kept those that a double has not. Whatever would be another number is an error.

use std::cell::RefCell;
use std::collections::BTreeMap;

use num_bigint::BigInt;
use regorus::Value;

use super::number::Number;
use super::{Failure, budget, doubles, spelling};

/// From here on a double that is whole may stand for a number with a fraction: integers are never held as doubles there.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Digits of a whole number; more take seconds to reckon with.
const DIGITS: usize = 10_000;

thread_local! {
    /// By the bits of a double: the number that it stands for in this evaluation.
    static REMEMBERED: RefCell<BTreeMap<u64, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// Forgets what earlier evaluations on this thread had.
pub(in crate::engine) fn forget() {
    REMEMBERED.with_borrow_mut(BTreeMap::clear);
    doubles::forget();
    spelling::forget();
}

/// The number that a double stands for, if it has more digits than the double.
pub(in crate::engine) fn remembered(double: f64) -> Option<String> {
    REMEMBERED.with_borrow(|all| all.get(&double.to_bits()).cloned())
}

/// A decimal number with a fraction as a double that stands for it.
///
/// # Errors
/// The double stands for another number.
pub(super) fn remember(text: &str) -> Result<f64, Failure> {
    let double: f64 = text.parse().unwrap_or(f64::NAN);
    let own = Decimal::of(&format!("{double:e}"));
    if !double.is_finite() || double.fract() == 0.0 && double.abs() <= EXACT || own.is_none() {
        return Err(beyond());
    }
    let text = Decimal::of(text).ok_or_else(beyond)?.to_string();
    let known = remembered(double);
    if own.map(|own| own.to_string()).as_ref() == Some(&text) {
        return itself(double);
    }
    match known {
        Some(known) if known != text => Err(beyond()),
        Some(_) => Ok(double),
        None if doubles::is_known(double) => Err(beyond()),
        None => {
            budget::bytes(text.len().saturating_add(64))?;
            REMEMBERED.with_borrow_mut(|all| all.insert(double.to_bits(), text));
            Ok(double)
        }
    }
}

/// A double that is the number that it seems.
///
/// # Errors
/// It stands for another one.
pub(super) fn itself(double: f64) -> Result<f64, Failure> {
    let double = met(double)?;
    spelling::computed(double);
    Ok(double)
}

/// The same of one that was read, and is written as it was.
fn met(double: f64) -> Result<f64, Failure> {
    if remembered(double).is_some() {
        return Err(beyond());
    }
    doubles::meet(double);
    Ok(double)
}

/// A number as it most likely was written: as Go writes one that was reckoned with, or as it was read.
///
/// # Errors
/// It is written in several ways.
pub(in crate::engine) fn written(value: &Value) -> Result<String, Failure> {
    match Number::of(value) {
        Some(Number::Integer(integer)) => {
            Ok(spelling::of_whole(value)?.unwrap_or_else(|| integer.to_string()))
        }
        Some(Number::Double(double)) => match remembered(double) {
            Some(text) => Ok(text),
            None => spelling::of_fraction(double),
        },
        None => Ok(String::new()),
    }
}

/// A number in one way for each.
pub(in crate::engine) fn digits(value: &Value) -> String {
    match Number::of(value) {
        Some(Number::Integer(integer)) => integer.to_string(),
        Some(Number::Double(double)) => remembered(double).unwrap_or_else(|| plain(double)),
        None => String::new(),
    }
}

/// A double as Go writes one that was reckoned with: `1.5`, `1e-07`, `1.2345675e+06`.
pub(super) fn plain(double: f64) -> String {
    Decimal::of(&format!("{double:e}")).map_or_else(String::new, |decimal| decimal.to_string())
}

/// A double as Go writes it in JSON: `1234567.5`, `1e-7`.
pub(super) fn of_json(double: f64) -> String {
    if double.abs() < 1e-6 { format!("{double:e}") } else { double.to_string() }
}

/// A number with a fraction, what stands before the point and what behind it.
pub(super) fn parts(text: &str) -> Option<(String, String)> {
    let Decimal { negative, digits, exponent } = Decimal::of(text)?;
    let behind = usize::try_from(exponent.checked_neg()?).ok()?;
    let digits = format!("{digits:0>0$}", behind.saturating_add(1));
    let (whole, fraction) = digits.split_at_checked(digits.len().checked_sub(behind)?)?;
    Some((format!("{}{whole}", if negative { "-" } else { "" }), fraction.to_owned()))
}

/// A whole number, whatever it is written as.
///
/// # Errors
/// It is too long.
pub(super) fn whole(text: &str) -> Result<BigInt, Failure> {
    let decimal = Decimal::of(text).ok_or_else(beyond)?;
    decimal.digits_of_whole()?.parse().map_err(|_| beyond())
}

fn beyond() -> Failure {
    Failure::Beyond("has a number with more digits than are kept".to_owned())
}

/// A number written in JSON, or as Go's `ParseFloat` takes it.
///
/// # Errors
/// It is too long to be kept. None: it is no such number.
pub(in crate::engine) fn read(text: &str) -> Option<Result<Value, Failure>> {
    let decimal = Decimal::of(text)?;
    Some(decimal.into_value().map(|value| spelling::kept(text, value)))
}

/// Whether a number can be held: whole, or with no more digits than the nearest double.
pub(super) fn is_kept(text: &str) -> bool {
    Decimal::of(text).is_some_and(|decimal| {
        if decimal.digits.is_empty() || decimal.exponent >= 0 {
            return decimal.digits_of_whole().is_ok();
        }
        let text = decimal.to_string();
        text.parse().is_ok_and(|double| plain(double) == text)
    })
}

/// `digits × 10^exponent`, without zeros at the end of the digits.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (before, behind) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{before}{behind}");
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(&all) || !are_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)) {
            return None;
        }
        // As large as this it is beyond everything, in whatever direction.
        let exponent =
            exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { -1 << 40 } else { 1 << 40 });
        let kept = all.trim_end_matches('0');
        let digits = kept.trim_start_matches('0').to_owned();
        let shift = i64::try_from(all.len().saturating_sub(kept.len())).ok()?;
        let fraction = i64::try_from(behind.len()).ok()?;
        let exponent = exponent.saturating_add(shift).saturating_sub(fraction);
        Some(Self { negative: mantissa.starts_with('-') && !digits.is_empty(), digits, exponent })
    }

    fn into_value(self) -> Result<Value, Failure> {
        if self.digits.is_empty() {
            return Ok(Value::from(0_i64));
        }
        if self.exponent < 0 {
            let double: f64 = self.to_string().parse().unwrap_or(f64::NAN);
            let own = Self::of(&format!("{double:e}")).map(|own| own.to_string());
            if own != Some(self.to_string()) {
                return Err(beyond());
            }
            return met(double).map(Value::from);
        }
        Value::from_numeric_string(&self.digits_of_whole()?).map_err(|_| beyond())
    }

    fn digits_of_whole(&self) -> Result<String, Failure> {
        if self.digits.is_empty() {
            return Ok("0".to_owned());
        }
        let zeros = usize::try_from(self.exponent).unwrap_or(usize::MAX);
        if self.digits.len().saturating_add(zeros) > DIGITS {
            return Err(beyond());
        }
        let sign = if self.negative { "-" } else { "" };
        let text = format!("{sign}{}{}", self.digits, "0".repeat(zeros));
        budget::bytes(text.len())?;
        Ok(text)
    }
}

impl std::fmt::Display for Decimal {
    /// In one way for each number, as Go writes big.Float: `0.333`, `1.5`, `1e-07`, `1.2345675e+06`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let length = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        // Of the first digit.
        let power = self.exponent.saturating_add(length).saturating_sub(1);
        let (first, rest) = self.digits.split_at_checked(1).unwrap_or(("0", ""));
        if self.exponent >= 0 || !(-4..6).contains(&power) {
            let point = if rest.is_empty() { "" } else { "." };
            return write!(
                f,
                "{sign}{first}{point}{rest}e{}{:02}",
                if power < 0 { '-' } else { '+' },
                power.unsigned_abs()
            );
        }
        if power < 0 {
            let zeros = usize::try_from(power.unsigned_abs()).unwrap_or_default().saturating_sub(1);
            return write!(f, "{sign}0.{}{}", "0".repeat(zeros), self.digits);
        }
        let point = usize::try_from(power).unwrap_or_default().saturating_add(1);
        let (whole, fraction) = self.digits.split_at_checked(point).unwrap_or((&self.digits, ""));
        write!(f, "{sign}{whole}.{fraction}")
    }
}

/// `to_number`
pub(super) fn to_number(arguments: &[Value]) -> Result<Value, Failure> {
    match super::arguments::any(arguments, 0)? {
        Value::Null => Ok(Value::from(0_i64)),
        Value::Bool(bool) => Ok(Value::from(i64::from(*bool))),
        number @ Value::Number(_) => Ok(number.clone()),
        Value::String(text) => {
            let is_in_range = text.parse::<f64>().is_ok_and(f64::is_finite);
            let invalid = || Failure::Wrong(format!("`{text}` is no number"));
            match read(text) {
                Some(number) if is_in_range => number,
                Some(_) => Err(invalid()),
                // Go reads more than decimal numbers.
                None if text.contains('_') || text.trim_start_matches(['+', '-']).starts_with(['0']) => {
                    Err(Failure::Beyond("is given a number that is not decimal".to_owned()))
                }
                None => Err(invalid()),
            }
        }
        other => Err(super::arguments::of_type(0, other, &["null", "boolean", "number", "string"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_whole_or_refused() {
        let cases = [
            ("18446744073709551617", Some("18446744073709551617")),
            ("-1.50e1", Some("-15")),
            ("1e20", Some("100000000000000000000")),
            ("0.10", Some("0.1")),
            ("-0", Some("0")),
            ("0.30000000000000004", Some("0.30000000000000004")),
            ("0.33333333333333333334", None),
            ("1e-400", None),
            ("1e999999999999999999999", None),
        ];
        for (text, expected) in cases {
            let value = read(text).unwrap().ok().and_then(|value| Number::of(&value));
            let digits = value.map(|number| match number {
                Number::Integer(integer) => integer.to_string(),
                Number::Double(double) => double.to_string(),
            });
            assert_eq!(digits.as_deref(), expected, "{text}");
        }
        for text in ["0.1", "1e-7", "0.0", "0e-5", "1e9999", "9007199254740993.0"] {
            assert!(is_kept(text), "{text}");
        }
        for text in ["0.10000000000000000001", "9007199254740993.5", "1e99999"] {
            assert!(!is_kept(text), "{text}");
        }
        assert!(read("").is_none() && read("1_0").is_none() && read("1e").is_none() && read("0x1").is_none());
    }

    #[test]
    fn a_double_stands_for_one_number() {
        forget();
        let third = remember("0.33333333333333333334").unwrap();
        assert_eq!(remember("0.33333333333333333334"), Ok(third));
        assert!(remember("0.33333333333333333333").is_err() && remember("0.3333333333333333").is_err());
        assert_eq!(remembered(third).as_deref(), Some("0.33333333333333333334"));
        forget();
        assert_eq!(remembered(third), None);
    }
}
