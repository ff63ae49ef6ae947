//! Changes of a text, by byte ranges of the text as it was.

use std::ops::Range;

/// Replacements and insertions. Those at one place are made in the order in which they were asked for.
#[derive(Debug, Default)]
pub(in crate::engine) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Replaces a range.
    pub(in crate::engine) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.0.push((range, text.into()));
    }

    /// Inserts before a byte.
    pub(in crate::engine) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Whether there is nothing to change.
    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with all changes. A change that lies within another one is lost with what that one replaces.
    pub(in crate::engine) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut changed = String::with_capacity(text.len());
        let mut done = 0;
        for (range, new) in self.0 {
            if range.start < done {
                continue;
            }
            changed.push_str(text.get(done..range.start).unwrap_or_default());
            changed.push_str(&new);
            done = range.end;
        }
        changed.push_str(text.get(done..).unwrap_or_default());
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_made_in_order_of_place() {
        let mut edits = Edits::default();
        edits.replace(4..5, "X");
        edits.insert(0, "<");
        edits.insert(4, "(");
        edits.replace(1..3, "");
        assert_eq!(edits.apply("abcdef"), "<ad(Xf");
    }
}
