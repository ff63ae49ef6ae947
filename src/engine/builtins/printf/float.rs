//! Numbers with a fraction, as Go prints them.

use super::print::Flags;

/// More digits than any double has behind the point. Beyond 65,535 the standard library panics.
const DIGITS: usize = 1_100;

/// Prints with one of `v g G e E f F`. The number is finite.
pub(super) fn print(number: f64, verb: char, flags: Flags) -> String {
    let magnitude = number.abs();
    let text = match verb {
        'e' | 'E' => scientific(magnitude, Some(flags.precision.unwrap_or(6))),
        'f' | 'F' => fixed(magnitude, flags.precision.unwrap_or(6)),
        _ => general(magnitude, flags.precision),
    };
    let text = if matches!(verb, 'E' | 'G') { text.to_ascii_uppercase() } else { text };
    let sign = match () {
        () if number.is_sign_negative() => "-",
        () if flags.plus => "+",
        () if flags.space => " ",
        () => "",
    };
    if flags.zero && !flags.minus {
        // The sign goes before the zeros.
        let width = flags.width.map(|width| width.saturating_sub(sign.len()));
        return format!("{sign}{}", Flags { width, ..flags }.pad(&text));
    }
    flags.pad(&format!("{sign}{text}"))
}

/// `1.50`.
fn fixed(magnitude: f64, precision: usize) -> String {
    let zeros = "0".repeat(precision.saturating_sub(DIGITS));
    format!("{magnitude:.0$}{zeros}", precision.min(DIGITS))
}

/// `1.5e+06`: at least two digits of exponent, with its sign.
fn scientific(magnitude: f64, precision: Option<usize>) -> String {
    let exact = precision.map(|precision| precision.min(DIGITS));
    let text = match exact {
        Some(precision) => format!("{magnitude:.precision$e}"),
        None => format!("{magnitude:e}"),
    };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let zeros = "0".repeat(precision.unwrap_or_default().saturating_sub(DIGITS));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}{zeros}e{sign}{exponent:0>2}")
}

/// `%g`: the shorter of both notations; without a precision, as many digits as tell the number from others.
fn general(magnitude: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{magnitude:.0$e}", precision.max(1).saturating_sub(1).min(DIGITS)),
        None => format!("{magnitude:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or_default();
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let point = exponent.saturating_add(1);
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = i64::try_from(precision.max(1)).unwrap_or(i64::MAX);
            if precision > count && count >= point { count } else { precision }
        }
    };
    let decimals = usize::try_from(count.saturating_sub(1)).unwrap_or_default();
    if exponent < -4 || exponent >= limit {
        return scientific(magnitude, Some(decimals));
    }
    fixed(magnitude, usize::try_from(count.saturating_sub(point)).unwrap_or_default())
}
