//! Values of Rego as JSON, as OPA prints them: sets as arrays in OPA's order, numbers as Go writes them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use regorus::Value as Rego;
use serde_json::Value;

/// A value as JSON; None if it is undefined.
pub(super) fn value(value: &Rego) -> Option<Value> {
    Some(match value {
        Rego::Undefined => return None,
        Rego::Null => Value::Null,
        Rego::Bool(bool) => Value::Bool(*bool),
        Rego::String(text) => Value::String(text.to_string()),
        Rego::Number(_) => serde_json::from_str(&number(value)).unwrap_or_default(),
        Rego::Array(items) => items.iter().filter_map(self::value).collect(),
        Rego::Set(items) => {
            sorted(items.iter().collect(), |item| item).into_iter().filter_map(self::value).collect()
        }
        Rego::Object(members) => {
            let ordered = sorted(members.iter().collect(), |member| member.0);
            ordered.into_iter().filter_map(|(key, member)| Some((name(key)?, self::value(member)?))).collect()
        }
    })
}

/// A value as a JSON text without spaces; None if it is undefined.
pub(super) fn text(value: &Rego) -> Option<String> {
    let mut text = String::new();
    if matches!(value, Rego::Undefined) {
        return None;
    }
    write(value, &mut text);
    Some(text)
}

fn write(value: &Rego, to: &mut String) {
    match value {
        Rego::Undefined | Rego::Null => to.push_str("null"),
        Rego::Bool(bool) => to.push_str(if *bool { "true" } else { "false" }),
        Rego::String(text) => to.push_str(&quoted(text)),
        Rego::Number(_) => to.push_str(&number(value)),
        Rego::Array(items) => write_all(items.iter(), to),
        Rego::Set(items) => write_all(sorted(items.iter().collect(), |item| item).into_iter(), to),
        Rego::Object(members) => {
            // Of 1 and "1" the latter in OPA's order stays.
            let ordered = sorted(members.iter().collect(), |member| member.0);
            let named: BTreeMap<String, &Rego> =
                ordered.into_iter().filter_map(|(key, member)| Some((name(key)?, member))).collect();
            to.push('{');
            for (index, (name, member)) in named.into_iter().enumerate() {
                if index > 0 {
                    to.push(',');
                }
                to.push_str(&quoted(&name));
                to.push(':');
                write(member, to);
            }
            to.push('}');
        }
    }
}

fn write_all<'a>(items: impl Iterator<Item = &'a Rego>, to: &mut String) {
    to.push('[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            to.push(',');
        }
        write(item, to);
    }
    to.push(']');
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Keys that are not strings are written as JSON texts.
fn name(key: &Rego) -> Option<String> {
    match key {
        Rego::String(text) => Some(text.to_string()),
        other => text(other),
    }
}

fn number(value: &Rego) -> String {
    value.to_json_str().unwrap_or_default()
}

fn sorted<T>(mut items: Vec<T>, value: impl Fn(&T) -> &Rego) -> Vec<T> {
    items.sort_by(|a, b| compare(value(a), value(b)));
    items
}

/// OPA's order: null, booleans, numbers, strings, arrays, objects, sets. The interpreter's has sets before objects.
fn compare(a: &Rego, b: &Rego) -> Ordering {
    match (a, b) {
        (Rego::Array(a), Rego::Array(b)) => a.iter().map(Key).cmp(b.iter().map(Key)),
        (Rego::Set(a), Rego::Set(b)) => {
            let (a, b) = (sorted(a.iter().collect(), |i| i), sorted(b.iter().collect(), |i| i));
            a.into_iter().map(Key).cmp(b.into_iter().map(Key))
        }
        (Rego::Object(a), Rego::Object(b)) => {
            let (a, b) = (sorted(a.iter().collect(), |m| m.0), sorted(b.iter().collect(), |m| m.0));
            let pair = |(key, value)| (Key(key), Key(value));
            a.into_iter().map(pair).cmp(b.into_iter().map(pair))
        }
        _ => rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)),
    }
}

fn rank(value: &Rego) -> u8 {
    match value {
        Rego::Undefined => 0,
        Rego::Null => 1,
        Rego::Bool(_) => 2,
        Rego::Number(_) => 3,
        Rego::String(_) => 4,
        Rego::Array(_) => 5,
        Rego::Object(_) => 6,
        Rego::Set(_) => 7,
    }
}

/// A value that is ordered as OPA orders it.
struct Key<'a>(&'a Rego);

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.0, other.0)
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key<'_> {}
