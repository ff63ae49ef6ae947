//! Lengths of time as people write them in a tree: `90d`, `36h`.

use time::Duration;

/// Reads days or hours.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let hours = |number: &str, each: i64| {
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse::<i64>().ok().filter(|number| is_number && *number > 0)?;
        // A century is more than anybody means, and less than what overflows.
        number.checked_mul(each).filter(|hours| *hours <= 876_000).map(Duration::hours)
    };
    match (text.strip_suffix('d'), text.strip_suffix('h')) {
        (Some(days), _) => hours(days, 24),
        (_, Some(number)) => hours(number, 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_hours() {
        for (text, hours) in [("90d", Some(2160)), ("36h", Some(36)), ("036h", Some(36))] {
            assert_eq!(parse(text), hours.map(Duration::hours), "{text}");
        }
        for text in [
            "",
            "d",
            "0d",
            "90",
            "-1d",
            "+1d",
            "1.5d",
            "90 d",
            "90D",
            "1w",
            "999999999d",
            "99999999999999999999d",
            "1d1h",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
