//! Parts of documents by their paths: `json.filter`, `json.remove`, `object.subset`.

use std::collections::BTreeMap;

use regorus::Value;
use regorus::value::{Array, Object};

use super::arguments::{any, elements, name, object, wrong};
use super::{Failure, budget, order};

/// Paths as a tree. Where a path ends, everything below belongs to it.
enum Tree {
    End,
    Branch(BTreeMap<Value, Tree>),
}

pub(super) fn filter(arguments: &[Value]) -> Result<Value, Failure> {
    let document = Value::Object(object(arguments, 0)?.clone());
    let Tree::Branch(paths) = tree(arguments)? else { return Ok(document) };
    filtered(&document, &paths)
}

fn filtered(value: &Value, paths: &BTreeMap<Value, Tree>) -> Result<Value, Failure> {
    budget::bytes(32)?;
    let below = |value: &Value, tree: &Tree| match tree {
        Tree::End => Ok(value.clone()),
        Tree::Branch(paths) => filtered(value, paths),
    };
    match value {
        Value::Array(items) => {
            let kept = items.iter().enumerate().filter_map(|(index, item)| {
                paths.get(&Value::from(index.to_string())).map(|tree| below(item, tree))
            });
            Ok(Value::from(kept.collect::<Result<Vec<Value>, Failure>>()?))
        }
        Value::Set(items) => {
            let kept = items.iter().filter_map(|item| paths.get(item).map(|tree| below(item, tree)));
            Ok(Value::from(kept.collect::<Result<std::collections::BTreeSet<Value>, Failure>>()?))
        }
        Value::Object(members) => {
            let kept = members.iter().filter_map(|(key, member)| {
                paths.get(key).map(|tree| Ok((key.clone(), below(member, tree)?)))
            });
            Ok(Value::from(kept.collect::<Result<BTreeMap<Value, Value>, Failure>>()?))
        }
        scalar => Ok(scalar.clone()),
    }
}

pub(super) fn remove(arguments: &[Value]) -> Result<Value, Failure> {
    let document = Value::Object(object(arguments, 0)?.clone());
    Ok(removed(&document, Some(&tree(arguments)?))?.unwrap_or(Value::Undefined))
}

/// What is left of a value; nothing where a path ends at it.
fn removed(value: &Value, tree: Option<&Tree>) -> Result<Option<Value>, Failure> {
    budget::bytes(32)?;
    let paths = match tree {
        None => return Ok(Some(value.clone())),
        Some(Tree::End) => return Ok(None),
        Some(Tree::Branch(paths)) => paths,
    };
    Ok(Some(match value {
        Value::Array(items) => {
            let left = items.iter().enumerate();
            let left = left.map(|(index, item)| removed(item, paths.get(&Value::from(index.to_string()))));
            Value::from(left.filter_map(Result::transpose).collect::<Result<Vec<Value>, Failure>>()?)
        }
        Value::Set(items) => {
            let left = items.iter().map(|item| removed(item, paths.get(item))).filter_map(Result::transpose);
            Value::from(left.collect::<Result<std::collections::BTreeSet<Value>, Failure>>()?)
        }
        Value::Object(members) => {
            let mut left = BTreeMap::new();
            for (key, member) in members.iter() {
                if let Some(member) = removed(member, paths.get(key))? {
                    left.insert(key.clone(), member);
                }
            }
            Value::from(left)
        }
        scalar => scalar.clone(),
    }))
}

fn tree(arguments: &[Value]) -> Result<Tree, Failure> {
    let mut root = BTreeMap::new();
    for path in elements(arguments, 1, &["set", "array"])? {
        insert(&mut root, &segments(path)?);
    }
    Ok(Tree::Branch(root))
}

fn insert(node: &mut BTreeMap<Value, Tree>, path: &[Value]) {
    match path {
        [] => {}
        [last] => {
            node.insert(last.clone(), Tree::End);
        }
        [first, rest @ ..] => {
            let child = node.entry(first.clone()).or_insert_with(|| Tree::Branch(BTreeMap::new()));
            // A shorter path took everything already.
            if let Tree::Branch(child) = child {
                insert(child, rest);
            }
        }
    }
}

/// A path: a JSON pointer, its first slash optional, or an array of keys.
pub(super) fn segments(path: &Value) -> Result<Vec<Value>, Failure> {
    match path {
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        Value::String(text) => {
            let parts = text.trim_start_matches('/').split('/');
            Ok(parts.map(|part| Value::from(part.replace("~1", "/").replace("~0", "~"))).collect())
        }
        Value::Array(items) => Ok(items.iter().cloned().collect()),
        other => {
            let what =
                "must be one of {set, array} containing string paths or array of path segments but got";
            Err(wrong(1, &format!("{what} {}", name(other))))
        }
    }
}

pub(super) fn subset(arguments: &[Value]) -> Result<Value, Failure> {
    let (all, part) = (any(arguments, 0)?, any(arguments, 1)?);
    let known = match (all, part) {
        (Value::Array(all), Value::Set(part)) => {
            part.iter().all(|item| all.contains(item)) && !all.is_empty()
        }
        _ => match contained(all, part)? {
            Some(contained) => contained,
            None => {
                let what = "both arguments object.subset must be of the same type or array and set";
                return Err(Failure::Wrong(what.to_owned()));
            }
        },
    };
    Ok(Value::from(known))
}

/// None where the two are not of one type, or have no parts.
fn contained(all: &Value, part: &Value) -> Result<Option<bool>, Failure> {
    Ok(Some(match (all, part) {
        (Value::Object(all), Value::Object(part)) => object_contained(all, part)?,
        (Value::Set(all), Value::Set(part)) => part.is_subset(all),
        (Value::Array(all), Value::Array(part)) => array_contained(all, part)?,
        _ => return Ok(None),
    }))
}

fn object_contained(all: &Object, part: &Object) -> Result<bool, Failure> {
    for (key, wanted) in part.iter() {
        budget::steps(10)?;
        let Some(member) = all.get(key) else { return Ok(false) };
        if member != wanted && contained(member, wanted)? != Some(true) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// OPA's search goes on after what it has compared instead of right after where it began.
fn array_contained(all: &Array, part: &Array) -> Result<bool, Failure> {
    if part.len() > all.len() {
        return Ok(false);
    }
    let (mut start, mut matched) = (0_usize, 0_usize);
    loop {
        budget::steps(10)?;
        let Some(wanted) = part.get(matched) else { return Ok(true) };
        match all.get(start.saturating_add(matched)) {
            None => return Ok(false),
            Some(item) if order::compare(item, wanted).is_eq() => matched = matched.saturating_add(1),
            Some(_) => (start, matched) = (start.saturating_add(1), 0),
        }
    }
}
