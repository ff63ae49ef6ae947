//! The types of documents by path: those of rules, below `data`, and those that `with` puts in their places.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::engine::gate::terms::Term;
use crate::engine::types::{Key, Known, Type, merged};

use super::values::key;

/// What is known at a path and below it. Parts are shared: who walks through one while variables are learnt holds it,
/// and copies nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) value: Known,
    children: BTreeMap<Key, Rc<Tree>>,
}

/// What a tree says of a reference.
pub(super) enum Answer {
    Type(Known),
    /// The reference leads out of the tree.
    Elsewhere,
}

impl Tree {
    pub(super) fn child(&self, key: &Key) -> Option<&Rc<Self>> {
        self.children.get(key)
    }

    fn child_mut(&mut self, key: &Key) -> &mut Self {
        Rc::make_mut(self.children.entry(key.clone()).or_default())
    }

    /// Sets what a path has, whatever it had.
    pub(super) fn put(&mut self, path: &[Key], value: Known) {
        self.node(path).value = value;
    }

    fn node(&mut self, path: &[Key]) -> &mut Self {
        path.iter().fold(self, |node, key| node.child_mut(key))
    }

    /// Adds a definition of a path: to what others give there, to the values above, and with those below.
    pub(super) fn insert(&mut self, path: &[Key], value: &Known) {
        let mut node = self;
        for (depth, key) in path.iter().enumerate() {
            let below = path.get(depth.saturating_add(1)..).unwrap_or_default();
            node = node.child_mut(key);
            if let (Some(Type::Object(object)), false) = (&node.value, below.is_empty()) {
                let steps: Vec<Type> = below.iter().map(Key::to_type).collect();
                node.value = Some(object.with(&steps, value));
            }
        }
        node.value = merged(&node.value, value);
        if !matches!(value, Some(Type::Object(_))) {
            return;
        }
        let mut leaves = Vec::new();
        node.children.iter().for_each(|(key, child)| child.leaves(vec![key.to_type()], &mut leaves));
        for (steps, value) in leaves {
            if let Some(Type::Object(object)) = &node.value {
                node.value = Some(object.with(&steps, &value));
            }
        }
    }

    fn leaves(&self, path: Vec<Type>, into: &mut Vec<(Vec<Type>, Known)>) {
        if self.value.is_some() {
            return into.push((path, self.value.clone()));
        }
        for (key, child) in &self.children {
            let longer = path.iter().cloned().chain([key.to_type()]).collect();
            child.leaves(longer, into);
        }
    }

    /// The type of the document as a whole. Below packages there may be data as well.
    pub(super) fn extent(&self) -> Type {
        if let Some(value) = &self.value {
            return value.clone();
        }
        let simple =
            |key: &&Key| matches!(key, Key::Text(_) | Key::Integer(_) | Key::Number(_) | Key::Boolean(_));
        let members = self.children.iter().filter(|(key, _)| simple(key));
        let members = members.map(|(key, child)| (key.clone(), Some(child.extent())));
        Type::object(members.collect(), Some((Some(Type::Text), Some(Type::any()))))
    }

    /// The type of what a reference leads to from here.
    pub(super) fn follow(&self, steps: &[Term]) -> Answer {
        let mut node = self;
        let mut steps = steps;
        while let Some((step, rest)) = steps.split_first() {
            let child = key(step).and_then(|key| node.child(&key));
            match (child, &node.value) {
                (Some(child), _) => node = child,
                (None, Some(value)) => return Answer::Type(select(&Some(value.clone()), steps)),
                (None, None) if key(step).is_none() => {
                    return Answer::Type(select(&Some(node.extent()), steps));
                }
                (None, None) => return Answer::Elsewhere,
            }
            steps = rest;
        }
        Answer::Type(Some(node.extent()))
    }
}

/// What steps lead to within a value.
pub(super) fn select(of: &Known, steps: &[Term]) -> Known {
    steps.iter().fold(of.clone(), |of, step| {
        let of = of?;
        match scalar(step) {
            Some(key) => of.at(&key),
            None if of.is_empty_collection() => Some(Type::any()),
            None => of.values(),
        }
    })
}

/// A step that is a constant and no collection.
pub(super) fn scalar(step: &Term) -> Option<Key> {
    key(step).filter(|key| !matches!(key, Key::Array(_) | Key::Object(_)))
}

/// The type of an object that has a value below a path of keys.
pub(super) fn nested(path: &[Known], value: Known) -> Known {
    let Some((key, path)) = path.split_first() else { return value };
    let value = nested(path, value);
    (value.is_some() && key.is_some()).then(|| Type::object(BTreeMap::new(), Some((key.clone(), value))))
}
