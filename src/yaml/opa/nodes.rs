//! The nodes of a document with the tags that go-yaml gives them, and what OPA changes in them before they are decoded:
//! a date is a text, merges of one mapping are one, of a key that is there twice the last value counts.

use std::collections::BTreeMap;

use super::super::compose::{Content, Tree};
use super::super::places::NodeId;
use super::decode;
use super::resolve::{self, MERGE, STRING, TIMESTAMP};

/// A document.
pub(super) struct Nodes {
    pub(super) all: Vec<Node>,
    pub(super) root: NodeId,
}

#[derive(Clone)]
pub(super) enum Node {
    /// With its tag, and whether it was written without one and without quotes.
    Scalar {
        tag: String,
        value: String,
        bare: bool,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    Alias(NodeId),
}

impl Nodes {
    /// As written.
    pub(super) fn of(tree: &Tree) -> Self {
        let node = |content: &Content| match content {
            Content::Scalar { tag, value, quoted, .. } => scalar(tag, value, *quoted),
            Content::Sequence(children) => Node::Sequence(children.clone()),
            Content::Mapping(children) => {
                let pairs = children.chunks_exact(2).filter_map(|pair| Some((*pair.first()?, *pair.get(1)?)));
                Node::Mapping(pairs.collect())
            }
            Content::Alias(target) => Node::Alias(*target),
        };
        Self { all: tree.nodes.iter().map(|one| node(&one.content)).collect(), root: tree.root }
    }

    /// As OPA decodes them. Parents stand before their children, so that their keys still are what they were.
    pub(super) fn normalised(mut self) -> Self {
        for id in 0..self.all.len() {
            match self.all.get(id).cloned() {
                Some(Node::Mapping(pairs)) => {
                    let pairs = self.merges_in_one(pairs);
                    let pairs = self.last_of_each(pairs);
                    self.set(id, Node::Mapping(pairs));
                }
                Some(Node::Scalar { tag, value, bare: true }) if tag == TIMESTAMP => {
                    self.set(id, Node::Scalar { tag: STRING.to_owned(), value, bare: true });
                }
                _ => {}
            }
        }
        self
    }

    fn set(&mut self, id: NodeId, node: Node) {
        if let Some(slot) = self.all.get_mut(id) {
            *slot = node;
        }
    }

    fn merges_in_one(&mut self, pairs: Vec<(NodeId, NodeId)>) -> Vec<(NodeId, NodeId)> {
        let is_merge =
            |id: NodeId| matches!(self.all.get(id), Some(Node::Scalar { tag, .. }) if tag == MERGE);
        let mut merged = Vec::new();
        for (_, value) in pairs.iter().filter(|(key, _)| is_merge(*key)) {
            match self.all.get(*value) {
                Some(Node::Sequence(children)) => merged.extend(children),
                _ => merged.push(*value),
            }
        }
        if merged.len() < 2 {
            return pairs;
        }
        let mut sources = Some(self.all.len());
        let mut kept = Vec::new();
        for (key, value) in pairs {
            match is_merge(key) {
                true => kept.extend(sources.take().map(|sources| (key, sources))),
                false => kept.push((key, value)),
            }
        }
        self.all.push(Node::Sequence(merged));
        kept
    }

    /// Each key where it is first, with its last value.
    fn last_of_each(&self, pairs: Vec<(NodeId, NodeId)>) -> Vec<(NodeId, NodeId)> {
        let mut kept: Vec<(NodeId, NodeId)> = Vec::new();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (key, value) in pairs {
            let name = match self.all.get(key) {
                Some(Node::Scalar { tag, value, .. }) if tag != MERGE && tag != TIMESTAMP => {
                    decode::scalar(tag, value).ok().and_then(|decoded| decoded.name())
                }
                _ => None,
            };
            let first = name.as_ref().and_then(|name| seen.get(name)).and_then(|at| kept.get_mut(*at));
            match first {
                Some(first) => first.1 = value,
                None => {
                    seen.extend(name.map(|name| (name, kept.len())));
                    kept.push((key, value));
                }
            }
        }
        kept
    }
}

fn scalar(tag: &str, value: &str, quoted: bool) -> Node {
    let tag_of = |bare| match bare {
        false => STRING,
        true if value == "<<" => MERGE,
        true => resolve::plain(value).0,
    };
    match tag {
        "" | "!" => Node::Scalar { tag: tag_of(!quoted).to_owned(), value: value.to_owned(), bare: !quoted },
        tag => Node::Scalar { tag: resolve::short(tag), value: value.to_owned(), bare: false },
    }
}
