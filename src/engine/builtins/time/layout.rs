//! Go's layouts, in which the time to be written is shown by example: `Mon Jan _2 15:04:05 2006`.

use chrono::{DateTime, Datelike, Offset, Timelike};
use chrono_tz::{OffsetName, Tz};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The elements of a layout; where one begins with another, the longer is first.
const ELEMENTS: [&str; 33] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "002",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "2006",
    "1",
    "2",
    "__2",
    "_2",
    "3",
    "4",
    "5",
    "PM",
    "pm",
    "-07:00:00",
    "-070000",
    "-07:00",
    "-0700",
    "-07",
    "Z07:00:00",
    "Z070000",
    "Z07:00",
    "Z0700",
    "Z07",
];

/// The time in that layout.
pub(super) fn written(time: &DateTime<Tz>, layout: &str) -> String {
    let mut text = String::new();
    let mut rest = layout;
    while !rest.is_empty() {
        if let Some((separator, nines, digits)) = fraction(rest) {
            let all = format!("{:09}", time.nanosecond());
            let shown = all.get(..digits.min(9)).unwrap_or(&all);
            let shown = if nines { shown.trim_end_matches('0') } else { shown };
            if !shown.is_empty() {
                text.push(separator);
                text.push_str(shown);
            }
            rest = rest.get(digits.saturating_add(1)..).unwrap_or_default();
            continue;
        }
        // `_2006` is an underscore and the year.
        let element = ELEMENTS.iter().find(|element| rest.starts_with(**element));
        let element = element.filter(|element| !lower_follows(element, rest) && !rest.starts_with("_2006"));
        if let Some(element) = element {
            text.push_str(&shown(time, element));
            rest = rest.get(element.len()..).unwrap_or_default();
        } else {
            let mut letters = rest.chars();
            text.extend(letters.next());
            rest = letters.as_str();
        }
    }
    text
}

/// The short names of months and days are none where a lower-case letter follows: `Month`.
fn lower_follows(element: &str, rest: &str) -> bool {
    matches!(element, "Jan" | "Mon")
        && rest
            .get(3..)
            .and_then(|rest| rest.chars().next())
            .is_some_and(|letter| letter.is_ascii_lowercase())
}

/// `.000` or `.999`, if no digit follows: the separator, whether zeros at the end are left out, how many.
fn fraction(rest: &str) -> Option<(char, bool, usize)> {
    let mut letters = rest.chars();
    let separator = letters.next().filter(|letter| matches!(letter, '.' | ','))?;
    let digits = letters.as_str();
    let kind = digits.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let count = digits.chars().take_while(|digit| *digit == kind).count();
    let ends = !digits.get(count..)?.starts_with(|letter: char| letter.is_ascii_digit());
    ends.then_some((separator, kind == '9', count))
}

fn shown(time: &DateTime<Tz>, element: &str) -> String {
    let month =
        usize::try_from(time.month0()).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default();
    let hour = time.hour12().1;
    match element {
        "January" => month.to_owned(),
        "Jan" => month.chars().take(3).collect(),
        "1" => time.month().to_string(),
        "01" => format!("{:02}", time.month()),
        "Monday" => time.format("%A").to_string(),
        "Mon" => time.format("%a").to_string(),
        "2" => time.day().to_string(),
        "_2" => format!("{:2}", time.day()),
        "02" => format!("{:02}", time.day()),
        "__2" => format!("{:3}", time.ordinal()),
        "002" => format!("{:03}", time.ordinal()),
        "15" => format!("{:02}", time.hour()),
        "3" => hour.to_string(),
        "03" => format!("{hour:02}"),
        "4" => time.minute().to_string(),
        "04" => format!("{:02}", time.minute()),
        "5" => time.second().to_string(),
        "05" => format!("{:02}", time.second()),
        "2006" => format!("{:04}", time.year()),
        "06" => format!("{:02}", time.year().rem_euclid(100)),
        "PM" => if time.hour12().0 { "PM" } else { "AM" }.to_owned(),
        "pm" => if time.hour12().0 { "pm" } else { "am" }.to_owned(),
        "MST" => match time.offset().abbreviation() {
            Some(name) if !name.is_empty() => name.to_owned(),
            // Zones without a name of their own have the difference for one.
            _ if time.offset().fix().local_minus_utc().checked_rem(3_600) == Some(0) => offset(time, "-07"),
            _ => offset(time, "-0700"),
        },
        zone => offset(time, zone),
    }
}

/// The difference to UTC, as precise as the element is.
fn offset(time: &DateTime<Tz>, element: &str) -> String {
    let seconds = time.offset().fix().local_minus_utc();
    if seconds == 0 && element.starts_with('Z') {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { '-' } else { '+' };
    let seconds = seconds.unsigned_abs();
    let colon = if element.contains(':') { ":" } else { "" };
    let part =
        |unit: u32, of: u32| seconds.checked_div(unit).and_then(|n| n.checked_rem(of)).unwrap_or_default();
    let digits = element.chars().filter(char::is_ascii_digit).count();
    let mut text = format!("{sign}{:02}", part(3_600, u32::MAX));
    if digits > 2 {
        text.push_str(&format!("{colon}{:02}", part(60, 60)));
    }
    if digits > 4 {
        text.push_str(&format!("{colon}{:02}", part(1, 60)));
    }
    text
}
