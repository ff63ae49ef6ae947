//! A tree of nodes → a value with positions: aliases expanded within bounds, merges done, keys made texts. After
//! go-yaml v2 (decode.go) and sigs.k8s.io/yaml.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::compose::{Content, Node, Tree};
use super::places::{Child, NodeId, Place, Places};
use super::resolve::resolve;
use super::{DEPTH, Document, Fault, Position, duplicate_key, refused_name, too_deep};

/// How much text may come through aliases, in bytes. kubectl has no such bound; an object that the API server takes is
/// 3 MiB at most.
const ALIASED_TEXT: usize = 16 << 20;

/// Converts a document. Of two members of one name the last counts where `last_wins`; else they are a fault.
pub(super) fn convert(tree: &Tree, last_wins: bool) -> Result<Document, Fault> {
    let places = tree.nodes.iter().map(|_| Place::default()).collect();
    let expanding = BTreeSet::new();
    // go-yaml counts the document itself.
    let mut converter =
        Converter { tree, last_wins, places, expanding, decoded: 1, aliased: 0, aliased_text: 0, depth: 0 };
    let value = converter.value(tree.root)?;
    let position = tree.nodes.get(tree.root).map_or(Position { line: 1, column: 1 }, |root| root.position);
    Ok(Document::new(value, Places::new(converter.places, (position, tree.root))))
}

struct Converter<'a> {
    tree: &'a Tree,
    last_wins: bool,
    places: Vec<Place>,
    /// The anchors that are being expanded: meeting one of them again would not end.
    expanding: BTreeSet<NodeId>,
    /// Nodes converted, those among them that came through aliases, and the bytes of these.
    decoded: u32,
    aliased: u32,
    aliased_text: usize,
    depth: usize,
}

/// The members of a mapping while it is made.
#[derive(Default)]
struct Members {
    values: Map<String, Value>,
    places: Vec<(String, Child)>,
    /// Whether there are some that were not written here.
    has_merged: bool,
}

impl<'a> Converter<'a> {
    fn value(&mut self, id: NodeId) -> Result<Value, Fault> {
        let Some(node) = self.node(id) else { return Ok(Value::Null) };
        self.count(node)?;
        match &node.content {
            Content::Scalar { tag, value, plain, .. } => {
                let at = |message| Fault { position: node.position, message };
                let scalar = resolve(tag, value, *plain).map_err(at)?;
                scalar
                    .into_json()
                    .ok_or_else(|| at(format!("`{value}` is no number of JSON; quote it if it is a text")))
            }
            Content::Sequence(children) => self.nested(node.position, |this| this.elements(id, children)),
            Content::Mapping(children) => self.nested(node.position, |this| {
                let mut members = Members::default();
                this.members(children, &mut members)?;
                this.place(id, Place::Members(members.places));
                Ok(Value::Object(members.values))
            }),
            Content::Alias(target) => self.aliased(*target, node.position, |this| this.value(*target)),
        }
    }

    fn elements(&mut self, id: NodeId, children: &[NodeId]) -> Result<Value, Fault> {
        let places = children.iter().filter_map(|child| self.child(*child, None)).collect();
        self.place(id, Place::Elements(places));
        children.iter().map(|child| self.value(*child)).collect::<Result<_, _>>().map(Value::Array)
    }

    /// The members of a mapping in their order: a merge overrides the keys before it, keys override the merge before
    /// them (go-yaml v2; YAML says that keys always win).
    fn members(&mut self, children: &[NodeId], members: &mut Members) -> Result<(), Fault> {
        // As long as all members are written here, they tell themselves which names there are.
        let mut written = members.has_merged.then(BTreeMap::new);
        for pair in children.chunks(2) {
            let [key, value] = pair else { continue };
            let Some(node) = self.node(*key) else { continue };
            if is_merge(&node.content) {
                written.get_or_insert_with(|| positions(&members.places));
                members.has_merged = true;
                self.merge(*value, members)?;
                continue;
            }
            let at = |message| Fault { position: node.position, message };
            let name = self.key(*key)?;
            if let Some(message) = refused_name(&name) {
                return Err(at(message));
            }
            let first = match &mut written {
                Some(written) => written.insert(name.clone(), node.position),
                // Where the last one counts, nobody asks for the first, which is looked for from the end.
                None if !self.last_wins && members.values.contains_key(&name) => {
                    position_of(&members.places, &name)
                }
                None => None,
            };
            if let Some(first) = first.filter(|_| !self.last_wins) {
                return Err(at(duplicate_key(&name, first)));
            }
            if let Some(child) = self.child(*value, Some(node.position)) {
                members.places.push((name.clone(), child));
            }
            let value = self.value(*value)?;
            members.values.insert(name, value);
        }
        Ok(())
    }

