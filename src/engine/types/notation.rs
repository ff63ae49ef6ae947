//! Signatures as they are written in the table of builtins: `string, [any]|{any} -> {string: number}`.
//!
//! `[a]` is an array, `(a, b)` one of just these items, `{a}` a set, `{k: v}` an object, `{"x": a, k: v}` one with a
//! known member, `a|b` either. A function that gives nothing has nothing after its arrow.

use std::collections::BTreeMap;

use super::compose::or;
use super::{Function, Key, Known, Type};

/// Reads a signature; none of one that is no signature.
pub(in crate::engine) fn function(text: &str) -> Option<Type> {
    let mut reader = Reader(text);
    let mut arguments = Vec::new();
    while !reader.says("->") {
        arguments.push(Some(reader.either()?));
        if !reader.says(",") && !reader.0.trim_start().starts_with("->") {
            return None;
        }
    }
    let result = if reader.0.trim().is_empty() { None } else { Some(reader.either()?) };
    reader.0.trim().is_empty().then(|| Type::function(arguments, result))
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    /// Whether a sign comes next, which is read.
    fn says(&mut self, sign: &str) -> bool {
        match self.0.trim_start().strip_prefix(sign) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn either(&mut self) -> Option<Type> {
        let mut either: Known = Some(self.one()?);
        while self.says("|") {
            either = or(&either, &Some(self.one()?));
        }
        either
    }

    fn one(&mut self) -> Option<Type> {
        if self.says("[") {
            let of = self.either()?;
            return self.says("]").then(|| Type::array(Vec::new(), Some(of)));
        }
        if self.says("(") {
            let mut items = vec![Some(self.either()?)];
            while self.says(",") {
                items.push(Some(self.either()?));
            }
            return self.says(")").then(|| Type::array(items, None));
        }
        if self.says("{") {
            return self.braces();
        }
        let words = [
            ("null", Type::Null),
            ("boolean", Type::Boolean),
            ("number", Type::Number),
            ("string", Type::Text),
            ("any", Type::any()),
        ];
        words.into_iter().find_map(|(word, of)| self.says(word).then_some(of))
    }

    fn braces(&mut self) -> Option<Type> {
        let mut members = BTreeMap::new();
        let mut rest = None;
        loop {
            if self.says("\"") {
                let (name, after) = self.0.split_once('"')?;
                self.0 = after;
                let value = self.says(":").then(|| self.either())??;
                members.insert(Key::Text(name.to_owned()), Some(value));
            } else {
                let first = self.either()?;
                if !self.says(":") {
                    return self.says("}").then(|| Type::set(Some(first)));
                }
                rest = Some((Some(first), Some(self.either()?)));
            }
            if !self.says(",") {
                return self.says("}").then(|| Type::object(members, rest));
            }
        }
    }
}

impl Function {
    /// What is wanted of the argument at a place, of which the one behind the last takes the result.
    pub(in crate::engine) fn argument(&self, place: usize) -> &Known {
        self.arguments.get(place).unwrap_or(&self.result)
    }
}
