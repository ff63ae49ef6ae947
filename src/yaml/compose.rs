//! Events of the scanner → a tree of nodes in an arena. Bounded in depth; nothing is resolved or expanded yet.

use std::borrow::Cow;
use std::collections::BTreeMap;

use libyaml_safer::{
    Encoding, Error, Event, EventData, MappingStyle, Mark, Parser, ScalarStyle, SequenceStyle,
};

use super::dialect::{Marked, Refusal};
use super::places::NodeId;
use super::split::Chunk;
use super::write::is_printable;
use super::{DEPTH, Fault, Position, too_deep};

/// What the scanner says of a tag that nothing separates from what follows.
const NO_SPACE: &str = "did not find expected whitespace or line break";

/// What ends a line for the scanner.
const BREAKS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

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
        /// In quotes, or a block.
        quoted: bool,
    },
    Sequence(Vec<NodeId>),
    /// Keys and values by turns.
    Mapping(Vec<NodeId>),
    Alias(NodeId),
}

/// Why there is no tree.
pub(super) enum Unread {
    /// What go-yaml does not read either.
    Wrong(Fault),
    /// What only we don't read.
    Beyond(Fault),
}

impl From<Unread> for Fault {
    fn from((Unread::Wrong(fault) | Unread::Beyond(fault)): Unread) -> Self {
        fault
    }
}

/// Reads the first YAML document of a chunk, as kubectl does: what is behind its end (`...`) counts for nothing. None
/// where there is none (only comments).
pub(super) fn compose(chunk: &Chunk<'_>) -> Result<Option<Tree>, Fault> {
    let text = marked(chunk.text()?, chunk.line)?;
    let mut composer = Composer::new(&text, chunk.line);
    composer.run(|composer| composer.look_ahead().map(|()| false))?;
    Ok(composer.root.map(|root| Tree { nodes: composer.nodes, root }))
}

/// Reads all documents of a text and gives the first, as OPA does: the others need only be YAML. None where there is
/// none.
pub(super) fn compose_first(text: &str) -> Result<Option<Tree>, Unread> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The scanner panics where a block or an escape is cut off (libyaml-safer 0.3.0, read_line_break).
    let is_open = !text.is_empty() && !text.ends_with(BREAKS);
    let whole = if is_open { Cow::Owned(format!("{text}\n")) } else { Cow::Borrowed(text) };
    let marked = marked(whole, 1)?;
    let mut composer = Composer::new(&marked, 1);
    composer.last_line = text.rsplit(BREAKS).next().filter(|_| is_open);
    let mut first = None;
    composer.run(|composer| {
        first = first.or(composer.root.take());
        Ok(true)
    })?;
    Ok(first.map(|root| Tree { nodes: composer.nodes, root }))
}

fn marked(text: Cow<'_, str>, line: usize) -> Result<Marked<'_>, Unread> {
    Marked::new(text).ok_or_else(|| {
        let message = "characters from U+FDD0 to U+FDEF, which are for no text; remove them".to_owned();
        Unread::Beyond(Fault { position: Position { line, column: 1 }, message })
    })
}

struct Composer<'a> {
    text: &'a Marked<'a>,
    first_line: usize,
    nodes: Vec<Node>,
    root: Option<NodeId>,
    /// The sequences and mappings that are not closed yet, and whether in flow style (`[…]`, `{…}`).
    open: Vec<(NodeId, bool)>,
    anchors: BTreeMap<String, NodeId>,
    /// Where the last event ended.
    end: Mark,
    /// The text's last line, where it was given without the line feed that it has here.
    last_line: Option<&'a str>,
}

impl<'a> Composer<'a> {
    fn new(text: &'a Marked<'a>, first_line: usize) -> Self {
        let (nodes, open, anchors) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { text, first_line, nodes, root: None, open, anchors, end: Mark::default(), last_line: None }
    }

    /// Takes what the scanner gives, until `at_end`, asked at the end of each document, says that this is enough.
    fn run(&mut self, mut at_end: impl FnMut(&mut Self) -> Result<bool, Unread>) -> Result<(), Unread> {
        let mut bytes = self.text.text.as_bytes();
        let mut parser = Parser::new();
        // Else the scanner takes a first character that begins like a byte order mark for one.
        parser.set_encoding(Encoding::Utf8);
        parser.set_input_string(&mut bytes);
        loop {
            let event = parser.parse().map_err(|error| self.unscanned(&error))?;
            self.end = event.end_mark;
            let goes_on = match event.data {
                EventData::StreamEnd => false,
                EventData::DocumentEnd { .. } => at_end(self)?,
                _ => self.take(event).map(|()| true)?,
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Unread> {
        let position = self.position(event.start_mark);
        let in_flow = self.open.last().is_some_and(|(_, in_flow)| *in_flow);
        let fault = |message: &str| Fault { position, message: message.to_owned() };
        match self.text.refusal(&event, in_flow) {
            Some(Refusal::Wrong(message)) => return Err(Unread::Wrong(fault(message))),
            Some(Refusal::ReadOtherwise(message)) => return Err(Unread::Beyond(fault(message))),
            None => {}
        }
        match event.data {
            // libyaml reads 1.2, too.
            EventData::DocumentStart { version_directive: Some(version), .. } if version.minor != 1 => {
                return Err(Unread::Wrong(fault("only YAML 1.1 is read; leave out `%YAML`")));
            }
            EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                let (tag, mut value) = (tag.unwrap_or_default(), self.text.unmarked(value));
                if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
                    && self.text.from(event.end_mark).is_empty()
                {
                    self.cut_off(&mut value).map_err(|message| Unread::Beyond(fault(message)))?;
                }
                let quoted = style != ScalarStyle::Plain;
                self.add(Content::Scalar { tag, value, plain: plain_implicit, quoted }, anchor, position);
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
                    return Err(Unread::Wrong(Fault { position, message }));
                };
                self.add(Content::Alias(*target), None, position);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes from a block at the end of the text the line feed that the text does not have. One whose last line is blank
    /// has it only if it keeps all (`|+`), or if the line is more indented and a part of it.
    fn cut_off(&self, value: &mut String) -> Result<(), &'static str> {
        let (Some(last_line), Some(rest)) = (self.last_line, value.strip_suffix('\n')) else { return Ok(()) };
        let ending = rest.rsplit(BREAKS).next().unwrap_or_default();
        if last_line.trim().is_empty() && !ending.is_empty() {
            if ending.trim().is_empty() {
                return Err("a block that ends in a blank line without a line feed; end it with one");
            }
            return Ok(());
        }
        value.truncate(rest.len());
        Ok(())
    }

    /// What is behind the document counts for nothing, but kubectl's scanner has seen the line that begins there.
    fn look_ahead(&self) -> Result<(), Unread> {
        let rest = self.text.from(self.end);
        let line = rest.lines().next().unwrap_or_default();
        let position = self.position(self.end);
        match Marked::refusal_behind(line) {
            Some(message) => Err(Unread::Wrong(Fault { position, message: message.to_owned() })),
            None => Ok(()),
        }
    }

    fn open(&mut self, id: NodeId, in_flow: bool, position: Position) -> Result<(), Unread> {
        if self.open.len() >= DEPTH {
            return Err(Unread::Beyond(Fault { position, message: too_deep() }));
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

    /// go-yaml takes a comma behind a tag for a part of it.
    fn unscanned(&self, error: &Error) -> Unread {
        let fault = self.scanner_fault(error);
        if error.problem() == NO_SPACE { Unread::Beyond(fault) } else { Unread::Wrong(fault) }
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
            NO_SPACE => {
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