    fn merge(&mut self, source: NodeId, members: &mut Members) -> Result<(), Fault> {
        let Some(node) = self.node(source) else { return Ok(()) };
        match &node.content {
            // Backwards, because earlier ones take precedence.
            Content::Sequence(sources) if sources.iter().all(|source| self.is_mapping(*source)) => {
                sources.iter().rev().try_for_each(|source| self.merge_one(*source, members))
            }
            _ if self.is_mapping(source) => self.merge_one(source, members),
            _ => {
                let message =
                    "`<<` merges a mapping or a sequence of mappings; write one, or quote the key".to_owned();
                Err(Fault { position: node.position, message })
            }
        }
    }

    fn merge_one(&mut self, source: NodeId, members: &mut Members) -> Result<(), Fault> {
        let Some(node) = self.node(source) else { return Ok(()) };
        self.count(node)?;
        match &node.content {
            Content::Mapping(children) => self.nested(node.position, |this| this.members(children, members)),
            Content::Alias(target) => {
                self.aliased(*target, node.position, |this| this.merge_one(*target, members))
            }
            Content::Scalar { .. } | Content::Sequence(_) => Ok(()),
        }
    }

    fn key(&mut self, id: NodeId) -> Result<String, Fault> {
        let Some(node) = self.node(id) else { return Ok(String::new()) };
        self.count(node)?;
        let name = match &node.content {
            Content::Scalar { tag, value, plain, .. } => resolve(tag, value, *plain)
                .map_err(|message| Fault { position: node.position, message })?
                .into_key(),
            Content::Alias(target) => return self.aliased(*target, node.position, |this| this.key(*target)),
            Content::Sequence(_) | Content::Mapping(_) => None,
        };
        let message = "not a key of JSON: neither text nor number nor boolean; quote it if it is a text";
        name.ok_or_else(|| Fault { position: node.position, message: message.to_owned() })
    }

    fn node(&self, id: NodeId) -> Option<&'a Node> {
        self.tree.nodes.get(id)
    }

    /// Whether a node is a mapping, or an alias of one.
    fn is_mapping(&self, id: NodeId) -> bool {
        let followed = self.child(id, None).and_then(|(_, id)| self.node(id));
        matches!(followed.map(|node| &node.content), Some(Content::Mapping(_)))
    }

    /// A node as a child, written at its own position if not at another; an alias stands for its anchor's node.
    fn child(&self, id: NodeId, position: Option<Position>) -> Option<Child> {
        let node = self.node(id)?;
        let id = if let Content::Alias(target) = node.content { target } else { id };
        Some((position.unwrap_or(node.position), id))
    }

    fn place(&mut self, id: NodeId, place: Place) {
        if let Some(slot) = self.places.get_mut(id) {
            *slot = place;
        }
    }

    fn nested<T>(
        &mut self,
        position: Position,
        below: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.depth >= DEPTH {
            return Err(Fault { position, message: too_deep() });
        }
        self.depth = self.depth.saturating_add(1);
        let result = below(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    fn aliased<T>(
        &mut self,
        target: NodeId,
        position: Position,
        below: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if !self.expanding.insert(target) {
            return Err(Fault {
                position,
                message: "the alias contains itself; write the value out".to_owned(),
            });
        }
        let result = below(self);
        self.expanding.remove(&target);
        result
    }

    /// The bounds on documents that grow when they are read: that of go-yaml, and one of ours, on their text.
    fn count(&mut self, node: &Node) -> Result<(), Fault> {
        self.decoded = self.decoded.saturating_add(1);
        if !self.expanding.is_empty() {
            self.aliased = self.aliased.saturating_add(1);
            if let Content::Scalar { value, .. } = &node.content {
                self.aliased_text = self.aliased_text.saturating_add(value.len());
            }
        }
        if is_bomb(self.decoded, self.aliased) || self.aliased_text > ALIASED_TEXT {
            let message = "aliases make the document too large; write fewer of them".to_owned();
            return Err(Fault { position: node.position, message });
        }
        Ok(())
    }
}

/// The keys that are written so far.
fn positions(places: &[(String, Child)]) -> BTreeMap<String, Position> {
    places.iter().map(|(name, (position, _))| (name.clone(), *position)).collect()
}

fn position_of(places: &[(String, Child)], name: &str) -> Option<Position> {
    places.iter().rfind(|(one, _)| one == name).map(|(_, (position, _))| *position)
}

/// go-yaml's bound on documents that grow when they are read: up to 400,000 nodes, 99 % of them may come through aliases;
/// from there to 4,000,000 the share falls to a tenth.
pub(super) fn is_bomb(decoded: u32, aliased: u32) -> bool {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let nodes = f64::from(decoded);
    let share = 0.99 - 0.89 * ((nodes.clamp(LOW, HIGH) - LOW) / (HIGH - LOW));
    aliased > 100 && decoded > 1_000 && f64::from(aliased) / nodes > share
}

fn is_merge(content: &Content) -> bool {
    match content {
        Content::Scalar { tag, value, plain, .. } => {
            value == "<<" && (*plain || tag == "tag:yaml.org,2002:merge")
        }
        _ => false,
    }
}
