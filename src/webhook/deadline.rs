//! How much time an answer has: the API server says in `?timeout=` when it stops waiting.

use std::time::Duration;

use axum::extract::Query;
use axum::http::Uri;

/// Without `?timeout=`: what the default timeoutSeconds of 10 leaves.
const WITHOUT: Duration = Duration::from_secs(7);
/// An answer to whom waits less than 2 s.
const LEAST: Duration = Duration::from_millis(300);
/// The largest timeoutSeconds that a webhook can be registered with (admissionregistration.k8s.io/v1).
const LONGEST: Duration = Duration::from_secs(30);
/// From here on, the API server's own time is taken off: 1 s because it rounds up, 2 s for two tries after a 503.
const LONG: Duration = Duration::from_secs(6);
const MARGIN: Duration = Duration::from_secs(3);
/// From here on, half is taken off.
const SHORT: Duration = Duration::from_secs(2);

/// How long an answer to a request for `uri` may take. A timeout that can't be read is as none (as in
/// pod-security-admission): the API server that wrote it waits for an answer all the same.
pub(super) fn time_for(uri: &Uri) -> Duration {
    let query: Vec<(String, String)> = Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
    let timeout = query.iter().find(|(name, _)| name == "timeout").and_then(|(_, text)| go_duration(text));
    match timeout {
        None => WITHOUT,
        Some(timeout) if timeout >= LONG => timeout.min(LONGEST).saturating_sub(MARGIN),
        Some(timeout) if timeout >= SHORT => timeout.checked_div(2).unwrap_or(LEAST),
        Some(_) => LEAST,
    }
}

/// Reads a duration as Go's `time.ParseDuration` does: numbers with units, as in `10s` or `1m30.5s`. A negative one
/// is zero.
fn go_duration(text: &str) -> Option<Duration> {
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut nanoseconds = 0_u64;
    loop {
        let (term, after) = term(rest)?;
        nanoseconds = nanoseconds.checked_add(term).filter(|sum| i64::try_from(*sum).is_ok())?;
        rest = after;
        if rest.is_empty() {
            let duration = Duration::from_nanos(nanoseconds);
            return Some(if negative { Duration::ZERO } else { duration });
        }
    }
}

/// One number with its unit, in nanoseconds, and what comes after it.
fn term(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at_checked(end)?;
    let unit = nanoseconds(unit)?;
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let mut term = whole.checked_mul(unit)?;
    let mut place = unit;
    // Past the twelfth digit nothing is left even of an hour.
    for digit in fraction.chars().filter_map(|digit| digit.to_digit(10)) {
        place = place.checked_div(10)?;
        term = term.checked_add(place.checked_mul(u64::from(digit))?)?;
    }
    Some((term, rest))
}

fn digits(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        let read = [
            ("0", 0.0),
            ("-0", 0.0),
            ("10s", 10.0),
            ("+5s", 5.0),
            ("1m30s", 90.0),
            ("1m30.5s", 90.5),
            (".5s", 0.5),
            ("5.s", 5.0),
            ("1.5h", 5_400.0),
            ("300ms", 0.3),
            ("2us", 0.000_002),
            ("2µs", 0.000_002),
            ("2μs", 0.000_002),
            ("7ns", 0.000_000_007),
            ("0.1000000000000000000000000000001s", 0.1),
            ("-3s", 0.0),
        ];
        for (text, seconds) in read {
            assert_eq!(go_duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        let wrong = [
            "",
            "-",
            "+",
            "10",
            "s",
            ".s",
            ".",
            "10 s",
            "10S",
            "1d",
            "--1s",
            "1s1",
            "1e3s",
            "1sm",
            "∞s",
            "9223372036854775808ns",
            "99999999999999999999s",
            "3000000h",
            "NaN",
            "１s",
        ];
        for text in wrong {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn an_answer_comes_before_the_api_server_stops_waiting() {
        let table = [
            ("/validate", 7.0),
            ("/validate?timeout=", 7.0),
            ("/validate?timeout=soon", 7.0),
            ("/validate?timeout=10", 7.0),
            ("/validate?%ff", 7.0),
            ("/validate?timeout=10s", 7.0),
            ("/validate?dryRun=All&timeout=10s", 7.0),
            ("/validate?timeout=30s&timeout=1s", 27.0),
            ("/validate?timeout=1h", 27.0),
            ("/validate?timeout=6s", 3.0),
            ("/validate?timeout=5.999s", 2.9995),
            ("/validate?timeout=2s", 1.0),
            ("/validate?timeout=1.999s", 0.3),
            ("/validate?timeout=1%73", 0.3),
            ("/validate?timeout=0s", 0.3),
            ("/validate?timeout=-10s", 0.3),
        ];
        for (uri, seconds) in table {
            assert_eq!(time_for(&uri.parse().unwrap()), Duration::from_secs_f64(seconds), "{uri}");
        }
    }
}
