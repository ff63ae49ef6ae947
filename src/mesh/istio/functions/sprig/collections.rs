//! Functions of lists, maps and numbers.

use std::sync::Arc;

use super::super::Function;
use super::super::arguments::{any, count, integer, list, map, text};
use super::{is_empty, number};
use crate::mesh::template::{Value, plain};

/// The function of that name.
pub(super) fn found(name: &str) -> Option<Function> {
    of_lists(name).or_else(|| of_maps(name)).or_else(|| of_numbers(name))
}

fn of_lists(name: &str) -> Option<Function> {
    Some(match name {
        "tuple" => |arguments| Ok(Value::list(arguments.iter().cloned())),
        "push" => |arguments| {
            let [items, item] = any(arguments)?;
            Ok(Value::list(list(items)?.iter().chain([item]).cloned()))
        },
        "rest" => |arguments| Ok(Value::list(list(&any::<1>(arguments)?[0])?.iter().skip(1).cloned())),
        "initial" => |arguments| {
            let items = list(&any::<1>(arguments)?[0])?;
            Ok(Value::list(items.split_last().map_or(&[][..], |(_, before)| before).iter().cloned()))
        },
        "reverse" => |arguments| Ok(Value::list(list(&any::<1>(arguments)?[0])?.iter().rev().cloned())),
        "compact" => |arguments| {
            let items = list(&any::<1>(arguments)?[0])?;
            Ok(Value::list(items.iter().filter(|item| !is_empty(item)).cloned()))
        },
        "uniq" => |arguments| {
            let mut kept: Vec<Value> = Vec::new();
            for item in list(&any::<1>(arguments)?[0])? {
                if !kept.iter().any(|one| one.to_json() == item.to_json()) {
                    kept.push(item.clone());
                }
            }
            Ok(Value::list(kept))
        },
        "without" => |arguments| {
            let (items, omitted) = arguments.split_first().ok_or("wrong number of args: want at least 1")?;
            let is_kept = |item: &&Value| !omitted.iter().any(|one| one.to_json() == item.to_json());
            Ok(Value::list(list(items)?.iter().filter(is_kept).cloned()))
        },
        "concat" => |arguments| {
            let lists: Vec<&[Value]> = arguments.iter().map(list).collect::<Result<_, _>>()?;
            Ok(Value::list(lists.concat()))
        },
        "sortAlpha" => |arguments| {
            let mut texts: Vec<String> = list(&any::<1>(arguments)?[0])?.iter().map(plain).collect();
            texts.sort();
            Ok(Value::list(texts.into_iter().map(Value::text)))
        },
        "toStrings" => |arguments| {
            Ok(Value::list(list(&any::<1>(arguments)?[0])?.iter().map(|item| Value::text(plain(item)))))
        },
        "until" => |arguments| {
            let end = i64::try_from(count(&any::<1>(arguments)?[0])?).unwrap_or_default();
            Ok(Value::list((0..end).map(Value::Int)))
        },
        "all" => |arguments| Ok(Value::Bool(!arguments.iter().any(is_empty))),
        "any" => |arguments| Ok(Value::Bool(!arguments.iter().all(is_empty))),
        _ => return None,
    })
}

fn of_maps(name: &str) -> Option<Function> {
    Some(match name {
        "values" => |arguments| Ok(Value::list(map(&any::<1>(arguments)?[0])?.values().cloned())),
        "pick" => |arguments| {
            let (members, names) = arguments.split_first().ok_or("wrong number of args: want at least 1")?;
            let names: Vec<Arc<str>> = names.iter().map(text).collect::<Result<_, _>>()?;
            let mut picked = map(members)?.clone();
            picked.retain(|name, _| names.contains(name));
            Ok(Value::Map(Arc::new(picked)))
        },
        "dig" => |arguments| {
            let [names @ .., default, members] = arguments else {
                return Err("dig needs at least three arguments".to_owned());
            };
            if names.is_empty() {
                return Err("dig needs at least three arguments".to_owned());
            }
            let mut at = members.clone();
            for name in names {
                match map(&at)?.get(&text(name)?).cloned() {
                    Some(found) => at = found,
                    None => return Ok(default.clone()),
                }
            }
            Ok(at)
        },
        "deepEqual" => |arguments| {
            let [one, other] = any(arguments)?;
            Ok(Value::Bool(one.kind() == other.kind() && one.to_json() == other.to_json()))
        },
        "kindOf" => |arguments| Ok(Value::text(any::<1>(arguments)?[0].kind())),
        _ => return None,
    })
}

