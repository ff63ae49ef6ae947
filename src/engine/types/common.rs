//! Whether two types have a value in common. Where it takes too long to tell, they have.

use std::cell::Cell;

use super::{Array, Key, Known, Object, Type};

/// What may still be spent on comparing types. What is not compared any more is taken to fit.
pub(in crate::engine) struct Steps(Cell<usize>);

impl Steps {
    pub(in crate::engine) fn new(count: usize) -> Self {
        Self(Cell::new(count))
    }

    /// Whether a step is left, which is taken.
    pub(super) fn take(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether two types have a value in common: not where one is not known.
    pub(in crate::engine) fn fit(&self, one: &Known, other: &Known) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => self.share(one, other),
            _ => false,
        }
    }

    fn share(&self, one: &Type, other: &Type) -> bool {
        if !self.take() {
            return true;
        }
        match (one, other) {
            (Type::Union(_), Type::Function(_)) | (Type::Function(_), Type::Union(_)) => false,
            (Type::Union(ones), _) => {
                ones.of.is_empty()
                    || matches!(other, Type::Union(others) if others.of.is_empty())
                    || ones.of.iter().any(|one| self.share(one, other))
            }
            (_, Type::Union(others)) => {
                others.of.is_empty() || others.of.iter().any(|other| self.share(one, other))
            }
            (Type::Null, Type::Null)
            | (Type::Boolean, Type::Boolean)
            | (Type::Number, Type::Number)
            | (Type::Text, Type::Text) => true,
            (Type::Array(ones), Type::Array(others)) => self.arrays(ones, others),
            (Type::Object(ones), Type::Object(others)) => self.objects(ones, others),
            // The empty set is in every type of sets.
            (Type::Set(ones), Type::Set(others)) => {
                ones.of.is_none() || others.of.is_none() || self.fit(&ones.of, &others.of)
            }
            (Type::Function(ones), Type::Function(others)) => {
                ones.arguments.len() == others.arguments.len()
                    && ones.arguments.iter().zip(&others.arguments).all(|(one, other)| self.fit(one, other))
            }
            _ => false,
        }
    }

    fn arrays(&self, ones: &Array, others: &Array) -> bool {
        let longest = ones.items.len().max(others.items.len());
        (0..longest).all(|place| self.fit(ones.item(place), others.item(place)))
            && self.rests(&ones.rest, &others.rest)
    }

    fn rests(&self, one: &Known, other: &Known) -> bool {
        one.is_none() || other.is_none() || self.fit(one, other)
    }

    fn objects(&self, ones: &Object, others: &Object) -> bool {
        let is_open = ones.value_of_rest().is_some() || others.value_of_rest().is_some();
        let fits = |key: &Key, value: &Known, others: &Object| match others.value(key) {
            Some(other) => self.fit(value, &Some(other)),
            None => is_open,
        };
        ones.members.iter().all(|(key, value)| fits(key, value, others))
            && others
                .members
                .iter()
                .filter(|(key, _)| !ones.members.contains_key(*key))
                .all(|(key, value)| fits(key, value, ones))
            && self.rests(&ones.value_of_rest(), &others.value_of_rest())
    }
}
