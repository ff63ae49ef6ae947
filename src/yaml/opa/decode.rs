//! Nodes → values, after go-yaml v3 (decode.go): aliases expanded within its bounds, and ours; merges done.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::number;
use super::super::places::NodeId;
use super::super::resolve::{Scalar, decode_binary};
use super::super::{DEPTH, too_deep};
use super::Unread;
use super::nodes::{Node, Nodes};
use super::resolve::{self, MERGE, STRING, TIMESTAMP};

/// How much text may come through aliases, in bytes; go-yaml bounds the number of nodes alone.
const ALIASED_TEXT: usize = 16 << 20;

/// A value in go-yaml's types.
#[derive(Clone, Debug)]
pub(super) enum Decoded {
    Null,
    Bool(bool),
    Int(i64),
    /// Beyond `i64`.
    Uint(u64),
    Float(f64),
    Text(String),
    Array(Vec<Decoded>),
    /// The keys of the source by [`Key`].
    Map(BTreeMap<Key, Decoded>),
}

/// A key of a mapping, in go-yaml's types: 1 is another than "1".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    /// The bits of a double; what makes of two bits one number was refused.
    Float(u64),
    Text(String),
}

impl Decoded {
    /// As a member's name. None: it can't be one.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Bool(bool) => Some(bool.to_string()),
            Self::Int(integer) => Some(integer.to_string()),
            Self::Uint(integer) => Some(integer.to_string()),
            Self::Float(float) => Some(number::to_key(*float)),
            Self::Text(text) => Some(text.clone()),
            Self::Null | Self::Array(_) | Self::Map(_) => None,
        }
    }

    /// The JSON that OPA makes of it.
    pub(super) fn into_json(self) -> Result<Value, Unread> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(bool) => Value::from(bool),
            Self::Int(integer) => Value::from(integer),
            Self::Uint(integer) => Value::from(integer),
            Self::Float(float) => number::to_json(float)
                .map(Value::Number)
                .ok_or_else(|| Unread::Wrong(format!("{float} is no number of JSON")))?,
            Self::Text(text) => Value::from(text),
            Self::Array(items) => {
                Value::Array(items.into_iter().map(Self::into_json).collect::<Result<_, _>>()?)
            }
            Self::Map(members) => {
                let mut object = Map::new();
                for (key, member) in members {
                    let name =
                        key.name().ok_or_else(|| Unread::Wrong("null is no key of JSON".to_owned()))?;
                    // Which of the two OPA takes is chance.
                    if object.contains_key(&name) {
                        return Err(Unread::Beyond(format!("`{name}` is the name of two keys")));
                    }
                    object.insert(name, member.into_json()?);
                }
                Value::Object(object)
            }
        })
    }
}

impl Key {
    fn of(decoded: Decoded) -> Result<Self, Unread> {
        Ok(match decoded {
            Decoded::Null => Self::Null,
            Decoded::Bool(bool) => Self::Bool(bool),
            Decoded::Int(integer) => Self::Int(integer),
            Decoded::Uint(integer) => Self::Uint(integer),
            Decoded::Float(float) if float.is_nan() || float == 0.0 => {
                return Err(Unread::Beyond(format!("{float} is a key")));
            }
            Decoded::Float(float) => Self::Float(float.to_bits()),
            Decoded::Text(text) => Self::Text(text),
            Decoded::Array(_) | Decoded::Map(_) => {
                return Err(Unread::Wrong("a sequence or mapping is a key".to_owned()));
            }
        })
    }

