//! Syntax that is newer than the interpreter's parser, written as what it stands for: template strings (OPA 1.12) and
//! keywords as the first name of a reference (OPA 1.6). Lines stay where they are.

mod keywords;
mod templates;

pub(in crate::engine) use keywords::keyword;

use crate::policy::Module;

/// The module in the syntax that the parser knows.
pub(in crate::engine) fn translated(module: Module) -> Module {
    let Module { path, text } = module;
    let text = if text.contains('$') { templates::translated(&text).unwrap_or(text) } else { text };
    Module { path, text: keywords::translated(text) }
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
