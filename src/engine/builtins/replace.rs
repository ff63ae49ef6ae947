//! `replace` and `strings.replace_n`, with the order of Go's Replacer: at each place the first pattern that fits.

use std::collections::BTreeMap;

use regorus::Value;

use super::arguments::{object, string, wrong};
use super::{Failure, budget, strings};

pub(super) fn replace(arguments: &[Value]) -> Result<Value, Failure> {
    let (text, old, new) = (string(arguments, 0)?, string(arguments, 1)?, string(arguments, 2)?);
    strings::made(replaced(text, &[(old, new)])?)
}

pub(super) fn replace_n(arguments: &[Value]) -> Result<Value, Failure> {
    let patterns = object(arguments, 0)?;
    let text = string(arguments, 1)?;
    let mut pairs = Vec::new();
    for (old, new) in patterns.iter_sorted() {
        let Value::String(old) = old else { return Err(wrong(0, "non-string key found in pattern object")) };
        let Value::String(new) = new else {
            return Err(wrong(0, "non-string value found in pattern object"));
        };
        pairs.push((old.as_ref(), new.as_ref()));
    }
    strings::made(replaced(text, &pairs)?)
}

fn replaced(text: &str, pairs: &[(&str, &str)]) -> Result<String, Failure> {
    let empty = pairs.iter().position(|(old, _)| old.is_empty());
    if empty.is_some() && !text.is_ascii() {
        return Err(Failure::Beyond("would put something between the bytes of one character".to_owned()));
    }
    let mut by_first: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
    for (index, (old, _)) in pairs.iter().enumerate() {
        if let Some(first) = old.as_bytes().first() {
            by_first.entry(*first).or_default().push(index);
        }
    }
    let mut result = String::new();
    let mut rest = text;
    // Nothing is matched once between two characters, not again right after itself.
    let mut after_nothing = false;
    loop {
        let found = first_match(rest, pairs, &by_first, empty.filter(|_| !after_nothing))?;
        after_nothing = found.is_some_and(|(old, _)| old.is_empty());
        if let Some((old, new)) = found {
            budget::bytes(new.len())?;
            result.push_str(new);
            rest = rest.get(old.len()..).unwrap_or_default();
            if !old.is_empty() {
                continue;
            }
            // The same place again, for a pattern that is not empty.
            continue;
        }
        let mut letters = rest.chars();
        let Some(letter) = letters.next() else { return Ok(result) };
        result.push(letter);
        rest = letters.as_str();
    }
}

/// The first of the pairs whose pattern the text begins with.
fn first_match<'a>(
    text: &str,
    pairs: &[(&'a str, &'a str)],
    by_first: &BTreeMap<u8, Vec<usize>>,
    empty: Option<usize>,
) -> Result<Option<(&'a str, &'a str)>, Failure> {
    let candidates = text.as_bytes().first().and_then(|first| by_first.get(first));
    let candidates = candidates.map(Vec::as_slice).unwrap_or_default();
    budget::steps(candidates.len().saturating_add(1))?;
    let fits = |index: &&usize| pairs.get(**index).is_some_and(|(old, _)| text.starts_with(old));
    let found = candidates.iter().find(fits).copied();
    let first = [found, empty].into_iter().flatten().min();
    Ok(first.and_then(|index| pairs.get(index)).copied())
}
