//! A line that begins with `(` is a statement of its own in OPA; the parser takes it for the arguments of what stands
//! before. A semicolon parts the two.

use super::next;

/// Words after which something has to follow.
const OPEN: &[&str] =
    &["as", "contains", "default", "else", "every", "if", "import", "in", "not", "package", "some", "with"];

/// The text with such lines parted.
pub(super) fn translated(text: &str) -> String {
    let mut new = String::with_capacity(text.len());
    let mut brackets = Vec::new();
    // Whether what was last could be the end of a statement, where that is in the new text, and a line has ended since.
    let (mut ends, mut end, mut new_line) = (false, 0, false);
    let mut at = 0;
    while let Some(after) = next(text, at) {
        let piece = text.get(at..after).unwrap_or_default();
        at = after;
        if piece.trim().is_empty() || piece.starts_with('#') {
            new_line |= piece.contains('\n');
            new.push_str(piece);
            continue;
        }
        if piece == "(" && new_line && ends && brackets.last().is_some_and(|open| *open != "(") {
            new.insert(end, ';');
        }
        match piece {
            "(" | "[" | "{" => brackets.push(piece),
            ")" | "]" | "}" => drop(brackets.pop()),
            _ => {}
        }
        new.push_str(piece);
        let value = piece.starts_with(|c: char| c.is_ascii_alphanumeric() || "_\"`)]}".contains(c));
        (ends, end, new_line) = (value && !OPEN.contains(&piece), new.len(), false);
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_begins_with_a_bracket_is_a_statement() {
        for (text, expected) in [
            ("p if {\n\tx # y\n\t(z)\n}", "p if {\n\tx; # y\n\t(z)\n}"),
            ("[x | f(1)\n(z)]", "[x | f(1);\n(z)]"),
            ("p if {\n\tnot\n\t(z)\n}", "p if {\n\tnot\n\t(z)\n}"),
            ("f(a,\n(b))", "f(a,\n(b))"),
            ("p if {\n\tx ==\n\t(z)\n}", "p if {\n\tx ==\n\t(z)\n}"),
            ("p := f\n(x)", "p := f\n(x)"),
        ] {
            assert_eq!(translated(text), expected);
        }
    }
}
