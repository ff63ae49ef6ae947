//! Numbers: ranges, rounding, sums.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a BigInt does not overflow, and no divisor here is zero"
)]

use num_bigint::{BigInt, Sign};
use regorus::Value;

use super::arguments::{self, any, big_integer, elements, number, of_elements};
use super::exact::Extended;
use super::number::{Number, of_integer};
use super::{Failure, budget, decimal};

/// What a range costs for each number in it.
const ELEMENT: usize = 24;

pub(super) fn range(arguments: &[Value]) -> Result<Value, Failure> {
    let (from, to) = (big_integer(arguments, 0)?, big_integer(arguments, 1)?);
    numbers(from, to, BigInt::from(1))
}

pub(super) fn range_step(arguments: &[Value]) -> Result<Value, Failure> {
    let (from, to) = (big_integer(arguments, 0)?, big_integer(arguments, 1)?);
    let step = big_integer(arguments, 2)?;
    if step.sign() != Sign::Plus {
        return Err(Failure::Wrong("numbers.range_step: step must be a positive integer".to_owned()));
    }
    numbers(from, to, step)
}

/// Both ends belong to it; downwards where the first is the larger.
fn numbers(from: BigInt, to: BigInt, step: BigInt) -> Result<Value, Failure> {
    let distance = if from <= to { &to - &from } else { &from - &to };
    let count = usize::try_from(distance / &step).unwrap_or(usize::MAX).saturating_add(1);
    budget::bytes(count.saturating_mul(ELEMENT))?;
    let step = if from <= to { step } else { -step };
    let mut items = Vec::with_capacity(count);
    let mut next = from;
    for _ in 0..count {
        items.push(of_integer(&next));
        next += &step;
    }
    Ok(Value::from(items))
}

pub(super) fn abs(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(match number(arguments, 0)? {
        Number::Integer(integer) => {
            let integer = Number::Integer(BigInt::from(integer.into_parts().1));
            // Beyond 64 bits OPA reckons with floating-point numbers.
            let is_large = integer.is_large();
            if is_large { Extended::of(&integer).into_number()?.into_value() } else { integer.into_value() }
        }
        Number::Double(double) => match decimal::remembered(double) {
            Some(text) => Value::from(decimal::remember(text.trim_start_matches('-'))?),
            None => Value::from(decimal::itself(double.abs())?),
        },
    })
}

pub(super) fn ceil(arguments: &[Value]) -> Result<Value, Failure> {
    // OPA takes a number between -1 and 0 up to 1.
    whole(arguments, |double| if double > -1.0 && double < 0.0 { 1.0 } else { double.ceil() })
}

pub(super) fn floor(arguments: &[Value]) -> Result<Value, Failure> {
    // And down to 0.
    whole(arguments, |double| if double > -1.0 && double < 0.0 { 0.0 } else { double.floor() })
}

pub(super) fn round(arguments: &[Value]) -> Result<Value, Failure> {
    if let Number::Integer(integer) = number(arguments, 0)?
        && integer.bits() == 64
        && integer.bit(0)
    {
        // OPA adds one half, for which its 64 bits have no room, and so comes to the even neighbour.
        let one = BigInt::from(if integer.sign() == Sign::Minus { -1 } else { 1 });
        return Ok(of_integer(&(integer + one)));
    }
    whole(arguments, f64::round)
}

fn whole(arguments: &[Value], round: fn(f64) -> f64) -> Result<Value, Failure> {
    match number(arguments, 0)? {
        // A floating-point number for OPA, and then an integer again.
        large if large.is_large() => Extended::of(&large).into_integer().map(|integer| of_integer(&integer)),
        Number::Integer(integer) => Ok(of_integer(&integer)),
        Number::Double(double) => {
            let beyond = decimal::remembered(double).filter(|_| double.fract() == 0.0);
            match beyond.as_deref().and_then(decimal::parts) {
                Some((before, fraction)) => of_large(&before, &fraction, round),
                None => Number::from_double(round(double)).map(Number::into_value),
            }
        }
    }
}

/// Beyond 2^53 a double has no fraction: it is reckoned with on its own, in front of it 2 instead of all digits.
fn of_large(before: &str, fraction: &str, round: fn(f64) -> f64) -> Result<Value, Failure> {
    let sign = if before.starts_with('-') { -1.0 } else { 1.0 };
    let small: f64 = format!("2.{fraction}").parse().unwrap_or_default();
    let moved = Number::from_double(round(sign * small) - sign * 2.0)?;
    let before = Number::Integer(before.parse().unwrap_or_default());
    Ok(match (before, moved) {
        (Number::Integer(before), Number::Integer(moved)) => of_integer(&(before + moved)),
        (before, _) => before.into_value(),
    })
}

pub(super) fn count(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(Value::from(match any(arguments, 0)? {
        Value::Array(items) => items.len(),
        Value::Set(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::String(text) => text.chars().count(),
        other => {
            let expected = ["array", "object", "set", "string"];
            return Err(arguments::of_type(0, other, &expected));
        }
    }))
}

pub(super) fn sum(arguments: &[Value]) -> Result<Value, Failure> {
    accumulate(arguments, BigInt::from(0), |a, b| a + b, Extended::plus, Extended::into_number)
}

pub(super) fn product(arguments: &[Value]) -> Result<Value, Failure> {
    accumulate(arguments, BigInt::from(1), |a, b| a * b, Extended::times_as_double, Extended::into_double)
}

/// Exactly as long as there are only integers.
fn accumulate(
    arguments: &[Value],
    start: BigInt,
    exact: fn(BigInt, &BigInt) -> BigInt,
    extended: fn(&Extended, &Extended) -> Extended,
    into_number: fn(Extended) -> Result<Number, Failure>,
) -> Result<Value, Failure> {
    let items = elements(arguments, 0, &["set", "array"])?;
    let number = |item: &Value| Number::of(item).ok_or_else(|| of_elements(arguments, 0, item, "number"));
    let numbers = items.into_iter().map(number).collect::<Result<Vec<_>, _>>()?;
    let integer = |number: &Number| matches!(number, Number::Integer(_));
    if !numbers.iter().all(integer) {
        let start = Extended::of(&Number::Integer(start));
        let total = numbers.iter().map(Extended::of).fold(start, |total, number| extended(&total, &number));
        return into_number(total).map(Number::into_value);
    }
    let mut total = start;
    for number in numbers {
        if let Number::Integer(integer) = number {
            // Products grow: each costs its length.
            budget::steps(usize::try_from(total.bits()).unwrap_or(usize::MAX))?;
            total = exact(total, &integer);
        }
    }
    Ok(of_integer(&total))
}
