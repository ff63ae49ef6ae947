//! What turns one document into another. In arrays, elements that stay are found first, so that an element put in
//! front of others names itself and not all of them. On each level of arrays linear in what differs, but for a sort.

use std::collections::BTreeMap;
use std::iter;

use json_patch::jsonptr::{PointerBuf, Token};
use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::{Map, Value};

/// The operations from `from` to `to`.
pub(super) fn diff(from: &Value, to: &Value) -> Vec<PatchOperation> {
    let mut diff = Diff { place: PointerBuf::new(), operations: Vec::new() };
    diff.values(from, to);
    diff.operations
}

struct Diff {
    place: PointerBuf,
    operations: Vec<PatchOperation>,
}

impl Diff {
    fn values(&mut self, from: &Value, to: &Value) {
        match (from, to) {
            (Value::Object(from), Value::Object(to)) => self.members(from, to),
            (Value::Array(from), Value::Array(to)) => self.items(from, to),
            _ if from == to => {}
            _ => {
                let replace = ReplaceOperation { path: self.place.clone(), value: to.clone() };
                self.operations.push(PatchOperation::Replace(replace));
            }
        }
    }

    fn members(&mut self, from: &Map<String, Value>, to: &Map<String, Value>) {
        for (key, from) in from {
            match to.get(key) {
                Some(to) => self.below(key, |diff| diff.values(from, to)),
                None => self.below(key, Self::remove),
            }
        }
        for (key, to) in to.iter().filter(|(key, _)| !from.contains_key(*key)) {
            self.below(key, |diff| diff.add(to));
        }
    }

    /// Operations come in the order of indexes; each index is that of the array as the operations before left it.
    fn items(&mut self, from: &[Value], to: &[Value]) {
        let (mut old, mut new) = (0, 0);
        for (stays, at) in staying(from, to).into_iter().chain([(from.len(), to.len())]) {
            self.gap(from.get(old..stays).unwrap_or_default(), to.get(new..at).unwrap_or_default(), new);
            (old, new) = (stays.saturating_add(1), at.saturating_add(1));
        }
    }

    /// Elements between two that stay; the first has the index `start`.
    fn gap(&mut self, from: &[Value], to: &[Value], start: usize) {
        let index = |offset: usize| start.saturating_add(offset);
        for (offset, (from, to)) in from.iter().zip(to).enumerate() {
            self.below(index(offset), |diff| diff.values(from, to));
        }
        for (offset, to) in to.iter().enumerate().skip(from.len()) {
            self.below(index(offset), |diff| diff.add(to));
        }
        // From the end: less to shift for who applies it.
        for offset in (to.len()..from.len()).rev() {
            self.below(index(offset), Self::remove);
        }
    }

    fn add(&mut self, value: &Value) {
        self.operations
            .push(PatchOperation::Add(AddOperation { path: self.place.clone(), value: value.clone() }));
    }

    fn remove(&mut self) {
        self.operations.push(PatchOperation::Remove(RemoveOperation { path: self.place.clone() }));
    }

    fn below<'t>(&mut self, token: impl Into<Token<'t>>, what: impl FnOnce(&mut Self)) {
        self.place.push_back(token);
        what(self);
        self.place.pop_back();
    }
}

/// Indexes of elements that are in both arrays, in the same order: those at the start, those at the end, and as many
/// as can be found between them.
fn staying(from: &[Value], to: &[Value]) -> Vec<(usize, usize)> {
    let start = iter::zip(from, to).take_while(|(from, to)| from == to).count();
    let (from_rest, to_rest) = (from.get(start..).unwrap_or_default(), to.get(start..).unwrap_or_default());
    let end =
        iter::zip(from_rest.iter().rev(), to_rest.iter().rev()).take_while(|(from, to)| from == to).count();
    let (from_end, to_end) = (from.len().saturating_sub(end), to.len().saturating_sub(end));
    let from_middle = from.get(start..from_end).unwrap_or_default();
    let to_middle = to.get(start..to_end).unwrap_or_default();
    let shift = |(old, new): (usize, usize)| (start.saturating_add(old), start.saturating_add(new));
    let middle = match (from_middle, to_middle) {
        // The usual change, of one element: it is not looked at again on every level.
        ([], _) | (_, []) | ([_], [_]) => Vec::new(),
        _ => rising(&alike(from_middle, to_middle)),
    };
    let indexes = (0..start).map(|index| (index, index)).chain(middle.into_iter().map(shift));
    indexes.chain(iter::zip(from_end..from.len(), to_end..to.len())).collect()
}