    /// As a member's name. None: it can't be one.
    pub(super) fn name(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(bool) => Some(bool.to_string()),
            Self::Int(integer) => Some(integer.to_string()),
            Self::Uint(integer) => Some(integer.to_string()),
            Self::Float(bits) => Some(number::to_key(f64::from_bits(*bits))),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

/// What a scalar with its tag is.
pub(super) fn scalar(tag: &str, value: &str) -> Result<Decoded, Unread> {
    let decoded = match tag {
        STRING => Scalar::Text(value.to_owned()),
        "!!binary" => decode_binary(value)
            .ok_or_else(|| Unread::Wrong("!!binary value contains invalid base64 data".to_owned()))?,
        // As OPA writes it again, with all its parts.
        TIMESTAMP => return Err(Unread::Beyond("the tag `!!timestamp`".to_owned())),
        tag => resolve::tagged(tag, value).map_err(Unread::Wrong)?,
    };
    Ok(match decoded {
        Scalar::Null => Decoded::Null,
        Scalar::Bool(bool) => Decoded::Bool(bool),
        Scalar::Int(integer) => Decoded::Int(integer),
        Scalar::Uint(integer) => Decoded::Uint(integer),
        Scalar::Float(float) => Decoded::Float(float),
        Scalar::Text(text) => Decoded::Text(text),
    })
}

/// Decodes a document.
pub(super) fn decode(nodes: &Nodes) -> Result<Decoded, Unread> {
    // go-yaml counts the document itself.
    let mut decoder =
        Decoder { nodes, expanding: BTreeSet::new(), decoded: 1, aliased: 0, aliased_text: 0, depth: 0 };
    decoder.value(nodes.root)
}

struct Decoder<'a> {
    nodes: &'a Nodes,
    /// The anchors that are being expanded: meeting one of them again would not end.
    expanding: BTreeSet<NodeId>,
    decoded: u32,
    aliased: u32,
    aliased_text: usize,
    depth: usize,
}

/// A mapping while it is made.
struct Members {
    values: BTreeMap<Key, Decoded>,
    /// All its own keys are texts: then those that are merged are read as texts, too.
    texts: bool,
    /// While something is merged: the keys that are there already.
    merged: Option<BTreeSet<Key>>,
}

impl<'a> Decoder<'a> {
    fn value(&mut self, id: NodeId) -> Result<Decoded, Unread> {
        let Some(node) = self.node(id) else { return Ok(Decoded::Null) };
        self.count(node)?;
        match node {
            Node::Scalar { tag, value, .. } => scalar(tag, value),
            Node::Sequence(children) => self.nested(|this| {
                children.iter().map(|child| this.value(*child)).collect::<Result<_, _>>().map(Decoded::Array)
            }),
            Node::Mapping(pairs) => self.nested(|this| {
                let texts = pairs.iter().all(|(key, _)| this.is_text(*key));
                let mut members = Members { values: BTreeMap::new(), texts, merged: None };
                this.members(pairs, &mut members)?;
                Ok(Decoded::Map(members.values))
            }),
            Node::Alias(target) => self.expand(*target, |this| this.value(*target)),
        }
    }

    fn members(&mut self, pairs: &[(NodeId, NodeId)], members: &mut Members) -> Result<(), Unread> {
        self.refuse_duplicates(pairs)?;
        let mut source = None;
        for (key, value) in pairs {
            if self.is_merge(*key) {
                source = Some(*value);
                continue;
            }
            let Some(key) = self.key(*key, members.texts)? else { continue };
            if members.merged.as_mut().is_some_and(|merged| !merged.insert(key.clone())) {
                continue;
            }
            let value = self.value(*value)?;
            members.values.insert(key, value);
        }
        source.map_or(Ok(()), |source| self.merge(pairs, source, members))
    }

    /// Keys that are the same text, and of one kind; those that name the same member OPA has made one before.
    fn refuse_duplicates(&self, pairs: &[(NodeId, NodeId)]) -> Result<(), Unread> {
        let mut seen = BTreeSet::new();
        let text = |key: &NodeId| match self.node(*key)? {
            Node::Scalar { value, .. } => Some((None, value.as_str())),
            Node::Alias(target) => Some((Some(*target), "")),
            Node::Sequence(_) | Node::Mapping(_) => None,
        };
        match pairs.iter().filter_map(|(key, _)| text(key)).find(|key| !seen.insert(*key)) {
            Some((_, key)) => Err(Unread::Wrong(format!("mapping key \"{key}\" already defined"))),
            None => Ok(()),
        }
    }

