//! The operators by their names: `plus(1, 2)` is `1 + 2`.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a BigInt does not overflow, and no divisor here is zero"
)]

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use regorus::Value;

use super::arguments::{any, number, of_type};
use super::exact::Extended;
use super::number::{Number, of_integer};
use super::{Failure, budget, collections, order};

pub(super) fn plus(arguments: &[Value]) -> Result<Value, Failure> {
    arithmetic(arguments, |a, b| a + b, Extended::plus)
}

pub(super) fn minus(arguments: &[Value]) -> Result<Value, Failure> {
    match (any(arguments, 0)?, any(arguments, 1)?) {
        (Value::Set(_), Value::Set(_)) => collections::set_diff(arguments),
        (Value::Set(_), other) => Err(of_type(1, other, &["set"])),
        (Value::Number(_), _) => arithmetic(arguments, |a, b| a - b, Extended::minus),
        (other, _) => Err(of_type(0, other, &["number", "set"])),
    }
}

pub(super) fn mul(arguments: &[Value]) -> Result<Value, Failure> {
    arithmetic(arguments, |a, b| a * b, Extended::times)
}

fn arithmetic(
    arguments: &[Value],
    exact: fn(BigInt, BigInt) -> BigInt,
    extended: fn(&Extended, &Extended) -> Extended,
) -> Result<Value, Failure> {
    match (number(arguments, 0)?, number(arguments, 1)?) {
        (Number::Integer(a), Number::Integer(b)) => {
            let bits = a.bits().max(b.bits());
            budget::steps(usize::try_from(bits.saturating_mul(bits)).unwrap_or(usize::MAX))?;
            Ok(of_integer(&exact(a, b)))
        }
        (a, b) => extended(&Extended::of(&a), &Extended::of(&b)).into_number().map(Number::into_value),
    }
}

pub(super) fn div(arguments: &[Value]) -> Result<Value, Failure> {
    let (a, b) = (number(arguments, 0)?, number(arguments, 1)?);
    let zero = Number::Integer(BigInt::from(0));
    match (&a, &b) {
        (_, b) if *b == zero => Err(Failure::Wrong("divide by zero".to_owned())),
        (Number::Integer(x), Number::Integer(y))
            if !a.is_large() && !b.is_large() && (x % y).sign() == Sign::NoSign =>
        {
            Ok(of_integer(&(x / y)))
        }
        (a, b) => Extended::of(a).over(&Extended::of(b)).into_number().map(Number::into_value),
    }
}

pub(super) fn rem(arguments: &[Value]) -> Result<Value, Failure> {
    match (number(arguments, 0)?, number(arguments, 1)?) {
        (Number::Integer(_), Number::Integer(b)) if b.sign() == Sign::NoSign => {
            Err(Failure::Wrong("modulo by zero".to_owned()))
        }
        (Number::Integer(a), Number::Integer(b)) => Ok(of_integer(&(a % b))),
        _ => Err(Failure::Wrong("modulo on floating-point number".to_owned())),
    }
}

pub(super) fn equal(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(Value::from(any(arguments, 0)? == any(arguments, 1)?))
}

pub(super) fn neq(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(Value::from(any(arguments, 0)? != any(arguments, 1)?))
}

pub(super) fn lt(arguments: &[Value]) -> Result<Value, Failure> {
    compared(arguments, Ordering::is_lt)
}

pub(super) fn lte(arguments: &[Value]) -> Result<Value, Failure> {
    compared(arguments, Ordering::is_le)
}

pub(super) fn gt(arguments: &[Value]) -> Result<Value, Failure> {
    compared(arguments, Ordering::is_gt)
}

pub(super) fn gte(arguments: &[Value]) -> Result<Value, Failure> {
    compared(arguments, Ordering::is_ge)
}

/// Values of any types have an order.
fn compared(arguments: &[Value], holds: fn(Ordering) -> bool) -> Result<Value, Failure> {
    Ok(Value::from(holds(order::compare(any(arguments, 0)?, any(arguments, 1)?))))
}
