//! Types of what may be one thing or another.

use std::collections::BTreeMap;

use super::{Function, Known, Object, Type};

/// What is one or the other; nothing known is left out.
pub(in crate::engine) fn or(one: &Known, other: &Known) -> Known {
    match (one, other) {
        (None, known) | (known, None) => known.clone(),
        (Some(Type::Function(one)), Some(Type::Function(other))) => functions(one, other),
        (Some(Type::Function(_)), _) | (_, Some(Type::Function(_))) => None,
        (Some(one), Some(other)) => Some(either(one, other)),
    }
}

fn either(one: &Type, other: &Type) -> Type {
    match (one, other) {
        (any, _) | (_, any) if any.is_any() => any.clone(),
        (Type::Union(ones), Type::Union(others)) => {
            let mut of: Vec<Type> = ones.of.iter().chain(&others.of).cloned().collect();
            of.sort();
            of.dedup();
            Type::union(of)
        }
        (Type::Union(union), one) | (one, Type::Union(union)) => match union.of.binary_search(one) {
            Ok(_) => Type::Union(union.clone()),
            Err(place) => {
                let mut of = union.of.clone();
                of.insert(place, one.clone());
                Type::union(of)
            }
        },
        _ if one == other => one.clone(),
        _ => {
            let mut of = vec![one.clone(), other.clone()];
            of.sort();
            Type::union(of)
        }
    }
}

fn functions(one: &Function, other: &Function) -> Known {
    if one.arguments.len() != other.arguments.len() {
        return None;
    }
    let arguments = one.arguments.iter().zip(&other.arguments).map(|(one, other)| or(one, other));
    Some(Type::function(arguments.collect(), or(&one.result, &other.result)))
}

/// The type of a document that two definitions give parts of.
pub(in crate::engine) fn merged(one: &Known, other: &Known) -> Known {
    let (Some(first), Some(second)) = (one, other) else { return or(one, other) };
    match (first, second) {
        (Type::Object(ones), Type::Object(others))
            if ones.members.is_empty() && others.members.is_empty() =>
        {
            Some(match (&ones.rest, &others.rest) {
                (None, _) => second.clone(),
                (_, None) => first.clone(),
                (Some((key, value)), Some((other_key, other_value))) => {
                    let rest = (or(key, other_key), merged(value, other_value));
                    Type::object(BTreeMap::new(), Some(rest))
                }
            })
        }
        (Type::Object(object), Type::Union(union)) | (Type::Union(union), Type::Object(object))
            if object.members.is_empty() && object.rest.is_some() =>
        {
            let open = |one: &&Type| matches!(one, Type::Object(one) if one.members.is_empty() && one.rest.is_some());
            match union.of.iter().find(open) {
                Some(Type::Object(within)) => {
                    let joined = joined(within, object);
                    let others = union.of.iter().filter(|one| !open(one)).cloned();
                    others.fold(joined, |all, one| or(&all, &Some(one)))
                }
                _ => or(one, other),
            }
        }
        (Type::Set(ones), Type::Set(others)) => Some(Type::set(or(&ones.of, &others.of))),
        _ => or(one, other),
    }
}

/// Two objects of which no member is known.
fn joined(one: &Object, other: &Object) -> Known {
    let (key, value) = one.rest.clone()?;
    let (other_key, other_value) = other.rest.clone()?;
    Some(Type::object(BTreeMap::new(), Some((or(&key, &other_key), or(&value, &other_value)))))
}

impl Object {
    /// The same with a document of its own at a path below: a sequence of the keys' types.
    pub(in crate::engine) fn with(&self, path: &[Type], value: &Known) -> Type {
        let Some((key, path)) = path.split_first() else {
            return Type::object(self.members.clone(), self.rest.clone());
        };
        let below = match path {
            [] => value.clone(),
            _ => Some(Self::empty().with(path, value)),
        };
        let rest = match &self.rest {
            Some((keys, values)) => (or(keys, &Some(key.clone())), or(values, &below)),
            None => (Some(key.clone()), below),
        };
        Type::object(self.members.clone(), Some(rest))
    }

    fn empty() -> Self {
        Self { extent: super::Extent::default(), members: BTreeMap::new(), rest: None }
    }
}