    /// A key. None: null, where all keys are texts.
    fn key(&mut self, id: NodeId, as_text: bool) -> Result<Option<Key>, Unread> {
        let Some(node) = self.node(id) else { return Ok(None) };
        match node {
            Node::Scalar { tag, value, .. } if as_text => {
                self.count(node)?;
                Ok(match scalar(tag, value)? {
                    Decoded::Null => None,
                    Decoded::Text(text) => Some(Key::Text(text)),
                    _ => Some(Key::Text(value.clone())),
                })
            }
            Node::Alias(target) if as_text => {
                self.count(node)?;
                self.expand(*target, |this| this.key(*target, as_text))
            }
            _ => Key::of(self.value(id)?).map(Some),
        }
    }

    fn merge(
        &mut self,
        pairs: &[(NodeId, NodeId)],
        source: NodeId,
        members: &mut Members,
    ) -> Result<(), Unread> {
        let is_outermost = members.merged.is_none();
        if is_outermost {
            let mut own = BTreeSet::new();
            for (key, _) in pairs {
                own.extend(self.key(*key, false)?);
            }
            members.merged = Some(own);
        }
        match self.node(source) {
            Some(Node::Mapping(_) | Node::Alias(_)) => self.merge_one(source, members)?,
            Some(Node::Sequence(sources)) => {
                for source in sources {
                    self.merge_one(*source, members)?;
                }
            }
            _ => return Err(no_mapping()),
        }
        if is_outermost {
            members.merged = None;
        }
        Ok(())
    }

    fn merge_one(&mut self, source: NodeId, members: &mut Members) -> Result<(), Unread> {
        let Some(node) = self.node(source) else { return Ok(()) };
        self.count(node)?;
        match node {
            Node::Mapping(pairs) => self.nested(|this| this.members(pairs, members)),
            Node::Alias(target) if matches!(self.node(*target), Some(Node::Mapping(_))) => {
                self.expand(*target, |this| this.merge_one(*target, members))
            }
            _ => Err(no_mapping()),
        }
    }

    fn node(&self, id: NodeId) -> Option<&'a Node> {
        self.nodes.all.get(id)
    }

    fn is_merge(&self, id: NodeId) -> bool {
        matches!(self.node(id), Some(Node::Scalar { tag, value, .. }) if value == "<<" && tag == MERGE)
    }

    fn is_text(&self, id: NodeId) -> bool {
        match self.node(id) {
            Some(Node::Scalar { tag, .. }) => tag == STRING || tag == MERGE,
            Some(Node::Alias(target)) => {
                matches!(self.node(*target), Some(Node::Scalar { tag, .. }) if tag == STRING || tag == MERGE)
            }
            _ => false,
        }
    }

    fn nested<T>(&mut self, below: impl FnOnce(&mut Self) -> Result<T, Unread>) -> Result<T, Unread> {
        if self.depth >= DEPTH {
            return Err(Unread::Beyond(too_deep()));
        }
        self.depth = self.depth.saturating_add(1);
        let result = below(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    fn expand<T>(
        &mut self,
        target: NodeId,
        below: impl FnOnce(&mut Self) -> Result<T, Unread>,
    ) -> Result<T, Unread> {
        if !self.expanding.insert(target) {
            return Err(Unread::Wrong("the anchor's value contains itself".to_owned()));
        }
        let result = below(self);
        self.expanding.remove(&target);
        result
    }

    /// go-yaml's bound on documents that grow when they are read, as kubectl has it, and ours on their text.
    fn count(&mut self, node: &Node) -> Result<(), Unread> {
        self.decoded = self.decoded.saturating_add(1);
        if !self.expanding.is_empty() {
            self.aliased = self.aliased.saturating_add(1);
            if let Node::Scalar { value, .. } = node {
                self.aliased_text = self.aliased_text.saturating_add(value.len());
            }
        }
        if super::super::convert::is_bomb(self.decoded, self.aliased) {
            return Err(Unread::Wrong("document contains excessive aliasing".to_owned()));
        }
        if self.aliased_text > ALIASED_TEXT {
            return Err(Unread::Beyond("aliases make the document too large".to_owned()));
        }
        Ok(())
    }
}

fn no_mapping() -> Unread {
    Unread::Wrong("map merge requires map or sequence of maps as the value".to_owned())
}
