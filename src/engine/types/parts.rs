//! What is within a type: keys, values, and what is below one key.

use super::compose::or;
use super::{Array, Key, Known, Object, Type};

impl Array {
    /// The type of the item at a place.
    pub(in crate::engine) fn item(&self, place: usize) -> &Known {
        self.items.get(place).unwrap_or(&self.rest)
    }
}

impl Object {
    /// What is below a key, if that is known.
    pub(in crate::engine) fn value(&self, key: &Key) -> Known {
        if let Some(value) = self.members.get(key) {
            return value.clone();
        }
        let (keys, value) = self.rest.as_ref()?;
        keys.as_ref().is_some_and(|keys| keys.contains(&key.to_type())).then(|| value.clone())?
    }

    pub(in crate::engine) fn value_of_rest(&self) -> Known {
        self.rest.as_ref().and_then(|(_, value)| value.clone())
    }
}

impl Type {
    /// Whether it has all of what another is.
    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Union(_), Self::Function(_)) => false,
            (Self::Union(union), _) => union.of.is_empty() || union.of.binary_search(other).is_ok(),
            _ => self == other,
        }
    }

    /// What is below a constant key.
    pub(in crate::engine) fn at(&self, key: &Key) -> Known {
        match self {
            Self::Array(array) => match key {
                Key::Integer(place) => array.item(usize::try_from(*place).ok()?).clone(),
                _ => None,
            },
            Self::Object(object) => object.value(key),
            Self::Set(set) => {
                let (of, wanted) = (set.of.as_ref()?, key.to_type());
                if *of == wanted {
                    return Some(wanted);
                }
                matches!(of, Self::Union(_)).then(|| of.contains(&wanted).then_some(wanted))?
            }
            Self::Union(_) if self.is_any() => Some(Self::any()),
            Self::Union(union) => union.of.iter().fold(None, |all, one| or(&one.at(key), &all)),
            _ => None,
        }
    }

    /// The type of its keys.
    pub(in crate::engine) fn keys(&self) -> Known {
        match self {
            Self::Array(_) => Some(Self::Number),
            Self::Object(object) => {
                let members = object.members.keys().fold(None, |all, key| or(&all, &Some(key.to_type())));
                match &object.rest {
                    Some((keys, _)) => or(&members, keys),
                    None => members,
                }
            }
            Self::Set(set) => set.of.clone(),
            Self::Union(_) if self.is_any() => Some(Self::any()),
            Self::Union(union) => union.of.iter().fold(None, |all, one| or(&one.keys(), &all)),
            _ => None,
        }
    }

    /// The type of its values.
    pub(in crate::engine) fn values(&self) -> Known {
        match self {
            Self::Array(array) => or(&array.items.iter().fold(None, |all, item| or(&all, item)), &array.rest),
            Self::Object(object) => {
                let members = object.members.values().fold(None, |all, value| or(&all, value));
                or(&members, &object.value_of_rest())
            }
            Self::Set(set) => set.of.clone(),
            Self::Union(_) if self.is_any() => Some(Self::any()),
            Self::Union(union) => union.of.iter().fold(None, |all, one| or(&one.values(), &all)),
            _ => None,
        }
    }
}

impl Key {
    /// The type of the constant.
    pub(in crate::engine) fn to_type(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Boolean(_) => Type::Boolean,
            Self::Integer(_) | Self::Number(_) => Type::Number,
            Self::Text(_) => Type::Text,
            Self::Array(items) => Type::array(items.iter().map(|item| Some(item.to_type())).collect(), None),
            Self::Object(members) => {
                let members = members.iter().map(|(key, value)| (key.clone(), Some(value.to_type())));
                Type::object(members.collect(), None)
            }
        }
    }
}
