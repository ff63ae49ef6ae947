//! Patterns of issuers and subjects. They always mean the whole text (R19).

use regex::bytes::{Regex, RegexBuilder};

/// How long a pattern may be, and what may be made of it, in bytes.
const LONGEST: usize = 1024;
const COMPILED: usize = 1 << 20;

/// A pattern of a whole text, in the syntax of RE2, with classes of ASCII as in Go.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("longer than {LONGEST} bytes; part it"));
        }
        let compiled = |text: &str| {
            let built = RegexBuilder::new(text).unicode(false).size_limit(COMPILED).build();
            built.map_err(|why| {
                let why = why.to_string();
                why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
            })
        };
        // Alone first: `a)|(?:b` compiles only where it escapes from the anchors around it.
        compiled(text)?;
        compiled(&format!(r"\A(?:{text})\z")).map(Self)
    }

    /// Whether all of a text fits.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_the_whole_text() {
        let rows = [
            ("https://github.com/acme/.*", "https://github.com/acme/app", true),
            ("https://github.com/acme/.*", "https://evil.io/https://github.com/acme/app", false),
            ("acme", "acme/evil", false),
            ("acme|ours", "acme-evil", false),
            ("acme|ours", "evil-ours", false),
            ("a.*", "a\nb", false),
            ("a", "a\n", false),
            ("(?m)^a$", "a\nb", false),
            ("\\w+", "\u{e9}t\u{e9}", false),
            ("\u{e9}t\u{e9}", "\u{e9}t\u{e9}", true),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_escapes_or_is_too_large_is_no_pattern() {
        for pattern in ["a)|(?:b", "(", "a{1000}{1000}", &"a".repeat(1025)] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
