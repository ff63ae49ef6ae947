//! The functions of sprig (github.com/Masterminds/sprig/v3) that templates of Istio call or are known to call.

mod collections;
mod encodings;

use std::sync::Arc;

use super::Function;
use super::arguments::{any, count, integer, list, map, text, texts};
use crate::mesh::template::{Value, plain, quote};

/// The function of that name.
pub(super) fn found(name: &str) -> Option<Function> {
    let more = || collections::found(name).or_else(|| encodings::found(name));
    of_texts(name).or_else(|| of_values(name)).or_else(|| of_lists(name)).or_else(more)
}

fn of_texts(name: &str) -> Option<Function> {
    Some(match name {
        "quote" => |arguments| Ok(Value::text(printed(arguments, |one| quote(&plain(one))))),
        "squote" => |arguments| Ok(Value::text(printed(arguments, |one| format!("'{}'", plain(one))))),
        "cat" => |arguments| Ok(Value::text(printed(arguments, plain))),
        "nindent" => |arguments| {
            let [spaces, block] = any(arguments)?;
            let pad = format!("\n{}", " ".repeat(count(spaces)?));
            Ok(Value::text(format!("{pad}{}", text(block)?.replace('\n', &pad))))
        },
        "trunc" => |arguments| {
            let [length, whole] = any(arguments)?;
            Ok(Value::text(truncated(integer(length)?, &text(whole)?)))
        },
        _ => return of_parts(name),
    })
}

/// Functions that take a text apart, or put one together.
fn of_parts(name: &str) -> Option<Function> {
    Some(match name {
        "trim" => |arguments| Ok(Value::text(texts::<1>(arguments)?[0].trim())),
        "trimSuffix" => |arguments| {
            let [suffix, whole] = texts(arguments)?;
            Ok(Value::text(whole.strip_suffix(&*suffix).unwrap_or(&whole)))
        },
        "trimPrefix" => |arguments| {
            let [prefix, whole] = texts(arguments)?;
            Ok(Value::text(whole.strip_prefix(&*prefix).unwrap_or(&whole)))
        },
        "trimAll" => |arguments| {
            let [set, whole] = texts(arguments)?;
            Ok(Value::text(whole.trim_matches(|character| set.contains(character))))
        },
        "upper" => |arguments| Ok(Value::text(texts::<1>(arguments)?[0].to_uppercase())),
        "lower" => |arguments| Ok(Value::text(texts::<1>(arguments)?[0].to_lowercase())),
        "nospace" => |arguments| {
            let [whole] = texts(arguments)?;
            Ok(Value::text(whole.chars().filter(|one| !one.is_whitespace()).collect::<String>()))
        },
        "toString" => |arguments| Ok(Value::text(plain(&any::<1>(arguments)?[0]))),
        _ => return of_longer(name),
    })
}

/// Functions whose text may be much longer than those that they are given.
fn of_longer(name: &str) -> Option<Function> {
    Some(match name {
        "replace" => |arguments| {
            let [old, new, whole] = texts(arguments)?;
            let most = whole.len().saturating_add(1).saturating_mul(new.len().max(1));
            if most > 16 * 1024 * 1024 {
                return Err("the text would be too long".to_owned());
            }
            Ok(Value::text(whole.replace(&*old, &new)))
        },
        "repeat" => |arguments| {
            let [times, whole] = any(arguments)?;
            let (times, whole) = (count(times)?, text(whole)?);
            if whole.len().saturating_mul(times) > 1024 * 1024 {
                return Err("the text would be too long".to_owned());
            }
            Ok(Value::text(whole.repeat(times)))
        },
        "hasPrefix" => |arguments| {
            let [prefix, whole] = texts(arguments)?;
            Ok(Value::Bool(whole.starts_with(&*prefix)))
        },
        "hasSuffix" => |arguments| {
            let [suffix, whole] = texts(arguments)?;
            Ok(Value::Bool(whole.ends_with(&*suffix)))
        },
        "splitList" => |arguments| {
            let [separator, whole] = texts(arguments)?;
            Ok(Value::list(parts(&separator, &whole).into_iter().map(Value::text)))
        },
        "join" => |arguments| {
            let [separator, items] = any(arguments)?;
            let items: Vec<String> = match items {
                Value::List(items) => items.iter().filter(|one| !is_nil(one)).map(plain).collect(),
                Value::Absent | Value::Null => Vec::new(),
                other => vec![plain(other)],
            };
            Ok(Value::text(items.join(&text(separator)?)))
        },
        _ => return None,
    })
}

