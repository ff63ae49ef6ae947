//! What is known at a place: the types of variables, of the bodies around it too, and of documents.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::tree::{Answer, Tree, select};
use crate::engine::gate::terms::{Form, Place, Term, VarId};
use crate::engine::types::{Key, Known, Type};

/// What a body or a `with` adds.
pub(super) enum Layer {
    /// The variables that a body types.
    Body(BTreeMap<VarId, Known>),
    /// The documents that `with` replaces, and those that depend on them.
    Replaced(Rc<Tree>),
}

/// All that is known.
#[derive(Default)]
pub(super) struct Environment {
    /// The rules judged so far.
    pub(super) rules: Tree,
    /// The innermost last.
    layers: Vec<Layer>,
}

/// A reference: what it starts from, and its steps.
#[derive(Clone, Copy)]
pub(super) struct Reference<'t> {
    pub(super) root: Root,
    pub(super) steps: &'t [Term],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Data,
    Input,
    Variable(VarId, Place),
    /// A constant that is written out.
    Constant,
}

impl Root {
    /// The name of a document.
    pub(super) fn key(self) -> Option<Key> {
        match self {
            Self::Data => Some(Key::Text("data".to_owned())),
            Self::Input => Some(Key::Text("input".to_owned())),
            Self::Variable(..) | Self::Constant => None,
        }
    }
}

impl<'t> Reference<'t> {
    /// The reference that a term is.
    pub(super) fn of(term: &'t Term) -> Option<Self> {
        match &term.form {
            Form::Data(steps) => Some(Self { root: Root::Data, steps }),
            Form::Input(steps) => Some(Self { root: Root::Input, steps }),
            Form::Into(head, steps) => {
                let root = match head.form {
                    Form::Variable(id) => Root::Variable(id, head.place),
                    _ => Root::Constant,
                };
                Some(Self { root, steps })
            }
            _ => None,
        }
    }
}

impl Environment {
    pub(super) fn enter_body(&mut self) {
        self.layers.push(Layer::Body(BTreeMap::new()));
    }

    pub(super) fn enter_replaced(&mut self, tree: Rc<Tree>) {
        self.layers.push(Layer::Replaced(tree));
    }

    pub(super) fn leave(&mut self, count: usize) {
        self.layers.truncate(self.layers.len().saturating_sub(count));
    }

    /// What a variable is known to be; none where nothing says it.
    pub(super) fn variable(&self, id: VarId) -> Known {
        let found = self.layers.iter().rev().find_map(|layer| match layer {
            Layer::Body(variables) => variables.get(&id),
            Layer::Replaced(_) => None,
        });
        found.cloned().flatten()
    }

    /// Says what a variable is, in the innermost body.
    pub(super) fn put(&mut self, id: VarId, known: Known) {
        let body = self.layers.iter_mut().rev().find_map(|layer| match layer {
            Layer::Body(variables) => Some(variables),
            Layer::Replaced(_) => None,
        });
        if let Some(variables) = body {
            variables.insert(id, known);
        }
    }

    /// What a reference leads to.
    pub(super) fn reference(&self, reference: Reference<'_>) -> Known {
        let Some(root) = reference.root.key() else {
            let Root::Variable(id, _) = reference.root else { return None };
            return select(&self.variable(id), reference.steps);
        };
        for tree in self.trees() {
            if let Some(Answer::Type(known)) = tree.child(&root).map(|tree| tree.follow(reference.steps)) {
                return known;
            }
        }
        Some(Type::any())
    }

    /// The trees of documents, the one that counts first.
    pub(super) fn trees(&self) -> impl Iterator<Item = &Tree> {
        let replaced = self.layers.iter().rev().filter_map(|layer| match layer {
            Layer::Body(_) => None,
            Layer::Replaced(tree) => Some(&**tree),
        });
        replaced.chain([&self.rules])
    }
}
