//! Terms against types, and terms against terms: what can't be, and what it makes known of variables.

use super::Checker;
use super::values::key;
use crate::engine::gate::terms::{Form, Term};
use crate::engine::types::{Array, Known, Object, Type, is_unknown, or};

impl Checker<'_> {
    /// Whether two sides can be equal.
    pub(super) fn equal(&mut self, one: &Term, other: &Term) -> bool {
        let (first, second) = (self.type_of(one), self.type_of(other));
        match (is_unknown(&first), is_unknown(&second)) {
            (true, false) => return self.be(one, &second, false),
            (false, true) => return self.be(other, &first, false),
            (false, false) => return self.steps.fit(&first, &second),
            (true, true) => {}
        }
        match (&one.form, &other.form) {
            (Form::Array(_) | Form::Object(_), Form::Variable(_)) => self.pattern(one, other),
            (Form::Variable(_), Form::Array(_) | Form::Object(_)) => self.pattern(other, one),
            (Form::Array(ones), Form::Array(others)) => {
                ones.len() == others.len()
                    && ones.iter().zip(others).all(|(one, other)| self.equal(one, other))
            }
            (Form::Object(ones), Form::Object(others)) => self.members(ones, others),
            (Form::Variable(_), Form::Variable(_)) => {
                self.be(one, &Some(Type::any()), false) && {
                    let known = self.type_of(one);
                    self.be(other, &known, false)
                }
            }
            (Form::Variable(_), Form::Data(_) | Form::Input(_) | Form::Into(..)) => {
                self.be(one, &Some(Type::any()), false)
            }
            (Form::Data(_) | Form::Input(_) | Form::Into(..), Form::Variable(_)) => {
                self.be(other, &Some(Type::any()), false)
            }
            // A structure of which a part is not known.
            (Form::Variable(_), _) if first.is_none() && second.is_some() => self.be(one, &second, false),
            (_, Form::Variable(_)) if second.is_none() && first.is_some() => self.be(other, &first, false),
            _ => false,
        }
    }

    /// A pattern and a variable.
    fn pattern(&mut self, pattern: &Term, variable: &Term) -> bool {
        self.be(pattern, &Some(Type::any()), false) && {
            let known = self.type_of(pattern);
            self.be(variable, &known, false)
        }
    }

    fn members(&mut self, ones: &[(Term, Term)], others: &[(Term, Term)]) -> bool {
        let same =
            |name: &Term| others.iter().find(|(other, _)| is_same(name, other)).map(|(_, value)| value);
        let pairs: Vec<(&Term, &Term)> =
            ones.iter().filter_map(|(name, value)| Some((value, same(name)?))).collect();
        ones.len() == others.len()
            && pairs.len() == ones.len()
            && pairs.into_iter().all(|(one, other)| self.equal(one, other))
    }

    /// Whether a term can be of a type, which its variables then are, or are as well where it is one of several.
    pub(super) fn be(&mut self, term: &Term, wanted: &Known, is_one_of: bool) -> bool {
        let alternatives = match wanted {
            Some(Type::Union(union)) => Some(&union.of),
            _ => None,
        };
        match &term.form {
            Form::Variable(id) if is_one_of => {
                let both = or(&self.environment.variable(*id), wanted);
                self.environment.put(*id, both);
                true
            }
            Form::Variable(id) => match self.environment.variable(*id) {
                Some(known) => self.steps.fit(&Some(known), wanted),
                None => {
                    self.environment.put(*id, wanted.clone());
                    true
                }
            },
            Form::Array(_) | Form::Object(_) | Form::Set(_) => match (alternatives, wanted) {
                (Some(all), _) if all.is_empty() => {
                    term.parts().into_iter().for_each(|part| {
                        self.be(part, &Some(Type::any()), true);
                    });
                    true
                }
                (Some(all), _) => {
                    // Each says something of the variables.
                    let fits = |one: &&Type| self.be(term, &Some((*one).clone()), true);
                    all.iter().filter(fits).count() > 0
                }
                (None, Some(wanted)) => self.compose(term, wanted, is_one_of),
                (None, None) => false,
            },
            _ => self.steps.fit(&self.type_of(term), wanted),
        }
    }

    fn compose(&mut self, term: &Term, wanted: &Type, is_one_of: bool) -> bool {
        match (&term.form, wanted) {
            (Form::Array(items), Type::Array(array)) => self.items(items, array, is_one_of),
            (Form::Object(members), Type::Object(object)) => self.object_of(members, object, is_one_of),
            (Form::Set(items), Type::Set(set)) => items.iter().all(|item| self.be(item, &set.of, is_one_of)),
            _ => false,
        }
    }

    fn items(&mut self, items: &[Term], array: &Array, is_one_of: bool) -> bool {
        (items.len() == array.items.len() || array.rest.is_some())
            && items.iter().enumerate().all(|(place, item)| self.be(item, array.item(place), is_one_of))
    }

    fn object_of(&mut self, members: &[(Term, Term)], object: &Object, is_one_of: bool) -> bool {
        if members.len() != object.members.len() && object.value_of_rest().is_none() {
            return false;
        }
        members.iter().all(|(name, value)| match key(name) {
            Some(key) => {
                let wanted = object.value(&key);
                wanted.is_some() && self.be(value, &wanted, is_one_of)
            }
            None => {
                self.be(value, &Some(Type::any()), is_one_of);
                true
            }
        })
    }
}

/// Whether two keys are the same constant or variable.
fn is_same(one: &Term, other: &Term) -> bool {
    match (&one.form, &other.form) {
        (Form::Variable(one), Form::Variable(other)) => one == other,
        _ => key(one).is_some() && key(one) == key(other),
    }
}