/// Indexes of equal elements, in the order of `from`; among several alike the first goes with the first.
fn alike(from: &[Value], to: &[Value]) -> Vec<(usize, usize)> {
    let mut places: BTreeMap<String, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, value) in from.iter().enumerate() {
        places.entry(value.to_string()).or_default().0.push(index);
    }
    for (index, value) in to.iter().enumerate() {
        places.entry(value.to_string()).or_default().1.push(index);
    }
    let mut pairs: Vec<(usize, usize)> =
        places.into_values().flat_map(|(from, to)| iter::zip(from, to)).collect();
    pairs.sort_unstable();
    pairs
}

/// The longest part of `pairs` whose second numbers rise (patience sorting).
fn rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // Each pair with the one before it in the longest part that it ends.
    let mut links: Vec<((usize, usize), Option<usize>)> = Vec::with_capacity(pairs.len());
    // For each length, which link ends the part of that length with the lowest number.
    let mut ends: Vec<usize> = Vec::new();
    for (link, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| links.get(*end).is_some_and(|(other, _)| other.1 < pair.1));
        let before = length.checked_sub(1).and_then(|shorter| ends.get(shorter).copied());
        links.push((*pair, before));
        match ends.get_mut(length) {
            Some(end) => *end = link,
            None => ends.push(link),
        }
    }
    let last = ends.last().and_then(|end| links.get(*end));
    let part = iter::successors(last, |(_, before)| before.and_then(|before| links.get(before)));
    let mut part: Vec<(usize, usize)> = part.map(|(pair, _)| *pair).collect();
    part.reverse();
    part
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Patch;
    use super::*;

    fn assert_diff(from: Value, to: &Value, expected: &Value) {
        let patch = Patch::diff(&from, to);
        assert_eq!(&patch.to_value(), expected);
        let mut document = from;
        patch.apply(&mut document).unwrap();
        assert_eq!(&document, to);
    }

    fn add(path: &str, value: Value) -> Value {
        json!({ "op": "add", "path": path, "value": value })
    }

    fn remove(path: &str) -> Value {
        json!({ "op": "remove", "path": path })
    }

    fn replace(path: &str, value: Value) -> Value {
        json!({ "op": "replace", "path": path, "value": value })
    }

    #[test]
    fn only_members_that_differ_are_named() {
        let table = [
            (
                json!({ "a/b": { "~": 1 }, "c": 1 }),
                json!({ "a/b": { "~": 2 }, "c": 1 }),
                json!([replace("/a~1b/~0", json!(2))]),
            ),
            (json!({ "a": 1 }), json!({ "b": null }), json!([remove("/a"), add("/b", json!(null))])),
            (json!({ "a": 1 }), json!({ "a": 1.0 }), json!([replace("/a", json!(1.0))])),
            (json!({}), json!([]), json!([replace("", json!([]))])),
            (json!({ "a": [{}] }), json!({ "a": [{}] }), json!([])),
        ];
        for (from, to, expected) in table {
            assert_diff(from, &to, &expected);
        }
    }

    #[test]
    fn only_elements_that_differ_are_named() {
        let table = [
            (json!([1, 2, 3]), json!([1, 3]), json!([remove("/1")])),
            (json!([1, 2, 3, 4]), json!([2, 3]), json!([remove("/0"), remove("/2")])),
            (json!([1, 2, 3, 4]), json!([1, 3, 5]), json!([remove("/1"), replace("/2", json!(5))])),
            (json!([1, 2, 3]), json!([3, 1, 2]), json!([add("/0", json!(3)), remove("/3")])),
            (json!([0, 1, 1, 2, 9]), json!([1, 1, 2, 8]), json!([remove("/0"), replace("/3", json!(8))])),
            (
                json!([0, 1, 5, 7, 1, 9]),
                json!([1, 6, 1, 8]),
                json!([remove("/0"), replace("/1", json!(6)), remove("/2"), replace("/3", json!(8))]),
            ),
            (json!([1, 1, 1]), json!([1]), json!([remove("/2"), remove("/1")])),
        ];
        for (from, to, expected) in table {
            assert_diff(from, &to, &expected);
        }
        let many: Vec<Value> = (0..200).map(|n| json!({ "name": n })).collect();
        let (mut one_changed, mut one_first) = (many.clone(), many.clone());
        one_changed[77]["name"] = json!("x");
        one_first.insert(0, json!("x"));
        assert_diff(json!(many), &json!(one_changed), &json!([replace("/77/name", json!("x"))]));
        assert_diff(json!(many), &json!(one_first), &json!([add("/0", json!("x"))]));
    }

    #[test]
    fn the_longest_rising_part_is_found() {
        let pairs = |numbers: &[usize]| numbers.iter().copied().enumerate().collect::<Vec<_>>();
        let numbers =
            |pairs: Vec<(usize, usize)>| pairs.into_iter().map(|(_, number)| number).collect::<Vec<_>>();
        assert_eq!(numbers(rising(&pairs(&[9, 0, 4, 1, 2, 8, 3]))), [0, 1, 2, 3]);
        assert!(rising(&pairs(&[])).is_empty());
    }
}