fn of_numbers(name: &str) -> Option<Function> {
    Some(match name {
        "add1" => |arguments| Ok(Value::Int(number(&any::<1>(arguments)?[0]).saturating_add(1))),
        "mul" => |arguments| Ok(Value::Int(arguments.iter().map(number).fold(1, i64::saturating_mul))),
        "div" => |arguments| {
            let [one, other] = any(arguments)?;
            number(one).checked_div(number(other)).map(Value::Int).ok_or_else(|| "divide by zero".to_owned())
        },
        "mod" => |arguments| {
            let [one, other] = any(arguments)?;
            number(one).checked_rem(number(other)).map(Value::Int).ok_or_else(|| "divide by zero".to_owned())
        },
        "max" | "biggest" => |arguments| extreme(arguments, i64::max),
        "min" => |arguments| extreme(arguments, i64::min),
        "atoi" => |arguments| Ok(Value::Int(text(&any::<1>(arguments)?[0])?.parse().unwrap_or_default())),
        "substr" => |arguments| {
            let [start, end, whole] = any(arguments)?;
            let (start, end, whole) = (integer(start)?, integer(end)?, text(whole)?);
            let start = usize::try_from(start).unwrap_or_default();
            let end = usize::try_from(end).unwrap_or(usize::MAX).min(whole.len());
            let part = whole.as_bytes().get(start..end).ok_or("slice bounds out of range")?;
            Ok(Value::text(String::from_utf8_lossy(part)))
        },
        _ => return None,
    })
}

fn extreme(arguments: &[Value], better: fn(i64, i64) -> i64) -> Result<Value, String> {
    let found = arguments.iter().map(number).reduce(better);
    found.map(Value::Int).ok_or_else(|| "wrong number of args: want at least 1".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_maps_and_numbers_are_as_in_sprig() {
        let rows = [
            ("rest", json!([["a", "b", "c"]]), json!(["b", "c"])),
            ("initial", json!([["a", "b", "c"]]), json!(["a", "b"])),
            ("initial", json!([[]]), json!([])),
            ("reverse", json!([["a", "b"]]), json!(["b", "a"])),
            ("compact", json!([["a", "", 0, null, "b", false]]), json!(["a", "b"])),
            ("uniq", json!([["a", "b", "a"]]), json!(["a", "b"])),
            ("without", json!([["a", "b", "a"], "a"]), json!(["b"])),
            ("concat", json!([["a"], ["b", "c"]]), json!(["a", "b", "c"])),
            ("sortAlpha", json!([["b", "a", 5]]), json!(["5", "a", "b"])),
            ("push", json!([["a"], "b"]), json!(["a", "b"])),
            ("all", json!(["a", ""]), json!(false)),
            ("any", json!(["a", ""]), json!(true)),
            ("values", json!([{ "b": 1, "a": 2 }]), json!([2, 1])),
            ("pick", json!([{ "b": 1, "a": 2 }, "a"]), json!({ "a": 2 })),
            ("dig", json!(["a", "b", "none", { "a": { "b": "c" } }]), json!("c")),
            ("dig", json!(["a", "x", "none", { "a": { "b": "c" } }]), json!("none")),
            ("deepEqual", json!([["a"], ["a"]]), json!(true)),
            ("deepEqual", json!(["1", 1]), json!(false)),
            ("kindOf", json!([["a"]]), json!("slice")),
            ("mul", json!([2, 3, 4]), json!(24)),
            ("div", json!([7, 2]), json!(3)),
            ("mod", json!([7, 2]), json!(1)),
            ("max", json!([1, 5, 3]), json!(5)),
            ("min", json!([4, 1, 3]), json!(1)),
            ("atoi", json!(["42"]), json!(42)),
            ("atoi", json!(["x"]), json!(0)),
        ];
        for (name, arguments, expected) in rows {
            let arguments: Vec<Value> = arguments.as_array().unwrap().iter().map(Value::from_json).collect();
            let given = found(name).unwrap()(&arguments).unwrap();
            assert_eq!(given.to_json(), Some(expected), "{name}");
        }
        assert!(found("div").unwrap()(&[Value::Int(1), Value::Int(0)]).is_err());
        let until = found("until").unwrap();
        assert_eq!(until(&[Value::Int(3)]).unwrap().to_json(), Some(json!([0, 1, 2])));
        assert!(until(&[Value::Int(1_000_000)]).is_err());
        let part = |start, end| {
            found("substr").unwrap()(&[Value::Int(start), Value::Int(end), Value::text("hello")])
        };
        assert_eq!(part(1, 3).unwrap().to_json(), Some(json!("el")));
        assert_eq!(part(2, -1).unwrap().to_json(), Some(json!("llo")));
        assert!(part(4, 2).is_err());
    }
}
