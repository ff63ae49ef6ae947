//! What is found, and how it is said.

use crate::engine::gate::faults::Found;
use crate::engine::gate::reading::Module;
use crate::engine::gate::terms::Place;
use crate::engine::types::{Key, Known, Type, is_unknown, shown};

/// Something that can't be.
#[derive(Clone, Debug)]
pub(super) enum Mistake {
    /// Two sides that are never equal.
    Different { place: Place, left: Known, right: Known },
    /// A value that is never an element, or a key, of the collection.
    NotWithin { place: Place, is: Known, of: Known },
    /// An argument that the function does not take, or, where `is_result`, a result that it does not give.
    Argument { place: Place, function: String, is: Known, wanted: Known, is_result: bool },
    /// A call of what `with` makes something else.
    Replaced { place: Place },
    /// A function where a value is wanted.
    Function { place: Place },
    /// Parts of what has none.
    NoParts { place: Place, is: Known },
    /// A key of a type that no key is of.
    Key { place: Place, is: Known, wanted: Known },
    /// A key that there is not.
    Missing { place: Place, key: Key, of: Known },
    /// A function that can't stand in for another.
    Replacement { place: Place },
}

impl Mistake {
    /// Whether it may only follow from another: something in it is not known.
    pub(super) fn may_follow(&self) -> bool {
        match self {
            Self::Different { left, right, .. } => is_unknown(left) || is_unknown(right),
            Self::NotWithin { is, of, .. } => is_unknown(is) || is_unknown(of),
            Self::Argument { is, .. } => is_unknown(is),
            _ => false,
        }
    }

    pub(super) fn place(&self) -> Place {
        match self {
            Self::Different { place, .. }
            | Self::NotWithin { place, .. }
            | Self::Argument { place, .. }
            | Self::Replaced { place }
            | Self::Function { place }
            | Self::NoParts { place, .. }
            | Self::Key { place, .. }
            | Self::Missing { place, .. }
            | Self::Replacement { place } => *place,
        }
    }

    pub(super) fn report(&self, module: &Module<'_>, found: &mut Found) {
        let (code, message) = match self {
            Self::Different { left, right, .. } => ("MG117", different(left, right)),
            Self::NotWithin { is, of, .. } => (
                "MG117",
                format!(
                    "{} is never {}, which is what the collection has; correct one of them",
                    shown(is),
                    shown(of)
                ),
            ),
            Self::Argument { function, is, wanted, is_result, .. } => {
                let (is, wanted) = (shown(is), shown(wanted));
                let message = if *is_result {
                    format!("`{function}` gives {wanted}, never {is}; correct what takes the result")
                } else {
                    format!("`{function}` takes {wanted} here, never {is}; hand over another value")
                };
                ("MG118", message)
            }
            Self::Function { .. } => {
                ("MG103", "a function is no value; call it with its arguments".to_owned())
            }
            Self::Replaced { .. } => (
                "MG103",
                "this is no function where `with` replaces what it is in; replace the function itself".to_owned(),
            ),
            Self::NoParts { is, .. } => {
                ("MG119", format!("this is {}, which has no parts; remove what follows, or correct this", shown(is)))
            }
            Self::Key { is, wanted, .. } => (
                "MG119",
                format!("the key is {}, and there all keys are {}; correct the key", shown(is), shown(wanted)),
            ),
            Self::Missing { key, of, .. } => {
                ("MG119", format!("there is no {key} in {}; correct the key", shown(of)))
            }
            Self::Replacement { .. } => (
                "MG115",
                "this function takes arguments of other types than the one that it stands in for; write one that takes the same"
                    .to_owned(),
            ),
        };
        found.add(module, code, self.place(), message);
    }
}

fn different(left: &Known, right: &Known) -> String {
    if let Some(key) = only_in_one(left, right) {
        return format!(
            "one side has {key} and the other never has it: they are never equal; correct one of them"
        );
    }
    let (left, right) = (shown(left), shown(right));
    if left == right {
        return format!("both sides are {left}, but never the same; correct one of them");
    }
    format!("one side is {left} and the other {right}: they are never equal; correct one of them")
}

/// A member that objects of one side have and those of the other don't, also in sets and arrays of them.
fn only_in_one(left: &Known, right: &Known) -> Option<Key> {
    match (left.as_ref()?, right.as_ref()?) {
        (Type::Set(left), Type::Set(right)) => only_in_one(&left.of, &right.of),
        (Type::Array(left), Type::Array(right)) => {
            left.items.iter().zip(&right.items).find_map(|(left, right)| only_in_one(left, right))
        }
        (Type::Object(left), Type::Object(right)) if left.rest.is_none() && right.rest.is_none() => {
            let missing = left.members.keys().find(|key| !right.members.contains_key(*key));
            let missing =
                missing.or_else(|| right.members.keys().find(|key| !left.members.contains_key(*key)));
            missing.cloned().or_else(|| {
                left.members.iter().find_map(|(key, left)| only_in_one(left, right.members.get(key)?))
            })
        }
        _ => None,
    }
}
