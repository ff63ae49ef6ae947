//! Where the parts of a document stand in the input. Made by the readers of YAML and JSON, asked by JSON pointer.

use super::Position;

/// A node's index.
pub(super) type NodeId = usize;

/// A child: where it is written (a member: its key), and the node it is.
pub(super) type Child = (Position, NodeId);

/// What is below a node, as a reader finds it.
#[derive(Clone, Debug, Default)]
pub(super) enum Place {
    #[default]
    Scalar,
    Elements(Vec<Child>),
    /// By their names; of two of one name the last counts.
    Members(Vec<(String, Child)>),
}

/// The places of a document, in an arena: an anchored node has one place, however many aliases it has. They are kept as long
/// as the document, and so packed: scalars have no node, and members are sorted rather than in a tree.
#[derive(Clone, Debug)]
pub(super) struct Places {
    nodes: Box<[Node]>,
    root: Spot,
}

#[derive(Clone, Debug)]
enum Node {
    Elements(Box<[Spot]>),
    Members(Box<[(Box<str>, Spot)]>),
}

/// A child.
#[derive(Clone, Copy, Debug)]
struct Spot {
    line: u32,
    column: u32,
    /// Its index among the nodes; one past them for a scalar.
    node: u32,
}

impl Places {
    /// Packs what a reader has found.
    pub(super) fn new(found: Vec<Place>, root: Child) -> Self {
        let mut count = 0_u32;
        let index: Vec<Option<u32>> = found
            .iter()
            .map(|place| {
                let own = count;
                let is_node = !matches!(place, Place::Scalar);
                count = count.saturating_add(u32::from(is_node));
                is_node.then_some(own)
            })
            .collect();
        let spot = |(Position { line, column }, id): Child| Spot {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            node: index.get(id).copied().flatten().unwrap_or(u32::MAX),
        };
        let node = |place: Place| match place {
            Place::Scalar => None,
            Place::Elements(children) => Some(Node::Elements(children.into_iter().map(spot).collect())),
            Place::Members(mut members) => {
                // Stable, so that of equal names the last stays last.
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                let mut packed: Vec<(Box<str>, Spot)> = Vec::with_capacity(members.len());
                for (name, child) in members {
                    match packed.last_mut() {
                        Some((last, place)) if **last == *name => *place = spot(child),
                        _ => packed.push((name.into_boxed_str(), spot(child))),
                    }
                }
                Some(Node::Members(packed.into_boxed_slice()))
            }
        };
        let root = spot(root);
        Self { nodes: found.into_iter().filter_map(node).collect(), root }
    }

    /// The place of a pointer's target, or of the nearest node above it.
    pub(super) fn find(&self, pointer: &str) -> Position {
        let mut spot = self.root;
        for part in pointer.split('/').skip(1) {
            let node = usize::try_from(spot.node).ok().and_then(|index| self.nodes.get(index));
            let child = match node {
                Some(Node::Elements(children)) => {
                    part.parse().ok().and_then(|index: usize| children.get(index)).copied()
                }
                Some(Node::Members(members)) => {
                    let name = part.replace("~1", "/").replace("~0", "~");
                    let found = members.binary_search_by(|(one, _)| (**one).cmp(name.as_str()));
                    found.ok().and_then(|index| members.get(index)).map(|(_, spot)| *spot)
                }
                None => None,
            };
            let Some(child) = child else { break };
            spot = child;
        }
        let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Position { line: number(spot.line), column: number(spot.column) }
    }
}
