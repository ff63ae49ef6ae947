//! `time.*` where the interpreter differs: writing times by Go's layouts, durations, and what is counted in months and
//! years.

mod calendar;
mod layout;

pub(super) use calendar::{add_date, diff, parse_rfc3339_ns};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use regorus::Value;

use super::arguments::{any, name, string, whole, wrong};
use super::{Failure, strings};

pub(super) fn format(arguments: &[Value]) -> Result<Value, Failure> {
    let (time, layout) = moment(arguments, 0)?;
    let layout = layout.filter(|layout| !layout.is_empty()).unwrap_or_else(|| "RFC3339Nano".to_owned());
    strings::made(layout::written(&time, known(&layout)))
}

/// An argument that is a time, with the layout behind it.
fn moment(arguments: &[Value], index: usize) -> Result<(DateTime<Tz>, Option<String>), Failure> {
    match any(arguments, index)? {
        Value::Number(_) => Ok((zoned(whole(arguments, index)?, "")?, None)),
        Value::Array(items) if !items.is_empty() => {
            let parts = items.to_vec();
            let zone = if parts.len() > 1 { string(&parts, 1)?.as_ref() } else { "" };
            let layout = if parts.len() > 2 { Some(string(&parts, 2)?.to_string()) } else { None };
            Ok((zoned(whole(&parts, 0)?, zone)?, layout))
        }
        other => {
            let what = "must be either number (ns) or [number (ns), string (tz)] but got";
            Err(wrong(index, &format!("{what} {}", name(other))))
        }
    }
}

fn zoned(nanoseconds: i64, zone: &str) -> Result<DateTime<Tz>, Failure> {
    let zone = match zone {
        "" | "UTC" => Tz::UTC,
        "Local" => return Err(Failure::Beyond("asks for the zone of the process".to_owned())),
        zone => zone.parse().map_err(|_| Failure::Wrong(format!("unknown time zone {zone}")))?,
    };
    Ok(DateTime::<Utc>::from_timestamp_nanos(nanoseconds).with_timezone(&zone))
}

/// Go's names of layouts.
fn known(layout: &str) -> &str {
    match layout {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => "2006-01-02T15:04:05Z07:00",
        "RFC3339Nano" => "2006-01-02T15:04:05.999999999Z07:00",
        own => own,
    }
}

pub(super) fn parse_duration_ns(arguments: &[Value]) -> Result<Value, Failure> {
    let text = string(arguments, 0)?;
    let nanoseconds = duration(text);
    nanoseconds.map(Value::from).ok_or_else(|| Failure::Wrong(format!("time: invalid duration {text:?}")))
}

/// Go's durations, and days, weeks and years of 24, 168 and 8,760 hours.
fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_i128;
    if rest != "0" {
        while !rest.is_empty() {
            let end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
            let (amount, after) = rest.split_at_checked(end)?;
            let end =
                after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
            let (unit, after) = after.split_at_checked(end)?;
            total = total.checked_add(part(amount, unit)?)?;
            rest = after;
        }
    }
    i64::try_from(if negative { total.checked_neg()? } else { total }).ok()
}

fn part(amount: &str, unit: &str) -> Option<i128> {
    let factor: i128 = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        "w" => 604_800_000_000_000,
        "y" => 31_536_000_000_000_000,
        _ => return None,
    };
    let (whole, behind) = amount.split_once('.').unwrap_or((amount, ""));
    if whole.len().checked_add(behind.len())? == 0 || behind.contains('.') {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Digits that count for less than a nanosecond are nothing.
    let behind = behind.get(..behind.len().min(18))?;
    let scale = 10_i128.checked_pow(u32::try_from(behind.len()).ok()?)?;
    let fraction: i128 = if behind.is_empty() { 0 } else { behind.parse().ok()? };
    whole.checked_mul(factor)?.checked_add(fraction.checked_mul(factor)?.checked_div(scale)?)
}
