//! Events of the scanner → a tree of nodes in an arena. Bounded in depth; nothing is resolved or expanded yet.

use std::collections::BTreeMap;

use libyaml_safer::{Encoding, Error, Event, EventData, MappingStyle, Mark, Parser, SequenceStyle};

use super::dialect::Marked;
use super::places::NodeId;
use super::split::Chunk;
use super::write::is_printable;
use super::{DEPTH, Fault, Position, too_deep};

/// A document as written. Aliases are not expanded.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    pub(super) root: NodeId,
}

pub(super) struct Node {
    pub(super) content: Content,
    pub(super) position: Position,
}

pub(super) enum Content {
    Scalar {
        /// The tag in full; empty where there is none. Tags of sequences and mappings mean nothing to kubectl.
        tag: String,
        value: String,
        /// go-yaml's `implicit`: without quotes and tag, or with the tag `!`.
        plain: bool,
    },
    Sequence(Vec<NodeId>),
    /// Keys and values by turns.
    Mapping(Vec<NodeId>),
    Alias(NodeId),
}

/// Reads the first YAML document of a chunk, as kubectl does: what is behind its end (`...`) counts for nothing. None
/// where there is none (only comments).
pub(super) fn compose(chunk: &Chunk<'_>) -> Result<Option<Tree>, Fault> {
    let Some(text) = Marked::new(chunk.text()?) else {
        let message = "characters from U+FDD0 to U+FDEF, which are for no text; remove them".to_owned();
        return Err(Fault { position: Position { line: chunk.line, column: 1 }, message });
    };
    let mut bytes = text.text.as_bytes();
    let mut parser = Parser::new();
    // Else the scanner takes a first character that begins like a byte order mark for one.
    parser.set_encoding(Encoding::Utf8);
    parser.set_input_string(&mut bytes);
    let mut composer = Composer {
        text: &text,
        first_line: chunk.line,
        nodes: Vec::new(),
        root: None,
        open: Vec::new(),
        anchors: BTreeMap::new(),
    };
    loop {
        let event = parser.parse().map_err(|error| composer.scanner_fault(&error))?;
        match event.data {
            EventData::DocumentEnd { .. } => {
                composer.look_ahead(event.end_mark)?;
                break;
            }
            EventData::StreamEnd => break,
            _ => composer.take(event)?,
        }
    }
    Ok(composer.root.map(|root| Tree { nodes: composer.nodes, root }))
}

struct Composer<'a> {
    text: &'a Marked<'a>,
    first_line: usize,
    nodes: Vec<Node>,
    root: Option<NodeId>,
    /// The sequences and mappings that are not closed yet, and whether in flow style (`[…]`, `{…}`).
    open: Vec<(NodeId, bool)>,
    anchors: BTreeMap<String, NodeId>,
}

impl Composer<'_> {
    fn take(&mut self, event: Event) -> Result<(), Fault> {
        let position = self.position(event.start_mark);
        let in_flow = self.open.last().is_some_and(|(_, in_flow)| *in_flow);
        if let Some(message) = self.text.refusal(&event, in_flow) {
            return Err(Fault { position, message: message.to_owned() });
        }
        match event.data {
            EventData::Scalar { anchor, tag, value, plain_implicit, .. } => {
                let value = self.text.unmarked(value);
                let content = Content::Scalar { tag: tag.unwrap_or_default(), value, plain: plain_implicit };
                self.add(content, anchor, position);
            }
            EventData::SequenceStart { anchor, style, .. } => {
                let id = self.add(Content::Sequence(Vec::new()), anchor, position);
                self.open(id, style == SequenceStyle::Flow, position)?;
            }
            EventData::MappingStart { anchor, style, .. } => {
                let id = self.add(Content::Mapping(Vec::new()), anchor, position);
                self.open(id, style == MappingStyle::Flow, position)?;
            }
            EventData::SequenceEnd | EventData::MappingEnd => {
                self.open.pop();
            }
            EventData::Alias { anchor } => {
                let Some(target) = self.anchors.get(&anchor) else {
                    let message = format!(
                        "no anchor `&{anchor}` before the alias `*{anchor}`; add it, or quote the text"
                    );
                    return Err(Fault { position, message });
                };
                self.add(Content::Alias(*target), None, position);
            }
            _ => {}
        }
        Ok(())
    }

    /// What is behind the document counts for nothing, but kubectl's scanner has seen the line that begins there.
    fn look_ahead(&self, end: Mark) -> Result<(), Fault> {
        let rest = self.text.from(end);
        let line = rest.lines().next().unwrap_or_default();
        match Marked::refusal_behind(line) {
            Some(message) => Err(Fault { position: self.position(end), message: message.to_owned() }),
            None => Ok(()),
        }
    }

    fn open(&mut self, id: NodeId, in_flow: bool, position: Position) -> Result<(), Fault> {
        if self.open.len() >= DEPTH {
            return Err(Fault { position, message: too_deep() });
        }
        self.open.push((id, in_flow));
        Ok(())
    }

    fn add(&mut self, content: Content, anchor: Option<String>, position: Position) -> NodeId {
        let id = self.nodes.len();
        self.nodes.push(Node { content, position });
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor, id);
        }
        let parent = self.open.last().and_then(|(parent, _)| self.nodes.get_mut(*parent));
        match parent.map(|parent| &mut parent.content) {
            Some(Content::Sequence(children) | Content::Mapping(children)) => children.push(id),
            _ => self.root = Some(id),
        }
        id
    }

    fn position(&self, mark: Mark) -> Position {
        let line = usize::try_from(mark.line).unwrap_or(usize::MAX);
        let column =
            usize::try_from(mark.column).unwrap_or(usize::MAX).saturating_sub(self.text.marks_before(mark));
        Position { line: line.saturating_add(self.first_line), column: column.saturating_add(1) }
    }

    fn scanner_fault(&self, error: &Error) -> Fault {
        let Some(mark) = error.problem_mark() else { return self.unprintable() };
        let remedy = match error.problem() {
            "mapping values are not allowed in this context" => {
                "quote a text that contains `: `, or correct the indentation"
            }
            "found character that cannot start any token" => {
                "indent with spaces, not with tabs, and quote a text that begins with `@`, `%` or a backtick"
            }
            "did not find expected key" | "could not find expected ':'" => {
                "align the keys of a mapping, and quote texts with quotes in them"
            }
            "found undefined tag handle" => "quote a text that begins with `!`",
            "did not find expected whitespace or line break" => {
                "put a space behind the tag, or quote the text (kubectl takes a `,` there for a part of the tag)"
            }
            _ => "correct the syntax",
        };
        let context = error.context().map(|context| format!(" {context}")).unwrap_or_default();
        Fault {
            position: self.position(mark),
            message: format!("not YAML: {}{context}; {remedy}", error.problem()),
        }
    }

    /// The scanner says only that there is such a character.
    fn unprintable(&self) -> Fault {
        let mut position = Position { line: self.first_line, column: 1 };
        for character in self.text.text.chars() {
            if !is_printable(character) {
                let code = u32::from(character);
                let message = format!(
                    "the control character U+{code:04X} is not YAML; remove it, or write it as \"\\u{code:04X}\""
                );
                return Fault { position, message };
            }
            position = match character {
                '\n' => Position { line: position.line.saturating_add(1), column: 1 },
                _ => Position { column: position.column.saturating_add(1), ..position },
            };
        }
        Fault { position, message: "not YAML; save the file as UTF-8 text".to_owned() }
    }
}
