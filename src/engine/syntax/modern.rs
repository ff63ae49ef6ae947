//! Syntax that the interpreter's parser does not know, or reads in another way, written as what it stands for: template
//! strings (OPA 1.12), keywords as the first name of a reference (OPA 1.6), lines that begin with `(`. Lines stay
//! where they are.

mod keywords;
mod layout;
mod templates;

pub(in crate::engine) use keywords::keyword;

use crate::policy::Module;

/// The module in the syntax that the parser knows.
pub(in crate::engine) fn translated(module: Module) -> Module {
    let Module { path, text } = module;
    let text = if text.contains('$') { templates::translated(&text).unwrap_or(text) } else { text };
    Module { path, text: layout::translated(&keywords::translated(text)) }
}

/// Where the string that starts at `start` ends, if it is closed: `"…"` or a raw one.
fn end_of_string(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let quote = rest.chars().next()?;
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return start.checked_add(at)?.checked_add(1),
            _ => {}
        }
    }
    None
}

/// Where the comment that starts at `start` ends.
fn end_of_comment(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start.saturating_add(rest.find('\n').unwrap_or(rest.len()))
}

/// Where the word, string, comment or other character that starts at `at` ends.
fn next(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let c = rest.chars().next()?;
    Some(match c {
        '"' | '`' => end_of_string(text, at).unwrap_or(text.len()),
        '#' => end_of_comment(text, at),
        c if is_word(c) => at.saturating_add(rest.find(|c| !is_word(c)).unwrap_or(rest.len())),
        ' ' | '\t' => at.saturating_add(rest.find(|c| c != ' ' && c != '\t').unwrap_or(rest.len())),
        c => at.saturating_add(c.len_utf8()),
    })
}
