//! Colours of a terminal, where they are wanted, and its width.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar;

/// Lines of an excerpt that go nowhere are cut here.
const UNBOUNDED: usize = 120;

/// How text is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paint {
    /// Whether in colour.
    pub coloured: bool,
    /// The columns of the terminal; None where it is none: nothing is wrapped then.
    pub width: Option<usize>,
}

impl Paint {
    /// What refuses.
    pub fn red(self, text: impl Display) -> String {
        self.with(AnsiColor::Red.on_default().bold(), text)
    }

    /// What warns.
    pub fn yellow(self, text: impl Display) -> String {
        self.with(AnsiColor::Yellow.on_default().bold(), text)
    }

    /// What is good.
    pub fn green(self, text: impl Display) -> String {
        self.with(AnsiColor::Green.on_default().bold(), text)
    }

    /// What is recorded.
    pub fn cyan(self, text: impl Display) -> String {
        self.with(AnsiColor::Cyan.on_default().bold(), text)
    }

    /// What frames an excerpt.
    pub fn blue(self, text: impl Display) -> String {
        self.with(AnsiColor::Blue.on_default().bold(), text)
    }

    /// What is to be read first.
    pub fn bold(self, text: impl Display) -> String {
        self.with(Style::new().bold(), text)
    }

    fn with(self, style: Style, text: impl Display) -> String {
        if self.coloured { format!("{style}{text}{style:#}") } else { text.to_string() }
    }

    /// The columns that an excerpt may take.
    pub(super) fn columns(self) -> usize {
        self.width.unwrap_or(UNBOUNDED)
    }

    /// The text in lines that, behind `taken` columns in the first and `indent` in all others, fit the terminal. A word
    /// that is longer than a line stays whole.
    pub fn wrapped(self, text: &str, taken: usize, indent: usize) -> Vec<String> {
        let Some(columns) = self.width else { return vec![text.to_owned()] };
        let mut lines = vec![String::new()];
        let mut used = taken;
        for word in text.split(' ') {
            let length = width(word);
            let Some(line) = lines.last_mut() else { break };
            let space = usize::from(!line.is_empty());
            if line.is_empty() || used.saturating_add(space).saturating_add(length) <= columns {
                line.push_str(if space > 0 { " " } else { "" });
                line.push_str(word);
                used = used.saturating_add(space).saturating_add(length);
            } else {
                lines.push(word.to_owned());
                used = indent.saturating_add(length);
            }
        }
        lines
    }
}

/// The columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or_default()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_wrapped_and_never_cut() {
        let paint = Paint { coloured: false, width: Some(10) };
        assert_eq!(paint.wrapped("a bc def ghijklmnopqrs t", 4, 2), ["a bc", "def", "ghijklmnopqrs", "t"]);
        assert_eq!(Paint::default().wrapped("a bc def ghij", 4, 2), ["a bc def ghij"]);
        assert_eq!(paint.wrapped("ああ ああ", 0, 0), ["ああ ああ"]);
        assert_eq!(paint.wrapped("あああ ああ", 0, 0), ["あああ", "ああ"]);
    }

    #[test]
    fn colours_are_there_where_they_are_wanted() {
        assert_eq!(Paint::default().red("x"), "x");
        assert_eq!(Paint { coloured: true, width: None }.red("x"), "\u{1b}[1m\u{1b}[31mx\u{1b}[0m");
    }
}
