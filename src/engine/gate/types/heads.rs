//! What a definition gives to the document at its path.

use super::Checker;
use super::tree::nested;
use crate::engine::gate::safety::{Atoms, Variables, order, variables};
use crate::engine::gate::terms::{Branch, Form, Rule, Shape, Step, Term};
use crate::engine::types::{Key, Known, Type};

/// A path below `data`.
pub(super) fn below_data(steps: impl Iterator<Item = Key>) -> Vec<Key> {
    std::iter::once(Key::Text("data".to_owned())).chain(steps).collect()
}

/// The constant beginning of a rule's path, and the steps behind it.
pub(super) fn ground(rule: &Rule) -> (Vec<Key>, &[Step]) {
    let constant = |step: &Step| match step {
        Step::Name(name) => Some(Key::Text(name.clone())),
        Step::Dynamic(term) => super::tree::scalar(term),
    };
    let begin: Vec<Key> = rule.path.iter().map_while(constant).collect();
    let rest = rule.path.get(begin.len()..).unwrap_or_default();
    (below_data(begin.into_iter()), rest)
}

impl Checker<'_> {
    /// Judges a rule, and makes its type known to those that read it.
    pub(super) fn rule_of(&mut self, rule: &Rule) {
        let (path, rest) = ground(rule);
        for branch in &rule.branches {
            let before = self.mistakes.len();
            let known = self.branch(rule, rest, branch);
            if self.mistakes.len() > before {
                return self.unjudged(rule);
            }
            if let (Some(_), false) = (&known, self.faulty.contains(&path)) {
                self.environment.rules.insert(&path, &known);
            }
        }
    }

    /// What is wrong, or not judged, is anything to those that read it.
    pub(super) fn unjudged(&mut self, rule: &Rule) {
        let (path, _) = ground(rule);
        self.environment.rules.put(&path, Some(Type::any()));
        self.faulty.insert(path);
    }

    fn branch(&mut self, rule: &Rule, rest: &[Step], branch: &Branch) -> Known {
        self.next = rule.variables.len();
        let mut outside = Variables::new();
        rule.arguments.iter().for_each(|term| variables(term, &mut outside));
        let mut atoms = Atoms::new(self.rules, &mut self.next);
        // A template as an argument is computed.
        let arguments: Vec<Term> = rule.arguments.iter().map(|term| atoms.add_value(term)).collect();
        atoms.add_body(&branch.body);
        let value = branch.value.as_ref().map(|value| atoms.add_value(value));
        let steps: Vec<Option<Term>> = rest
            .iter()
            .map(|step| match step {
                Step::Name(_) => None,
                Step::Dynamic(term) => Some(atoms.add_value(term)),
            })
            .collect();
        let list = atoms.into_list();
        // What can't be ordered is another rule's fault.
        let Some(ordered) = order(list, &outside) else { return Some(Type::any()) };
        self.environment.enter_body();
        self.body(&ordered, outside);
        let known = self.head(rule.shape, &arguments, value.as_ref(), &steps);
        self.environment.leave(1);
        known
    }

    fn head(
        &mut self,
        shape: Shape,
        arguments: &[Term],
        value: Option<&Term>,
        steps: &[Option<Term>],
    ) -> Known {
        arguments.iter().for_each(|term| self.open(term));
        let value = match (value, shape) {
            (Some(value), _) => self.type_of(value),
            (None, Shape::Set) => Some(Type::Text),
            (None, Shape::Value | Shape::Function) => Some(Type::Boolean),
        };
        let value = match shape {
            Shape::Function => {
                let arguments = arguments.iter().map(|argument| self.type_of(argument)).collect();
                return Some(Type::function(arguments, value));
            }
            Shape::Set => Some(Type::set(Some(value?))),
            Shape::Value => value,
        };
        let steps: Vec<Known> = steps
            .iter()
            .map(|step| step.as_ref().map_or(Some(Type::Text), |step| self.type_of(step)))
            .collect();
        nested(&steps, value)
    }

    /// Arguments that the body says nothing of are anything.
    fn open(&mut self, argument: &Term) {
        if let Form::Variable(id) = argument.form
            && self.environment.variable(id).is_none()
        {
            self.environment.put(id, Some(Type::any()));
        }
        argument.parts().into_iter().for_each(|part| self.open(part));
    }
}
