//! Whether mutations come to rest: they do not where a path goes to and fro, or where there are more changes than
//! bindings to make them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::kubernetes::field_path::of_pointer;

/// The changes so far.
#[derive(Default)]
pub(super) struct Rest {
    /// Who made each change, by the binding's place.
    makers: Vec<usize>,
    /// Of each path, the changes that wrote it and what they left there.
    written: BTreeMap<String, Vec<(usize, Option<Value>)>>,
}

/// Why there is no end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unrest {
    /// The bindings that do not agree.
    pub(super) between: BTreeSet<usize>,
    /// The field that goes to and fro; none where each change is a new one.
    pub(super) path: Option<String>,
}

impl Rest {
    /// Takes a change by `maker` at `pointers`, which led to `after`. `bindings`: how many could make changes.
    pub(super) fn change(
        &mut self,
        maker: usize,
        pointers: &[String],
        after: &Value,
        bindings: usize,
    ) -> Option<Unrest> {
        let number = self.makers.len();
        let last = self.makers.iter().rposition(|other| *other == maker);
        self.makers.push(maker);
        let mut unrest = None;
        for pointer in pointers {
            let value = after.pointer(pointer);
            let writes = self.written.entry(pointer.clone()).or_default();
            let is_same = |(change, left): &&(usize, Option<Value>)| {
                self.makers.get(*change) == Some(&maker) && left.as_ref() == value
            };
            if let (Some((first, _)), None) = (writes.iter().rev().find(is_same), &unrest) {
                let since = writes.iter().filter(|(change, _)| change >= first);
                let between = since.filter_map(|(change, _)| self.makers.get(*change).copied()).collect();
                unrest = Some(Unrest { between, path: Some(of_pointer(pointer)) });
            }
            writes.push((number, value.cloned()));
        }
        // Each binding changes the object once, if all agree: who is made to do it again is undone by those since.
        if unrest.is_none() && self.makers.len() > bindings {
            let since = self.makers.iter().skip(last.unwrap_or_default());
            unrest = Some(Unrest { between: since.copied().collect(), path: None });
        }
        unrest
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(changes: &[(usize, &str, Value)], bindings: usize) -> Option<Unrest> {
        let mut rest = Rest::default();
        let mut take = |(maker, key, value): &(usize, &str, Value)| {
            rest.change(*maker, &[format!("/{key}")], &json!({ *key: value }), bindings)
        };
        changes.iter().find_map(&mut take)
    }

    fn unrest(between: &[usize], path: Option<&str>) -> Option<Unrest> {
        Some(Unrest { between: between.iter().copied().collect(), path: path.map(str::to_owned) })
    }

    #[test]
    fn who_goes_back_to_what_it_wrote_fights_with_those_who_wrote_since() {
        let first = [(7, "z", json!(0)), (1, "a", json!(1)), (2, "a", json!(2)), (1, "a", json!(1))];
        assert_eq!(run(&first, 9), unrest(&[1, 2], Some("a")));
        let alone = [(1, "a", json!(1)), (1, "a", json!(2)), (1, "a", json!(1))];
        assert_eq!(run(&alone, 9), unrest(&[1], Some("a")));
        let three = [(1, "a", json!(1)), (2, "a", json!(2)), (3, "a", json!(3)), (1, "a", json!(1))];
        assert_eq!(run(&three, 9), unrest(&[1, 2, 3], Some("a")));
    }

    #[test]
    fn a_later_one_may_write_another_value() {
        let refined = [(1, "a", json!(1)), (2, "a", json!(2)), (2, "b", json!(2))];
        assert_eq!(run(&refined, 3), None);
    }

    #[test]
    fn more_changes_than_bindings_are_the_fault_of_those_who_go_on() {
        let counting = [(5, "z", json!(0)), (1, "a", json!(1)), (2, "b", json!(2)), (1, "a", json!(3))];
        assert_eq!(run(&counting, 4), None);
        assert_eq!(run(&counting, 3), unrest(&[1, 2], None));
        let growing = [(1, "a", json!([1])), (1, "a", json!([1, 1]))];
        assert_eq!(run(&growing, 1), unrest(&[1], None));
    }
}
