//! `bits.*` on integers of any size, in two's complement.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "a BigInt does not overflow, and no divisor here is zero"
)]

use num_bigint::{BigInt, Sign};
use regorus::Value;

use super::arguments::{big_integer, wrong};
use super::number::of_integer;
use super::{Failure, budget};

pub(super) fn and(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(of_integer(&(big_integer(arguments, 0)? & big_integer(arguments, 1)?)))
}

pub(super) fn or(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(of_integer(&(big_integer(arguments, 0)? | big_integer(arguments, 1)?)))
}

pub(super) fn xor(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(of_integer(&(big_integer(arguments, 0)? ^ big_integer(arguments, 1)?)))
}

pub(super) fn negate(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(of_integer(&!big_integer(arguments, 0)?))
}

pub(super) fn lsh(arguments: &[Value]) -> Result<Value, Failure> {
    let (number, by) = (big_integer(arguments, 0)?, shift(arguments)?);
    // The result is reckoned with and printed in decimal, which costs the square of its length.
    budget::steps(by.checked_div(64).unwrap_or_default().saturating_pow(2))?;
    Ok(of_integer(&(number << by)))
}

pub(super) fn rsh(arguments: &[Value]) -> Result<Value, Failure> {
    let (number, by) = (big_integer(arguments, 0)?, shift(arguments)?);
    Ok(of_integer(&(number >> by)))
}

fn shift(arguments: &[Value]) -> Result<usize, Failure> {
    let by: BigInt = big_integer(arguments, 1)?;
    if by.sign() == Sign::Minus {
        return Err(wrong(1, "must be an unsigned integer number but got a negative integer"));
    }
    Ok(usize::try_from(by).unwrap_or(usize::MAX))
}
