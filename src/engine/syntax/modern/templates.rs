//! `$"a {x} b"` is the text with each expression as `print` shows it, or `<undefined>`.

use super::{end_of_comment, end_of_string};
use crate::engine::builtins::SHOWN;

/// Templates within templates; each is read twice for each that it is in.
const DEPTH: u8 = 8;

/// The text without template strings; None where one is not closed, or too deep.
pub(super) fn translated(text: &str) -> Option<String> {
    let name = (0..).map(|n: u32| format!("__t{n}")).find(|name| !text.contains(name.as_str()))?;
    expression(text, &name, DEPTH)
}

fn expression(text: &str, name: &str, depth: u8) -> Option<String> {
    let mut new = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text.get(at..)?.chars().next() {
        let end = match c {
            '"' | '`' => end_of_string(text, at)?,
            '#' => end_of_comment(text, at),
            '$' if text.get(at..)?.starts_with("$\"") || text.get(at..)?.starts_with("$`") => {
                let (template, end) = template(text, at.checked_add(1)?, name, depth)?;
                new.push_str(&template);
                at = end;
                continue;
            }
            _ => at.checked_add(c.len_utf8())?,
        };
        new.push_str(text.get(at..end)?);
        at = end;
    }
    Some(new)
}

/// The template whose quote is at `start`, and where it ends.
fn template(text: &str, start: usize, name: &str, depth: u8) -> Option<(String, usize)> {
    let depth = depth.checked_sub(1)?;
    let quote = text.get(start..)?.chars().next()?;
    let mut new = "concat(\"\", [".to_owned();
    let mut piece = String::new();
    let mut at = start.checked_add(1)?;
    loop {
        let rest = text.get(at..)?;
        let c = rest.chars().next()?;
        match c {
            '\\' if rest.starts_with("\\{") => {
                piece.push('{');
                at = at.checked_add(2)?;
            }
            '\\' if quote == '"' => {
                let escaped = rest.chars().nth(1)?;
                piece.extend([c, escaped]);
                at = at.checked_add(1)?.checked_add(escaped.len_utf8())?;
            }
            '{' => {
                let end = end_of_braces(text, at, depth)?;
                let inner = text.get(at.checked_add(1)?..end.checked_sub(1)?)?;
                literal(&mut new, &piece, quote);
                piece.clear();
                let inner = expression(inner, name, depth)?;
                let shown = format!("{{0: sprintf(\"{SHOWN}\", [{name}]) | {name} := {inner}}}");
                new.push_str(&format!("object.get({shown}, 0, \"<undefined>\"), "));
                at = end;
            }
            c if c == quote => {
                literal(&mut new, &piece, quote);
                new.push_str("])");
                return Some((new, at.checked_add(1)?));
            }
            _ => {
                piece.push(c);
                at = at.checked_add(c.len_utf8())?;
            }
        }
    }
}

/// Text between expressions, as a string; its line breaks stay outside of it.
fn literal(new: &mut String, piece: &str, quote: char) {
    if quote == '"' {
        new.push_str(&format!("\"{piece}\", "));
    } else {
        new.push_str(&format!("{}, ", serde_json::Value::from(piece)));
        new.extend(piece.chars().filter(|c| *c == '\n'));
    }
}

/// Where the brace that opens at `start` is closed.
fn end_of_braces(text: &str, start: usize, depth: u8) -> Option<usize> {
    let mut open = 0_usize;
    let mut at = start;
    loop {
        let c = text.get(at..)?.chars().next()?;
        at = match c {
            '"' | '`' if text.get(..at)?.ends_with('$') => template(text, at, "", depth)?.1,
            '"' | '`' => end_of_string(text, at)?,
            '#' => end_of_comment(text, at),
            _ => at.checked_add(c.len_utf8())?,
        };
        match c {
            '{' => open = open.checked_add(1)?,
            '}' => open = open.checked_sub(1)?,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_texts_put_together() {
        let shown = |x: &str| {
            format!("object.get({{0: sprintf(\"{SHOWN}\", [__t0]) | __t0 := {x}}}, 0, \"<undefined>\")")
        };
        for (text, expected) in [
            ("p := $\"\"", "p := concat(\"\", [\"\", ])".to_owned()),
            ("$\"a {x}\\n\\{\"", format!("concat(\"\", [\"a \", {}, \"\\n{{\", ])", shown("x"))),
            ("$`a\n{ {\"}\"} }`", format!("concat(\"\", [\"a\\n\", \n{}, \"\", ])", shown(" {\"}\"} "))),
            ("\"$\" # $\"", "\"$\" # $\"".to_owned()),
        ] {
            assert_eq!(translated(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_closed_is_left_to_the_parser() {
        for text in ["$\"", "$\"{", "$\"{\"", "$`{`", "$\"\\"] {
            assert_eq!(translated(text), None, "{text}");
        }
    }
}
