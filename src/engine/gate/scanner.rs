//! Cuts any text into what Rego's tokens would be, without ever failing: for what must be known before parsing.

/// Something that is no space and no comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) start: usize,
    pub(super) end: usize,
    /// A line break stands before it.
    pub(super) new_line: bool,
    /// Anything stands between it and what is before it.
    pub(super) space: bool,
}

/// Goes through a text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.text.len());
    }

    /// Past spaces and comments; whether there was a line break.
    fn skip_space(&mut self) -> bool {
        let mut new_line = false;
        loop {
            let rest = self.rest();
            let spaces = rest.len().saturating_sub(rest.trim_start().len());
            new_line |= rest.get(..spaces).is_some_and(|spaces| spaces.contains('\n'));
            self.skip(spaces);
            if !self.rest().starts_with('#') {
                return new_line;
            }
            let line = self.rest().find('\n').unwrap_or(self.rest().len());
            self.skip(line);
        }
    }

    /// How long the token at the start of the rest is.
    fn length(&self) -> usize {
        let rest = self.rest();
        let mut characters = rest.chars();
        let first = characters.next().unwrap_or_default();
        let second = characters.next();
        match first {
            '"' => quoted(rest),
            '`' => rest
                .bytes()
                .skip(1)
                .position(|byte| byte == b'`')
                .map_or(rest.len(), |at| at.saturating_add(2)),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' | '=' | '!' | '<' | '>' if second == Some('=') => 2,
            _ => first.len_utf8(),
        }
    }
}

impl Iterator for Scanner<'_> {
    type Item = Scanned;

    fn next(&mut self) -> Option<Scanned> {
        let before = self.at;
        let new_line = self.skip_space();
        let start = self.at;
        if self.rest().is_empty() {
            return None;
        }
        self.skip(self.length());
        Some(Scanned { start, end: self.at, new_line, space: start > before })
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length of a string in quotes; to the end of the text if it is not closed.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_and_comments_are_not() {
        let text = "a.b[\"\\\"]\"] := `x\"` # [\n  != ü 1";
        let tokens: Vec<&str> =
            Scanner::new(text).map(|scanned| text.get(scanned.start..scanned.end).unwrap()).collect();
        assert_eq!(tokens, ["a", ".", "b", "[", "\"\\\"]\"", "]", ":=", "`x\"`", "!=", "ü", "1"]);
        let new_lines: Vec<bool> = Scanner::new(text).map(|scanned| scanned.new_line).collect();
        assert_eq!(new_lines.iter().filter(|new_line| **new_line).count(), 1);
    }

    #[test]
    fn nothing_is_too_broken() {
        for text in ["\"", "`", "\"\\", "#", "", "\u{feff}", "\\", "\r"] {
            assert!(Scanner::new(text).count() <= 2, "{text:?}");
        }
    }
}
