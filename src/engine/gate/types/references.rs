//! Whether references lead to something: into a value that has parts, by a key that it can have.

use super::Checker;
use super::environment::{Reference, Root};
use super::mistakes::Mistake;
use super::tree::{Tree, scalar};
use super::values::key;
use crate::engine::gate::terms::{Form, Place, Term, VarId};
use crate::engine::types::{Known, Type};

/// How far a tree of documents goes along a reference.
enum Way {
    /// Up to a value: its type, and how many steps lead there.
    Value(Type, usize),
    /// Through all steps.
    Whole,
    /// Not to the end.
    Lost,
    Wrong(Mistake),
}

impl Checker<'_> {
    /// Judges all references of a term, but for those of comprehensions.
    pub(super) fn references(&mut self, term: &Term) {
        if matches!(term.form, Form::Comprehension(_)) {
            return;
        }
        if let Some(reference) = Reference::of(term)
            && let Err(mistake) = self.reference(term, reference)
        {
            let is_function = matches!(mistake, Mistake::Function { .. });
            self.mistakes.push(mistake);
            if is_function {
                return;
            }
        }
        term.parts().into_iter().for_each(|part| self.references(part));
    }

    fn reference(&mut self, term: &Term, reference: Reference<'_>) -> Result<(), Mistake> {
        if matches!(self.environment.reference(reference), Some(Type::Function(_))) {
            return Err(Mistake::Function { place: term.place });
        }
        let Some(root) = reference.root.key() else {
            let Root::Variable(id, place) = reference.root else {
                return self.leaf(Some(Type::any()), reference.steps, term.place);
            };
            return match self.environment.variable(id) {
                Some(known) => self.leaf(Some(known), reference.steps, place),
                None => {
                    self.environment.put(id, Some(Type::any()));
                    self.leaf(Some(Type::any()), reference.steps, place)
                }
            };
        };
        let count = self.environment.trees().count();
        for number in 0..count {
            // What is put is in bodies, so the trees stay.
            let tree = self.environment.trees().nth(number).and_then(|tree| tree.child(&root)).cloned();
            let Some(tree) = tree else { continue };
            match self.way(&tree, reference.steps) {
                Way::Value(value, taken) => {
                    let steps = reference.steps.get(taken..).unwrap_or_default();
                    return self.leaf(Some(value), steps, term.place);
                }
                Way::Whole => return Ok(()),
                Way::Wrong(mistake) => return Err(mistake),
                Way::Lost => {}
            }
        }
        self.leaf(Some(Type::any()), reference.steps, term.place)
    }

    /// The way of a reference through a tree. The first two steps below `data` are names, or variables for them.
    fn way(&mut self, tree: &Tree, steps: &[Term]) -> Way {
        let mut node = tree;
        if let Some(value) = &node.value {
            return Way::Value(value.clone(), 0);
        }
        for (taken, step) in steps.iter().enumerate() {
            let is_name = matches!(step.form, Form::Variable(_) | Form::Text(_));
            if taken < 2 && !is_name {
                return Way::Wrong(Mistake::Key {
                    place: step.place,
                    is: self.type_of(step),
                    wanted: Some(Type::Text),
                });
            }
            if let Form::Variable(id) = step.form
                && let Err(mistake) = self.variable_step(id, step.place, node.extent().keys())
            {
                return Way::Wrong(mistake);
            }
            let Some(child) = key(step).and_then(|key| node.child(&key)) else { return Way::Lost };
            if let Some(value) = &child.value {
                return Way::Value(value.clone(), taken.saturating_add(1));
            }
            node = child;
        }
        Way::Whole
    }

    /// A variable as a key: of the keys' type, or that is what it is.
    fn variable_step(&mut self, id: VarId, place: Place, keys: Known) -> Result<(), Mistake> {
        match self.environment.variable(id) {
            Some(is) if self.steps.fit(&Some(is.clone()), &keys) => Ok(()),
            Some(is) => Err(Mistake::Key { place, is: Some(is), wanted: keys }),
            None => {
                self.environment.put(id, keys);
                Ok(())
            }
        }
    }

    /// The steps within a value; `before` is where what has them stands.
    fn leaf(&mut self, of: Known, steps: &[Term], before: Place) -> Result<(), Mistake> {
        let mut of = of;
        let mut before = before;
        for step in steps {
            if let Some(collection) = of.as_ref().filter(|of| of.is_empty_collection()) {
                return self.step_into_nothing(collection.clone(), step);
            }
            let Some(keys) = of.as_ref().and_then(Type::keys) else {
                return Err(Mistake::NoParts { place: before, is: of });
            };
            let keys = Some(keys);
            match (&step.form, scalar(step)) {
                (Form::Variable(id), _) => self.variable_step(*id, step.place, keys)?,
                (_, Some(key)) => {
                    let below = of.as_ref().and_then(|of| of.at(&key));
                    if below.is_none() {
                        return Err(Mistake::Missing { place: step.place, key, of });
                    }
                    (of, before) = (below, step.place);
                    continue;
                }
                (Form::Array(_) | Form::Object(_) | Form::Set(_), None) => {
                    if !self.be(step, &keys, false) {
                        return Err(Mistake::Key { place: step.place, is: self.type_of(step), wanted: keys });
                    }
                }
                _ => {
                    let is = self.type_of(step);
                    if is.is_some() && !self.steps.fit(&is, &keys) {
                        return Err(Mistake::Key { place: step.place, is, wanted: keys });
                    }
                }
            }
            (of, before) = (of.as_ref().and_then(Type::values), step.place);
        }
        Ok(())
    }

    /// No constant is a key of an empty collection; an iteration finds nothing.
    fn step_into_nothing(&mut self, collection: Type, step: &Term) -> Result<(), Mistake> {
        if let Some(key) = scalar(step) {
            return Err(Mistake::Missing { place: step.place, key, of: Some(collection) });
        }
        let Form::Variable(id) = step.form else { return Ok(()) };
        let keys = collection.keys();
        match self.environment.variable(id) {
            None => self.environment.put(id, Some(Type::any())),
            is if keys.is_some() && !self.steps.fit(&is, &keys) => {
                return Err(Mistake::Key { place: step.place, is, wanted: keys });
            }
            Some(_) => {}
        }
        Ok(())
    }
}
