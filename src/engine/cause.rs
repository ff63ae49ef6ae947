//! Which rule of a policy says a message, told from the policy's text alone: nothing is evaluated, so that a report of
//! thousands of findings costs no more than one of none.

use std::sync::Arc;

use super::bundle::Bound;
use super::said;
use super::syntax::{Parsed, RegoVersion};

/// A rule of an entry point.
pub(super) struct RuleText {
    line: usize,
    /// Of each text in it that may be a message what stands between the verbs of `sprintf`.
    texts: Vec<Vec<String>>,
}

impl Bound {
    /// The line of the policy's file in which the rule begins that says `message`; None where that can't be told, because
    /// two rules could say it, or none in words of its own.
    pub fn rule_of(&self, message: &str) -> Option<usize> {
        let rules = self.rules.get_or_init(|| Arc::new(self.read_rules()));
        if let [only] = rules.as_slice() {
            return Some(only.line);
        }
        let mut found = rules.iter().filter(|rule| rule.texts.iter().any(|parts| is_made_of(message, parts)));
        let (first, second) = (found.next()?, found.next());
        second.is_none().then_some(first.line)
    }

    fn read_rules(&self) -> Vec<RuleText> {
        let Ok(parsed) = Parsed::parse(self.policy.module.clone(), RegoVersion::V1) else {
            return Vec::new();
        };
        let entry_points: Vec<&str> =
            self.entry_points.judging().into_iter().filter(|name| *name != "annotations").collect();
        let rules = said::rules(&parsed, &entry_points).into_iter();
        rules
            .map(|rule| {
                let within = parsed
                    .tokens
                    .iter()
                    .filter(|token| token.is_text() && rule.range.contains(&token.range.start));
                let texts = within.filter_map(|token| unquoted(parsed.text(token.range.clone())));
                RuleText {
                    line: rule.line,
                    texts: texts.map(|text| parts(&text)).filter(|parts| is_a_sentence(parts)).collect(),
                }
            })
            .collect()
    }
}

/// What a string says.
fn unquoted(token: &str) -> Option<String> {
    match token.strip_prefix('`') {
        Some(raw) => raw.strip_suffix('`').map(str::to_owned),
        None => serde_json::from_str(token).ok(),
    }
}

/// What stands between the verbs of a format; `%%` is a percent sign.
fn parts(format: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        let verb = if c == '%' { chars.by_ref().find(|c| c.is_alphabetic() || *c == '%') } else { None };
        match (c, verb, parts.last_mut()) {
            ('%', Some('%'), Some(part)) => part.push('%'),
            ('%', _, _) => parts.push(String::new()),
            (c, _, Some(part)) => part.push(c),
            (_, _, None) => {}
        }
    }
    parts
}

/// Names, paths and keys are no messages.
fn is_a_sentence(parts: &[String]) -> bool {
    parts.iter().any(|part| part.trim().contains(' '))
        || parts.iter().filter(|part| part.contains(' ')).count() > 1
}

/// Whether the message is those parts, with anything between them.
fn is_made_of(message: &str, parts: &[String]) -> bool {
    let [first, between @ .., last] = parts else { return parts.first().is_some_and(|only| only == message) };
    let Some(mut rest) =
        message.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str()))
    else {
        return false;
    };
    for part in between {
        match rest.split_once(part.as_str()) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_made_of_the_parts_of_its_format() {
        for (format, message, expected) in [
            ("container %q has %v of 100%%", "container \"a\" has 7 of 100%", true),
            ("container %q has %v of 100%%", "container \"a\" has 7 of 100", false),
            ("%s is it", "this is it", true),
            ("it is %-5.2f", "it is 3.14 ", true),
            ("it is", "it is so", false),
            ("is %s is", "is", false),
        ] {
            assert_eq!(is_made_of(message, &parts(format)), expected, "{format}: {message}");
        }
    }

    #[test]
    fn paths_are_no_messages() {
        for (text, expected) in
            [("spec.replicas", false), ("%s.image", false), ("a b", true), ("%s: %s of %s", true)]
        {
            assert_eq!(is_a_sentence(&parts(text)), expected, "{text}");
        }
    }
}
