//! Where things are: byte ranges of expressions, lines and columns of bytes.

use std::ops::Range;

use super::{Expr, Parsed, Span};

impl Parsed {
    /// The bytes of an expression, without parentheses around it.
    ///
    /// The parser's span of an object with several members starts at its last member, that of `set()` ends
    /// after the token that follows it, and those of strings leave out the quotes.
    pub(in crate::engine) fn range(&self, expr: &Expr) -> Range<usize> {
        let span = bytes(expr.span());
        match expr {
            Expr::Object { .. } => {
                let start = span.end.checked_sub(1).and_then(|brace| self.tokens.partner(brace));
                start.unwrap_or(span.start)..span.end
            }
            Expr::Set { items, .. } if items.is_empty() => {
                span.start..self.tokens.after(span.start).map_or(span.end, |closing| closing.range.end)
            }
            Expr::String { .. } | Expr::RawString { .. } => {
                span.start.saturating_sub(1)..span.end.saturating_add(1)
            }
            _ => self.started(expr, span),
        }
    }

    /// What is made of an expression starts where that expression starts: so does `{…}.a`, whose span the parser
    /// starts at the token itself, but `"a"[0]` starts within the quotes no more than any other.
    fn started(&self, expr: &Expr, span: Range<usize>) -> Range<usize> {
        let first = match expr {
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => refr,
            Expr::Call { fcn, .. } => fcn,
            _ => return self.quoted(span),
        };
        self.range(first).start.min(span.start)..span.end
    }

    /// A span that starts with a string: the parser starts it after the quote.
    fn quoted(&self, span: Range<usize>) -> Range<usize> {
        match self.tokens.starting_at(span.start.saturating_sub(1)) {
            Some(token) if token.is_text() && self.tokens.starting_at(span.start).is_none() => {
                token.range.start..span.end
            }
            _ => span,
        }
    }
}

/// A span's bytes.
pub(in crate::engine) fn bytes(span: &Span) -> Range<usize> {
    let whole = |offset: u32| usize::try_from(offset).unwrap_or_default();
    whole(span.start)..whole(span.end)
}

/// The 1-based line and column (in characters) of a byte.
pub(in crate::engine) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let last = before.rsplit('\n').next().unwrap_or(before);
    (line, last.chars().count().saturating_add(1))
}
