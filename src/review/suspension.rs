//! Break-glass: the annotation by which denials in a namespace are warnings for a while.

use serde_json::Value;
use time::Duration;

use super::knowledge::is_namespace;
use crate::admission::Request;
use crate::context::Now;
use crate::policy::SUSPEND_ANNOTATION;

/// How far ahead its end may lie (contracts: enforcement).
const LONGEST: Duration = Duration::hours(24);

/// Whether denials are suspended where the object of a request is. `namespace`: the fact.
pub(super) fn is_suspended(request: &Request, namespace: &Value, now: Now) -> bool {
    let annotation =
        |annotations: Option<&Value>| counts(annotations.and_then(|all| all.get(SUSPEND_ANNOTATION)), now);
    if !is_namespace(request) {
        return annotation(namespace.get("annotations"));
    }
    // A Namespace that is made or changed is not let off by what the request itself says.
    let of = |object: Option<&Value>| {
        annotation(object.and_then(|object| object.pointer("/metadata/annotations")))
    };
    of(request.old_object()) && of(request.object())
}

/// It counts while its end is ahead, and not too far.
fn counts(until: Option<&Value>, now: Now) -> bool {
    let until = until.and_then(Value::as_str).and_then(|text| Now::parse(text).ok());
    until.is_some_and(|until| now < until && !until.is_later_than(now, LONGEST))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_counts_until_its_end_and_for_a_day_at_the_most() {
        let now = Now::parse("2026-01-31T12:00:00Z").unwrap();
        for (until, expected) in [
            ("2026-01-31T12:00:00Z", false),
            ("2026-01-31T12:00:00.000000001Z", true),
            ("2026-02-01T12:00:00Z", true),
            ("2026-02-01T12:00:01Z", false),
            ("2026-01-31T13:00:00+01:00", false),
            ("2026-01-31T13:30:00+01:00", true),
            ("2026-01-31", false),
            ("true", false),
            ("", false),
        ] {
            assert_eq!(counts(Some(&json!(until)), now), expected, "{until}");
        }
        for other in [None, Some(&json!(true)), Some(&Value::Null)] {
            assert!(!counts(other, now), "{other:?}");
        }
    }
}
