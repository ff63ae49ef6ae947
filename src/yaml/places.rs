//! Where the parts of a document stand in the input. Made by the readers of YAML and JSON, asked by JSON pointer.

use std::collections::BTreeMap;

use super::Position;

/// A node's index.
pub(super) type NodeId = usize;

/// A child: where it is written (a member: its key), and the node it is.
pub(super) type Child = (Position, NodeId);

/// The places of a document, in an arena: an anchored node has one place, however many aliases it has.
#[derive(Clone, Debug)]
pub(super) struct Places {
    pub(super) nodes: Vec<Place>,
    pub(super) root: Child,
}

/// What is below a node.
#[derive(Clone, Debug, Default)]
pub(super) enum Place {
    #[default]
    Scalar,
    Elements(Vec<Child>),
    Members(BTreeMap<String, Child>),
}

impl Places {
    /// The place of a pointer's target, or of the nearest node above it.
    pub(super) fn find(&self, pointer: &str) -> Position {
        let (mut position, mut id) = self.root;
        for part in pointer.split('/').skip(1) {
            let child = match self.nodes.get(id) {
                Some(Place::Elements(children)) => {
                    part.parse().ok().and_then(|index: usize| children.get(index))
                }
                Some(Place::Members(children)) => children.get(&part.replace("~1", "/").replace("~0", "~")),
                Some(Place::Scalar) | None => None,
            };
            let Some(child) = child else { break };
            (position, id) = *child;
        }
        position
    }
}
