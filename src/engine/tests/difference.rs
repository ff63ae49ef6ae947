//! Where two collections differ, element by element.

use std::collections::BTreeMap;

use regorus::Value as Rego;

use crate::engine::output_json;

/// What is in one collection only.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// What is expected and not there, as JSON texts.
    pub(super) missing: Vec<String>,
    /// What is there and not expected.
    pub(super) extra: Vec<String>,
}

/// The difference of two sets, arrays or objects; None for anything else, and for two of different kinds.
pub(super) fn difference(expected: &Rego, actual: &Rego) -> Option<Difference> {
    if std::mem::discriminant(expected) != std::mem::discriminant(actual) {
        return None;
    }
    let (expected, actual) = (elements(expected)?, elements(actual)?);
    Some(Difference { missing: without(&expected, &actual), extra: without(&actual, &expected) })
}

/// What is left of `these` when each of `others` takes one away.
fn without(these: &[String], others: &[String]) -> Vec<String> {
    let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
    for other in others {
        let count = taken.entry(other).or_default();
        *count = count.saturating_add(1);
    }
    let is_left = |element: &&String| match taken.get_mut(element.as_str()) {
        Some(count @ 1..) => {
            *count = count.saturating_sub(1);
            false
        }
        _ => true,
    };
    these.iter().filter(is_left).cloned().collect()
}

/// The elements, one text each.
fn elements(value: &Rego) -> Option<Vec<String>> {
    match value {
        Rego::Set(items) => Some(items.iter().filter_map(output_json::text).collect()),
        Rego::Array(items) => Some(items.iter().filter_map(output_json::text).collect()),
        Rego::Object(members) => {
            let member =
                |(key, value)| Some(format!("{}: {}", output_json::text(key)?, output_json::text(value)?));
            Some(members.iter().filter_map(member).collect())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &[&str]) -> Vec<String> {
        list.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn what_is_in_one_only() {
        let value = |json: &str| Rego::from_json_str(json).unwrap();
        for (expected, actual, missing, extra) in [
            ("[1, 2, 2]", "[2, 3]", vec!["1", "2"], vec!["3"]),
            ("[1, 2]", "[2, 1]", vec![], vec![]),
            (r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "b": [2]}"#, vec!["\"b\": 2"], vec!["\"b\": [2]"]),
        ] {
            let (missing, extra) = (texts(&missing), texts(&extra));
            assert_eq!(difference(&value(expected), &value(actual)), Some(Difference { missing, extra }));
        }
        assert_eq!(difference(&value("[1]"), &value("1")), None);
        assert_eq!(difference(&value("[1]"), &value("{}")), None);
        assert_eq!(difference(&value("1"), &value("[1]")), None);
    }
}
