//! Months and years as Go counts them: a day that a month does not have is one of the next month. The interpreter takes
//! the month's last day, nothing at all from the 29th of February, and seconds up to 60.

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use regorus::Value;

use super::super::Failure;
use super::super::arguments::{integer, string, whole};
use super::{moment, zoned};

/// Go's `AddDate`.
pub(in crate::engine::builtins) fn add_date(arguments: &[Value]) -> Result<Value, Failure> {
    let start = zoned(whole(arguments, 0)?, "")?.naive_utc();
    let [years, months, days] = [integer(arguments, 1)?, integer(arguments, 2)?, integer(arguments, 3)?];
    let end = added(start, years, months, days).and_then(|end| end.and_utc().timestamp_nanos_opt());
    end.map(Value::from).ok_or_else(beyond)
}

fn added(start: NaiveDateTime, years: i64, months: i64, days: i64) -> Option<NaiveDateTime> {
    let months = i64::from(start.year())
        .checked_add(years)?
        .checked_mul(12)?
        .checked_add(i64::from(start.month0()))?
        .checked_add(months)?;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12).checked_add(1)?);
    let first = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, 1)?;
    let days = TimeDelta::try_days(days.checked_add(i64::from(start.day0()))?)?;
    Some(first.checked_add_signed(days)?.and_time(start.time()))
}

/// Years, months, days, hours, minutes and seconds between two times, in the zone of the first.
pub(in crate::engine::builtins) fn diff(arguments: &[Value]) -> Result<Value, Failure> {
    let (first, _) = moment(arguments, 0)?;
    let (second, _) = moment(arguments, 1)?;
    let second = second.with_timezone(&first.timezone());
    let ordered = [first.min(second), first.max(second)].map(|time| time.naive_local());
    let parts = between(ordered).ok_or_else(beyond)?;
    Ok(Value::from(parts.map(Value::from).to_vec()))
}

/// Takes from the next larger unit what is negative; days are those of the earlier time's month.
fn between([early, late]: [NaiveDateTime; 2]) -> Option<[i64; 6]> {
    let of = |time: NaiveDateTime| {
        let date = [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(i64::from);
        let [month, day, hour, minute, second] = date;
        [i64::from(time.year()), month, day, hour, minute, second]
    };
    let mut parts = [0; 6];
    for (part, (late, early)) in parts.iter_mut().zip(of(late).into_iter().zip(of(early))) {
        *part = late.checked_sub(early)?;
    }
    let [mut years, mut months, mut days, mut hours, mut minutes, mut seconds] = parts;
    carry(&mut seconds, &mut minutes, 60)?;
    carry(&mut minutes, &mut hours, 60)?;
    carry(&mut hours, &mut days, 24)?;
    carry(&mut days, &mut months, i64::from(length(early.date())?))?;
    carry(&mut months, &mut years, 12)?;
    Some([years, months, days, hours, minutes, seconds])
}

fn carry(part: &mut i64, next: &mut i64, size: i64) -> Option<()> {
    if *part < 0 {
        *part = part.checked_add(size)?;
        *next = next.checked_sub(1)?;
    }
    Some(())
}

/// How many days the month of a date has.
fn length(date: NaiveDate) -> Option<u32> {
    let later = date.with_day(1)?.checked_add_days(Days::new(31))?;
    Some(later.with_day(1)?.pred_opt()?.day())
}

pub(in crate::engine::builtins) fn parse_rfc3339_ns(arguments: &[Value]) -> Result<Value, Failure> {
    let text = string(arguments, 0)?;
    // Not `t`, `z`, a space or a minus sign of Unicode, which chrono takes as well.
    let is_known = text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ+".contains(&byte));
    let time: Option<DateTime<FixedOffset>> = DateTime::parse_from_rfc3339(text).ok();
    let whole = time.filter(|time| is_known && time.nanosecond() < 1_000_000_000);
    let time = whole.ok_or_else(|| Failure::Wrong(format!("parsing time {text:?}: not of RFC 3339")))?;
    time.timestamp_nanos_opt().map(Value::from).ok_or_else(beyond)
}

fn beyond() -> Failure {
    Failure::Wrong("time outside of valid range".to_owned())
}
