//! Patterns with stars, always of the whole text: `*` is any characters but a slash, `**` slashes too.

use regex::Regex;

/// A pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    /// Whether it ends in a star.
    is_open: bool,
}

impl Pattern {
    /// A pattern of names of objects, as in `web-*`. None for what no object can be called.
    pub fn of_name(text: &str) -> Option<Self> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-._:*".contains(c);
        if text.is_empty() || !text.chars().all(is_name) {
            return None;
        }
        Self::new(text)
    }

    /// Any text with stars. None for one that is too long.
    pub(super) fn new(text: &str) -> Option<Self> {
        // Parted at two stars first: what is left has single ones.
        let part = |part: &str| part.split('*').map(regex::escape).collect::<Vec<_>>().join("[^/]*");
        let source = text.split("**").map(part).collect::<Vec<_>>().join("(?s:.*)");
        let regex = Regex::new(&format!(r"\A(?:{source})\z")).ok()?;
        Some(Self { regex, is_open: text.ends_with('*') })
    }

    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Whether every name fits that is made by adding letters and digits to this one (metadata.generateName).
    pub fn matches_all_with(&self, prefix: &str) -> bool {
        self.is_open && self.matches(prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_the_whole_text() {
        let table = [
            ("web", "web", true),
            ("web", "web-1", false),
            ("web", "a-web", false),
            ("web", "web\n", false),
            ("web-*", "web-", true),
            ("web-*", "web-1", true),
            ("web-*", "a-web-1", false),
            ("*", "a/b", false),
            ("**", "a/b\nc", true),
            ("a/*", "a/b", true),
            ("a/*", "a/b/c", false),
            ("a/**", "a/b/c", true),
            ("a***b", "a/x/b", true),
            ("a.b", "axb", false),
            ("a*", "aé", true),
        ];
        for (pattern, text, expected) in table {
            assert_eq!(Pattern::new(pattern).unwrap().matches(text), expected, "{pattern} {text:?}");
        }
    }

    #[test]
    fn names_have_the_characters_of_names() {
        for text in ["web", "web-*", "system:a", "*"] {
            assert!(Pattern::of_name(text).is_some(), "{text}");
        }
        for text in ["", "a/b", "a b", "a?", "a\n", "é"] {
            assert!(Pattern::of_name(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn a_generated_name_fits_where_all_do() {
        let fits = |pattern: &str, prefix: &str| Pattern::of_name(pattern).unwrap().matches_all_with(prefix);
        assert!(fits("web-*", "web-7d9f-") && fits("*", "a-"));
        assert!(!fits("web-", "web-") && !fits("*-a", "x-a") && !fits("web-*", "web"));
    }
}
