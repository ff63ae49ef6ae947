//! Numbers as OPA reckons with them: integers of any size exactly, everything else as a double.

use num_bigint::BigInt;
use regorus::Value;

use super::{Failure, decimal};

/// A number of Rego.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    /// Without a fraction, whatever it was written as.
    Integer(BigInt),
    /// With a fraction.
    Double(f64),
}

impl Number {
    /// The number that a value is.
    pub(super) fn of(value: &Value) -> Option<Self> {
        let Value::Number(number) = value else { return None };
        // A double that stands for a number with a fraction; integers of that size are held as such.
        let double = if number.as_big().is_none() { number.as_f64() } else { None };
        if let Some(double) = double.filter(|double| decimal::remembered(*double).is_some()) {
            return Some(Self::Double(double));
        }
        if let Some(small) = number.as_i64() {
            return Some(Self::Integer(BigInt::from(small)));
        }
        match number.format_decimal().parse() {
            Ok(integer) => Some(Self::Integer(integer)),
            Err(_) => number.as_f64().map(Self::Double),
        }
    }

    /// The number that a double is.
    pub(super) fn from_double(double: f64) -> Result<Self, Failure> {
        if !double.is_finite() {
            return Err(Failure::Beyond("gives a number that no double can hold".to_owned()));
        }
        if double.fract() == 0.0 {
            return Ok(Self::Integer(format!("{double:.0}").parse().unwrap_or_default()));
        }
        decimal::itself(double).map(Self::Double)
    }

    /// Whether OPA reckons with it as a floating-point number where integers are divided, rounded and made absolute.
    pub(super) fn is_large(&self) -> bool {
        matches!(self, Self::Integer(integer) if integer.bits() > 64)
    }

    /// The nearest double; infinite where there is none.
    pub(super) fn to_double(&self) -> f64 {
        match self {
            Self::Integer(integer) => integer.to_string().parse().unwrap_or(f64::INFINITY),
            Self::Double(double) => *double,
        }
    }

    /// Back to a value.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Integer(integer) => of_integer(&integer),
            Self::Double(double) => Value::from(double),
        }
    }
}

/// An integer as a value.
pub(super) fn of_integer(integer: &BigInt) -> Value {
    match i64::try_from(integer) {
        Ok(small) => Value::from(small),
        Err(_) => Value::from_numeric_string(&integer.to_string()).unwrap_or(Value::Undefined),
    }
}

/// A count as a value.
pub(super) fn of_count(count: usize) -> Value {
    Value::from(count)
}
