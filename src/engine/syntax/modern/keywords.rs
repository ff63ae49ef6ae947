//! `if.x` and `import data.a.if`: a keyword as a name goes by another one, which the normaliser turns back.

use super::next;

const KEYWORDS: &[&str] = &[
    "as", "contains", "default", "else", "every", "false", "if", "import", "in", "not", "null", "package",
    "some", "true", "with",
];

const PREFIX: &str = "keyword__";

/// The keyword that a name stands for.
pub(in crate::engine) fn keyword(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX).filter(|name| KEYWORDS.contains(name))
}

/// The text in which no keyword is the first name of a reference.
pub(super) fn translated(text: String) -> String {
    if text.contains(PREFIX) {
        return text;
    }
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(end) = next(&text, at) {
        let (piece, after) = (text.get(at..end).unwrap_or_default(), text.get(end..).unwrap_or_default());
        let before = text.get(..at).unwrap_or_default();
        if KEYWORDS.contains(&piece) && !before.ends_with('.') && has_step(after) {
            new.push_str(PREFIX);
        }
        new.push_str(piece);
        at = end;
        if piece == "import"
            && before.trim_end_matches([' ', '\t']).ends_with(['\n', '\r'])
            && let Some((length, name)) = imported(after)
        {
            new.push_str(after.get(..length).unwrap_or_default());
            new.push_str(&format!(" as {PREFIX}{name}"));
            at = at.saturating_add(length);
        }
    }
    new
}

/// Whether a dot and a name follow.
fn has_step(after: &str) -> bool {
    let name = after.strip_prefix('.').and_then(|name| name.chars().next());
    name.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
}

/// The length of the path of an import, and the keyword that it ends with, where it has no other name.
fn imported(after: &str) -> Option<(usize, &str)> {
    let path = after.trim_start_matches([' ', '\t']);
    let spaces = after.len().saturating_sub(path.len());
    let length = path.find(|c: char| c.is_whitespace() || c == '#').unwrap_or(path.len());
    let (path, rest) = path.split_at_checked(length)?;
    let name = path.rsplit_once('.').map(|(_, name)| name)?;
    let named = rest.split_whitespace().next() == Some("as");
    (KEYWORDS.contains(&name) && !named && !path.starts_with("future."))
        .then(|| (spaces.saturating_add(length), name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_names_where_a_dot_follows() {
        for (text, expected) in [
            ("if.x == a.if.y # in.x", "keyword__if.x == a.if.y # in.x"),
            ("\"as.x\" in.y", "\"as.x\" keyword__in.y"),
            ("not x with input as y", "not x with input as y"),
            ("\nimport data.a.if\nif.x", "\nimport data.a.if as keyword__if\nkeyword__if.x"),
            ("\nimport data.a.as as b\n", "\nimport data.a.as as b\n"),
            ("\nimport future.keywords.in\n", "\nimport future.keywords.in\n"),
            ("\nimport data.a.as", "\nimport data.a.as as keyword__as"),
            ("import rego.v1\n\nx := 1.5", "import rego.v1\n\nx := 1.5"),
        ] {
            assert_eq!(translated(text.to_owned()), expected);
        }
    }
}
