//! Calls against what functions take and give, and what `with` makes of documents.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Checker;
use super::environment::{Reference, Root};
use super::mistakes::Mistake;
use super::tree::Tree;
use super::values::key;
use crate::engine::builtins;
use crate::engine::gate::safety::{Modifier, Modifiers};
use crate::engine::gate::terms::{Form, Function, Place, Term};
use crate::engine::types::{Key, Known, Type, is_unknown, or};

/// The trees of what depends on what is replaced, by what that is.
pub(super) type Replaced = BTreeMap<Vec<String>, Option<Rc<Tree>>>;

impl Checker<'_> {
    /// What is wrong with a call.
    pub(super) fn call(&mut self, function: &Function, name: Place, arguments: &[Term]) -> Option<Mistake> {
        let called = match function {
            Function::Operator(called) => called,
            Function::Named(called) => called.as_str(),
            Function::Rule(_) | Function::Variable(_) => "",
        };
        let mistake = match (called, arguments) {
            ("internal.member_2", [value, collection, ..]) => self.membership(None, value, collection),
            ("internal.member_3", [key, value, collection, ..]) => {
                self.membership(Some(key), value, collection)
            }
            _ => None,
        };
        if mistake.is_some() {
            return mistake;
        }
        let types = match function {
            Function::Rule(path) => match self.rule(path, name) {
                Some(types) => types,
                None => return Some(Mistake::Replaced { place: name }),
            },
            Function::Variable(_) => return None,
            Function::Operator(_) | Function::Named(_) => builtins::find(called)?.types()?,
        };
        let types = match types {
            Type::Function(types) => types,
            other => return (!other.is_any()).then_some(Mistake::Replaced { place: name }),
        };
        let taken = types.arguments.len();
        let most = taken.saturating_add(usize::from(types.result.is_some()));
        // Their number is another rule's.
        if arguments.len() < taken || arguments.len() > most {
            return None;
        }
        let before: Vec<Known> = arguments.iter().map(|argument| self.type_of(argument)).collect();
        for (number, (argument, is)) in arguments.iter().zip(&before).enumerate() {
            let wanted = types.argument(number);
            let fits = is_unknown(is) || self.steps.fit(is, wanted);
            if !fits || !self.be(argument, wanted, false) {
                return Some(Mistake::Argument {
                    place: argument.place,
                    function: said(function),
                    is: is.clone(),
                    wanted: wanted.clone(),
                    is_result: number >= taken,
                });
            }
        }
        None
    }

    /// The type of a function that is a rule.
    fn rule(&self, path: &[String], place: Place) -> Known {
        let step = |name: &String| Term { place, form: Form::Text(name.clone()) };
        let steps: Vec<Term> = path.iter().map(step).collect();
        self.environment.reference(Reference { root: Root::Data, steps: &steps })
    }

    /// `x in xs`, `k, x in xs`: what is looked for can be there.
    fn membership(&mut self, key: Option<&Term>, value: &Term, collection: &Term) -> Option<Mistake> {
        let collection = self.type_of(collection)?;
        let values = collection.values()?;
        let keys = key.and_then(|key| Some((key, collection.keys()?)));
        keys.into_iter().chain([(value, values)]).find_map(|(term, of)| self.member(term, Some(of)))
    }

    fn member(&mut self, term: &Term, of: Known) -> Option<Mistake> {
        if is_unknown(&of) {
            return None;
        }
        let is = self.type_of(term);
        let fits = is_unknown(&is) || self.steps.fit(&is, &of);
        (!fits || !self.be(term, &of, false)).then_some(Mistake::NotWithin { place: term.place, is, of })
    }

    /// Whether functions that stand in for others take the same.
    pub(super) fn modifiers(&mut self, with: &Modifiers) -> Option<Mistake> {
        with.iter().find_map(|modifier| {
            let (old, new) = (self.target(modifier), self.replacement(modifier));
            let both = matches!((&old, &new), (Some(Type::Function(_)), Some(Type::Function(_))));
            (both && !self.steps.fit(&old, &new))
                .then_some(Mistake::Replacement { place: modifier.value.place })
        })
    }

    fn target(&self, modifier: &Modifier) -> Known {
        match &modifier.target.form {
            Form::Null => builtins::find(&modifier.text)?.types(),
            _ => self.type_of(&modifier.target),
        }
    }

    fn replacement(&self, modifier: &Modifier) -> Known {
        match &modifier.function {
            Some(name) => builtins::find(name)?.types(),
            None => self.type_of(&modifier.value),
        }
    }

    /// Enters what `with` makes of documents, and says how many layers that are.
    pub(super) fn enter_with(&mut self, with: &Modifiers) -> usize {
        let mut layers = 0_usize;
        let mut replaced: Option<Tree> = None;
        for modifier in with.iter() {
            let Some(reference) = Reference::of(&modifier.target) else { continue };
            let Some(root) = reference.root.key() else { continue };
            let target = self.target(modifier);
            let is_function = matches!(target, Some(Type::Function(_)));
            if let Some(tree) = self.dependents(reference, is_function) {
                self.environment.enter_replaced(tree);
                layers = layers.saturating_add(1);
            }
            if is_function {
                continue;
            }
            let either = self.replacement(modifier).filter(|_| target.is_some());
            let either = either.and_then(|value| or(&target, &Some(value)));
            let path: Vec<Key> = std::iter::once(root).chain(reference.steps.iter().map_while(key)).collect();
            let is_ground = path.len() == reference.steps.len().saturating_add(1);
            let either = either.filter(|_| is_ground).unwrap_or_else(Type::any);
            replaced.get_or_insert_default().put(&path, Some(either));
        }
        if let Some(tree) = replaced {
            self.environment.enter_replaced(Rc::new(tree));
            layers = layers.saturating_add(1);
        }
        layers
    }

    /// What depends on a document is anything where that is replaced.
    fn dependents(&mut self, target: Reference<'_>, is_function: bool) -> Option<Rc<Tree>> {
        if target.root != Root::Data {
            return None;
        }
        let names: Vec<String> =
            target.steps.iter().map_while(|step| step.text().map(str::to_owned)).collect();
        if let Some(tree) = self.replaced.get(&names) {
            return tree.clone();
        }
        let own: Vec<Key> = super::heads::below_data(names.iter().cloned().map(Key::Text));
        let mut tree = Tree::default();
        let mut is_empty = true;
        for number in self.graph.dependents(self.rules.read_by(target.steps)) {
            let Some(rule) = self.rules.all.get(number) else { continue };
            let (path, _) = super::heads::ground(rule);
            if !(is_function && path == own) {
                tree.put(&path, Some(Type::any()));
                is_empty = false;
            }
        }
        let tree = (!is_empty).then(|| Rc::new(tree));
        self.replaced.insert(names, tree.clone());
        tree
    }
}

/// A function as it is written in policies.
fn said(function: &Function) -> String {
    let operator = match function {
        Function::Operator("plus") => "+",
        Function::Operator("minus") => "-",
        Function::Operator("mul") => "*",
        Function::Operator("div") => "/",
        Function::Operator("rem") => "%",
        Function::Operator("and") => "&",
        Function::Operator("or") => "|",
        Function::Operator(name) => name,
        Function::Named(name) | Function::Variable(name) => name,
        Function::Rule(path) => path.last().map(String::as_str).unwrap_or_default(),
    };
    operator.to_owned()
}
