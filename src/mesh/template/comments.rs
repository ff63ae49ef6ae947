//! Comments of a template, made an action that prints nothing. The parser trims on both sides of a comment whatever its
//! trim markers say; of an action it trims as Go does.

/// The text with `{{- "" }}` for `{{- /* … */}}`, and so on; as many lines as before.
pub(super) fn emptied(text: &str) -> String {
    let mut emptied = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, action)) = rest.split_once("{{") {
        emptied.push_str(before);
        emptied.push_str("{{");
        let (left, inner) = match action.strip_prefix('-') {
            Some(inner) if inner.starts_with([' ', '\t', '\r', '\n']) => ("- ", inner.trim_start()),
            _ => ("", action),
        };
        let comment = inner.strip_prefix("/*").and_then(|inner| inner.split_once("*/"));
        let closed = comment.and_then(|(comment, behind)| {
            let trimmed = behind.trim_start();
            match (behind.strip_prefix("}}"), trimmed.strip_prefix("-}}")) {
                (Some(after), _) => Some((comment, "", after)),
                (None, Some(after)) if trimmed.len() < behind.len() => Some((comment, " -", after)),
                _ => None,
            }
        });
        rest = match closed {
            Some((comment, right, after)) => {
                emptied.push_str(left);
                emptied.push_str("\"\"");
                emptied.extend(comment.chars().filter(|character| *character == '\n'));
                emptied.push_str(right);
                emptied.push_str("}}");
                after
            }
            None => {
                let (action, after) = action.split_at_checked(end(action)).unwrap_or((action, ""));
                emptied.push_str(action);
                after
            }
        };
    }
    emptied.push_str(rest);
    emptied
}

/// Where an action ends, behind its `}}`: not within a text of it.
fn end(action: &str) -> usize {
    let mut quote = None;
    let mut characters = action.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, '"' | '`' | '\'') => quote = Some(character),
            (None, '}') if action.get(at..).is_some_and(|rest| rest.starts_with("}}")) => {
                return at.saturating_add(2);
            }
            (Some('"' | '\''), '\\') => drop(characters.next()),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    action.len()
}

#[cfg(test)]
mod tests {
    use super::emptied;

    #[test]
    fn a_comment_becomes_an_empty_action_with_its_trim_markers() {
        for (text, expected) in [
            ("a {{/* c */}} b", "a {{\"\"}} b"),
            ("a {{- /* c */}} b", "a {{- \"\"}} b"),
            ("a {{/* c */ -}} b", "a {{\"\" -}} b"),
            ("a {{- /* c\nd */ -}} b", "a {{- \"\"\n -}} b"),
            ("{{ \"{{/* */}}\" }}{{ `}}` }}{{/* */}}", "{{ \"{{/* */}}\" }}{{ `}}` }}{{\"\"}}"),
            ("{{ \"\\\"}}\" }}{{/* */}}", "{{ \"\\\"}}\" }}{{\"\"}}"),
            ("{{ /* open", "{{ /* open"),
        ] {
            assert_eq!(emptied(text), expected, "{text}");
        }
    }
}
