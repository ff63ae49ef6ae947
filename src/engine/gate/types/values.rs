//! The types of terms.

use std::collections::BTreeMap;

use super::Checker;
use super::environment::Reference;
use crate::engine::gate::terms::{Form, Term};
use crate::engine::types::{Key, Known, Type, or};

/// A term that is a constant, as a key. A set is to OPA what an array of its elements is.
pub(super) fn key(term: &Term) -> Option<Key> {
    match &term.form {
        Form::Null => Some(Key::Null),
        Form::Bool(value) => Some(Key::Boolean(*value)),
        Form::Number(text) => Some(text.parse().map_or_else(|_| Key::Number(text.clone()), Key::Integer)),
        Form::Text(text) => Some(Key::Text(text.clone())),
        Form::Array(items) | Form::Set(items) => items.iter().map(key).collect::<Option<_>>().map(Key::Array),
        Form::Object(members) => {
            let member = |(name, value): &(Term, Term)| Some((key(name)?, key(value)?));
            members.iter().map(member).collect::<Option<_>>().map(Key::Object)
        }
        _ => None,
    }
}

impl Checker<'_> {
    /// What a term is known to be.
    pub(super) fn type_of(&self, term: &Term) -> Known {
        match &term.form {
            Form::Null => Some(Type::Null),
            Form::Bool(_) => Some(Type::Boolean),
            Form::Number(_) => Some(Type::Number),
            Form::Text(_) => Some(Type::Text),
            Form::Variable(id) => self.environment.variable(*id),
            Form::Array(items) => {
                Some(Type::array(items.iter().map(|item| self.type_of(item)).collect(), None))
            }
            Form::Set(items) => {
                Some(Type::set(items.iter().fold(None, |all, item| or(&all, &self.type_of(item)))))
            }
            Form::Object(members) => Some(self.object(members)),
            Form::Comprehension(comprehension) => self.closures.get(comprehension),
            Form::Call(_) => None,
            Form::Data(_) | Form::Input(_) | Form::Into(..) => match Reference::of(term) {
                Some(reference) => self.environment.reference(reference),
                None => Some(Type::any()),
            },
        }
    }

    fn object(&self, members: &[(Term, Term)]) -> Type {
        let mut known = BTreeMap::new();
        let mut rest: Option<(Known, Known)> = None;
        for (name, value) in members {
            let value = self.type_of(value);
            match key(name) {
                Some(key) => {
                    known.insert(key, value);
                }
                None => {
                    let name = self.type_of(name);
                    rest = Some(match rest {
                        Some((names, values)) => (or(&names, &name), or(&values, &value)),
                        None => (name, value),
                    });
                }
            }
        }
        Type::object(known, rest)
    }
}
