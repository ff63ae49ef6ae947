//! The types that OPA's compiler knows, and what they say of values: which types have a value in common, what is below a
//! key, what both of two may be. Read from the signatures of builtins, and used by the gate to find what never works.

mod common;
mod compose;
mod notation;
mod parts;
mod shown;

use std::collections::BTreeMap;
use std::rc::Rc;

pub(in crate::engine) use common::Steps;
pub(in crate::engine) use compose::{merged, or};
pub(in crate::engine) use notation::function;
pub(in crate::engine) use shown::shown;

/// A type; composite ones are shared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Type {
    Null,
    Boolean,
    Number,
    Text,
    Array(Rc<Array>),
    Object(Rc<Object>),
    /// Of what its elements are; the empty set, of nothing.
    Set(Rc<Set>),
    /// One of these, in order; without any, anything.
    Union(Rc<Union>),
    Function(Rc<Function>),
}

/// The type of something that may not be known, or not yet.
pub(in crate::engine) type Known = Option<Type>;

/// How large a type is, written out, and whether something in it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Extent {
    weight: usize,
    is_partial: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Array {
    extent: Extent,
    /// The first items, each with a type of its own.
    pub(in crate::engine) items: Vec<Known>,
    /// All others, if there may be any.
    pub(in crate::engine) rest: Known,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Object {
    extent: Extent,
    /// The members whose keys are known.
    pub(in crate::engine) members: BTreeMap<Key, Known>,
    /// Keys and values of all others, if there may be any.
    pub(in crate::engine) rest: Option<(Known, Known)>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Set {
    extent: Extent,
    pub(in crate::engine) of: Known,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Union {
    extent: Extent,
    pub(in crate::engine) of: Vec<Type>,
}

/// What a function takes and gives.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) struct Function {
    extent: Extent,
    pub(in crate::engine) arguments: Vec<Known>,
    pub(in crate::engine) result: Known,
}

/// A constant as a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine) enum Key {
    Null,
    Boolean(bool),
    Integer(i64),
    /// Another number, as it is written.
    Number(String),
    Text(String),
    /// Arrays, and sets.
    Array(Vec<Key>),
    Object(BTreeMap<Key, Key>),
}

/// Types that are larger are taken for anything: a table of some thousand rows is known, what doubles itself is not.
const LARGEST: usize = 50_000;
/// Alternatives beyond which a union is taken for anything.
const WIDEST: usize = 1_000;

impl Type {
    /// Anything.
    pub(in crate::engine) fn any() -> Self {
        Self::Union(Rc::new(Union { extent: Extent { weight: 1, is_partial: false }, of: Vec::new() }))
    }

    pub(in crate::engine) fn array(items: Vec<Known>, rest: Known) -> Self {
        let parts = items.iter().map(extent).chain(rest.iter().map(Type::extent));
        match together(parts) {
            Some(extent) => Self::Array(Rc::new(Array { extent, items, rest })),
            None => Self::any(),
        }
    }

    pub(in crate::engine) fn object(members: BTreeMap<Key, Known>, rest: Option<(Known, Known)>) -> Self {
        let others = rest.iter().flat_map(|(key, value)| [extent(key), extent(value)]);
        match together(members.values().map(extent).chain(others)) {
            Some(extent) => Self::Object(Rc::new(Object { extent, members, rest })),
            None => Self::any(),
        }
    }

    pub(in crate::engine) fn set(of: Known) -> Self {
        match together([extent(&of)]) {
            Some(extent) => Self::Set(Rc::new(Set { extent, of })),
            None => Self::any(),
        }
    }

    /// `of` is sorted and has no unions in it.
    fn union(of: Vec<Self>) -> Self {
        let weight = together(of.iter().map(Self::extent)).filter(|_| of.len() <= WIDEST);
        match weight {
            // That a part of an alternative is not known does not make the union so.
            Some(Extent { weight, .. }) => {
                Self::Union(Rc::new(Union { extent: Extent { weight, is_partial: false }, of }))
            }
            None => Self::any(),
        }
    }

    pub(in crate::engine) fn function(arguments: Vec<Known>, result: Known) -> Self {
        match together(arguments.iter().chain([&result]).map(extent)) {
            Some(extent) => Self::Function(Rc::new(Function { extent, arguments, result })),
            None => Self::any(),
        }
    }

    pub(in crate::engine) fn is_any(&self) -> bool {
        matches!(self, Self::Union(union) if union.of.is_empty())
    }

    /// A collection that can hold nothing.
    pub(in crate::engine) fn is_empty_collection(&self) -> bool {
        match self {
            Self::Array(array) => array.items.is_empty() && array.rest.is_none(),
            Self::Object(object) => object.members.is_empty() && object.rest.is_none(),
            Self::Set(set) => set.of.is_none(),
            _ => false,
        }
    }

    fn extent(&self) -> Extent {
        match self {
            Self::Null | Self::Boolean | Self::Number | Self::Text => Extent { weight: 1, is_partial: false },
            Self::Array(array) => array.extent,
            Self::Object(object) => object.extent,
            Self::Set(set) => set.extent,
            Self::Union(union) => union.extent,
            Self::Function(function) => function.extent,
        }
    }
}

/// Whether a type is not known, or something in it is not.
pub(in crate::engine) fn is_unknown(known: &Known) -> bool {
    extent(known).is_partial
}

fn extent(known: &Known) -> Extent {
    known.as_ref().map_or(Extent { weight: 1, is_partial: true }, Type::extent)
}

/// The extent of what has these parts; none where it is too large.
fn together(parts: impl IntoIterator<Item = Extent>) -> Option<Extent> {
    let mut all = Extent { weight: 1, is_partial: false };
    for part in parts {
        all.weight = all.weight.saturating_add(part.weight);
        all.is_partial |= part.is_partial;
    }
    (all.weight <= LARGEST).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A type as the signatures write it.
    fn of(text: &str) -> Type {
        let Some(Type::Function(function)) = function(&format!("{text} ->")) else { panic!("{text}") };
        function.argument(0).clone().unwrap()
    }

    fn fit(one: &Type, other: &Type) -> bool {
        Steps::new(1_000).fit(&Some(one.clone()), &Some(other.clone()))
    }

    const ALL: &[&str] = &[
        "null",
        "boolean",
        "number",
        "string",
        "any",
        "[any]",
        "[string]",
        "(number, string)",
        "{any}",
        "{string}",
        "{string: number}",
        "{any: any}",
        "{\"a\": string}",
        "{\"a\": number, string: any}",
        "number|string",
        "[string]|{string}",
        "null|[number|string]",
    ];

    #[test]
    fn what_is_one_or_the_other_is_the_same_either_way() {
        for one in ALL {
            for other in ALL {
                let (one, other) = (Some(of(one)), Some(of(other)));
                let both = or(&one, &other);
                assert_eq!(both, or(&other, &one), "{one:?} {other:?}");
                assert_eq!(both, or(&both, &one), "{one:?} {other:?}");
                let steps = Steps::new(1_000);
                assert!(steps.fit(&both, &one) && steps.fit(&other, &both), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn what_fits_fits_either_way() {
        for one in ALL {
            assert!(fit(&of(one), &of(one)), "{one}");
            for other in ALL {
                assert_eq!(fit(&of(one), &of(other)), fit(&of(other), &of(one)), "{one} {other}");
            }
        }
        let apart = [
            ("number", "string"),
            ("[string]", "{string}"),
            ("[string]", "[number]"),
            ("(number, string)", "(number)"),
            ("{\"a\": string}", "{\"b\": string}"),
            ("{\"a\": string}", "{\"a\": number, string: any}"),
            ("number|string", "null|[number|string]"),
        ];
        for (one, other) in apart {
            assert!(!fit(&of(one), &of(other)), "{one} {other}");
        }
        assert!(fit(&Type::set(None), &of("{string}")), "the empty set");
    }

    #[test]
    fn parts_are_known() {
        let a = Key::Text("a".to_owned());
        let expected = [
            ("[string]", Some("number"), Some("string"), None),
            ("(number, string)", Some("number"), Some("number|string"), None),
            ("{string: number}", Some("string"), Some("number"), Some("number")),
            ("{\"a\": string}", Some("string"), Some("string"), Some("string")),
            ("{string}", Some("string"), Some("string"), Some("string")),
            ("{number}", Some("number"), Some("number"), None),
            ("any", Some("any"), Some("any"), Some("any")),
            ("[string]|{string: null}", Some("number|string"), Some("null|string"), Some("null")),
            ("number", None, None, None),
        ];
        for (text, keys, values, at) in expected {
            let known = of(text);
            let found = (known.keys(), known.values(), known.at(&a));
            assert_eq!(found, (keys.map(of), values.map(of), at.map(of)), "{text}");
        }
    }

    #[test]
    fn every_signature_is_read() {
        let signatures = include_str!("../../tests/fixtures/builtins/signatures.tsv").lines();
        let signatures =
            signatures.filter_map(|line| line.split_once('\t')).filter(|(name, _)| *name != "print");
        let unread: Vec<_> = signatures.filter(|(_, signature)| function(signature).is_none()).collect();
        assert_eq!(unread, []);
        for wrong in
            ["", "string", "string -> number number", "[string -> number", "{\"a\" string} ->", "strings ->"]
        {
            assert_eq!(function(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_grows_without_end_is_anything() {
        let mut pair = Type::Number;
        for _ in 0..64 {
            pair = Type::array(vec![Some(pair.clone()), Some(pair)], None);
        }
        assert!(pair.extent().weight <= 50_000);
        let many = (0..=WIDEST).fold(None, |all, number| {
            let member = (Key::Integer(i64::try_from(number).unwrap()), Some(Type::Null));
            or(&all, &Some(Type::object(BTreeMap::from([member]), None)))
        });
        assert_eq!(many, Some(Type::any()));
        assert!(
            Steps::new(0).fit(&Some(Type::Null), &Some(Type::Number)),
            "without steps nothing is told apart"
        );
    }

    #[test]
    fn types_are_said_in_words() {
        let expected = [
            ("any", "anything"),
            ("number|string", "a number or a string"),
            ("[string]|{string}", "an array of a string or a set of a string"),
            ("{string: [any]}", "an object of an array of anything"),
            ("{\"a\": string, \"b\": null}", "an object {\"a\": a string, \"b\": null}"),
        ];
        for (text, words) in expected {
            assert_eq!(shown(&Some(of(text))), words);
        }
    }
}