fn of_values(name: &str) -> Option<Function> {
    Some(match name {
        "default" => |arguments| {
            let (default, given) = arguments.split_first().ok_or("wrong number of args: want at least 1")?;
            Ok(given.first().filter(|given| !is_empty(given)).unwrap_or(default).clone())
        },
        "empty" => |arguments| Ok(Value::Bool(is_empty(&any::<1>(arguments)?[0]))),
        "coalesce" => {
            |arguments| Ok(arguments.iter().find(|one| !is_empty(one)).cloned().unwrap_or(Value::Absent))
        }
        "ternary" => |arguments| match any(arguments)? {
            [yes, _, Value::Bool(true)] => Ok(yes.clone()),
            [_, no, Value::Bool(false)] => Ok(no.clone()),
            _ => Err("wrong type for value; expected bool".to_owned()),
        },
        "fail" => |arguments| Err(texts::<1>(arguments)?[0].to_string()),
        "hasKey" => |arguments| {
            let [members, key] = any(arguments)?;
            Ok(Value::Bool(map(members)?.contains_key(&text(key)?)))
        },
        "get" => |arguments| {
            let [members, key] = any(arguments)?;
            Ok(map(members)?.get(&text(key)?).cloned().unwrap_or_else(|| Value::text("")))
        },
        "dict" => |arguments| {
            let pairs = arguments.chunks(2).map(|pair| {
                let name = pair.first().map(plain).unwrap_or_default();
                (Arc::from(name), pair.get(1).cloned().unwrap_or_else(|| Value::text("")))
            });
            Ok(Value::Map(Arc::new(pairs.collect())))
        },
        "int" | "int64" => |arguments| Ok(Value::Int(number(&any::<1>(arguments)?[0]))),
        "add" => |arguments| Ok(Value::Int(arguments.iter().map(number).fold(0, i64::saturating_add))),
        "sub" => |arguments| {
            let [one, other] = any(arguments)?;
            Ok(Value::Int(number(one).saturating_sub(number(other))))
        },
        "kindIs" => |arguments| {
            let [kind, value] = any(arguments)?;
            Ok(Value::Bool(*text(kind)? == *value.kind()))
        },
        _ => return None,
    })
}

fn of_lists(name: &str) -> Option<Function> {
    Some(match name {
        "list" => |arguments| Ok(Value::list(arguments.iter().cloned())),
        "append" => |arguments| {
            let [items, item] = any(arguments)?;
            Ok(Value::list(list(items)?.iter().chain([item]).cloned()))
        },
        "prepend" => |arguments| {
            let [items, item] = any(arguments)?;
            Ok(Value::list([item].into_iter().chain(list(items)?).cloned()))
        },
        "first" => |arguments| Ok(list(&any::<1>(arguments)?[0])?.first().cloned().unwrap_or(Value::Absent)),
        "last" => |arguments| Ok(list(&any::<1>(arguments)?[0])?.last().cloned().unwrap_or(Value::Absent)),
        "has" => |arguments| {
            let [item, items] = any(arguments)?;
            let wanted = item.to_json();
            Ok(Value::Bool(wanted.is_some() && list(items)?.iter().any(|one| one.to_json() == wanted)))
        },
        "keys" => |arguments| Ok(Value::list(map(&any::<1>(arguments)?[0])?.keys().map(Value::text))),
        _ => return None,
    })
}

fn is_nil(value: &Value) -> bool {
    matches!(value, Value::Absent | Value::Null)
}

/// What `default` takes for nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Record(record) => record.is_nil,
        Value::Enum(_) => false,
        other => !other.is_true(),
    }
}

/// All that is not nil, with blanks between.
fn printed(arguments: &[Value], print: impl Fn(&Value) -> String) -> String {
    arguments.iter().filter(|one| !is_nil(one)).map(print).collect::<Vec<_>>().join(" ")
}

/// The first bytes, or the last ones where the length is negative; a character that is cut goes.
fn truncated(length: i64, whole: &str) -> String {
    let size = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    if size >= whole.len() {
        return whole.to_owned();
    }
    let bytes = whole.as_bytes();
    let part = if length < 0 { bytes.get(bytes.len().saturating_sub(size)..) } else { bytes.get(..size) };
    String::from_utf8_lossy(part.unwrap_or_default()).into_owned()
}

fn parts(separator: &str, whole: &str) -> Vec<String> {
    if separator.is_empty() {
        return whole.chars().map(String::from).collect();
    }
    whole.split(separator).map(str::to_owned).collect()
}

/// A number of whatever it is; 0 where it is none (cast.ToInt64).
fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        Value::Bool(bool) => i64::from(*bool),
        Value::Float(number) => format!("{:.0}", number.trunc()).parse().unwrap_or_default(),
        Value::Text(text) => text.trim().parse().unwrap_or_default(),
        _ => 0,
    }
}
