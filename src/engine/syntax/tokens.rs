//! The tokens of a module: what its tree does not say (line breaks, brackets).

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::ops::Range;

pub(in crate::engine) use regorus::unstable::TokenKind;
use regorus::unstable::{Lexer, Source};

use super::places::bytes;

/// A token, quotes included.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Token {
    /// What it is.
    pub(in crate::engine) kind: TokenKind,
    /// Its bytes; of a string with the quotes.
    pub(in crate::engine) range: Range<usize>,
    /// Its 1-based line.
    pub(in crate::engine) line: u32,
}

impl Token {
    /// Whether it is a string.
    pub(in crate::engine) fn is_text(&self) -> bool {
        matches!(self.kind, TokenKind::String | TokenKind::RawString)
    }
}

/// All tokens, in order.
#[derive(Debug, Default)]
pub(in crate::engine) struct Tokens {
    tokens: Vec<Token>,
    /// The other bracket of each bracket, by start.
    partners: BTreeMap<usize, usize>,
}

impl Tokens {
    /// Reads all tokens of a source.
    pub(in crate::engine) fn read(source: &Source, max_column: NonZeroU32) -> Result<Self, anyhow::Error> {
        let mut lexer = Lexer::new(source);
        lexer.set_max_col(max_column);
        let mut read = Self::default();
        let mut open = Vec::new();
        loop {
            let token = lexer.next_token()?;
            let mut range = bytes(&token.1);
            match token.0 {
                TokenKind::Eof => return Ok(read),
                TokenKind::String | TokenKind::RawString => {
                    range = range.start.saturating_sub(1)..range.end.saturating_add(1);
                }
                _ => match token.1.text() {
                    "(" | "[" | "{" | "set(" => open.push(range.start),
                    ")" | "]" | "}" => {
                        if let Some(opened) = open.pop() {
                            read.partners.insert(opened, range.start);
                            read.partners.insert(range.start, opened);
                        }
                    }
                    _ => {}
                },
            }
            read.tokens.push(Token { kind: token.0, range, line: token.1.line });
        }
    }

    /// All of them.
    pub(in crate::engine) fn iter(&self) -> std::slice::Iter<'_, Token> {
        self.tokens.iter()
    }

    /// The start of the bracket that closes or opens the one at `offset`.
    pub(in crate::engine) fn partner(&self, offset: usize) -> Option<usize> {
        self.partners.get(&offset).copied()
    }

    /// The token that starts at `offset`.
    pub(in crate::engine) fn starting_at(&self, offset: usize) -> Option<&Token> {
        self.tokens.get(self.index(offset)).filter(|token| token.range.start == offset)
    }

    /// The first token that starts after `offset`.
    pub(in crate::engine) fn after(&self, offset: usize) -> Option<&Token> {
        self.tokens.get(self.tokens.partition_point(|token| token.range.start <= offset))
    }

    /// The last token that starts before `offset`.
    pub(in crate::engine) fn before(&self, offset: usize) -> Option<&Token> {
        self.tokens.get(self.index(offset).checked_sub(1)?)
    }

    /// The tokens that start in a range.
    pub(in crate::engine) fn within(&self, range: &Range<usize>) -> &[Token] {
        self.tokens.get(self.index(range.start)..self.index(range.end)).unwrap_or_default()
    }

    /// How many tokens start before `offset`.
    fn index(&self, offset: usize) -> usize {
        self.tokens.partition_point(|token| token.range.start < offset)
    }
}
