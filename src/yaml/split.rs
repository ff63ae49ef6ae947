//! Splits a stream into documents by lines that begin with `---`, as k8s.io/apimachinery's YAMLReader does: without
//! regard to what the lines mean, so that a document with a fault leaves the others readable.

use std::borrow::Cow;

use super::{Fault, Position};

/// The bytes of one document.
pub(super) struct Chunk<'a> {
    bytes: &'a [u8],
    /// The line of the input in which it begins, from 1.
    pub(super) line: usize,
}

impl<'a> Chunk<'a> {
    /// The text as the scanner of kubectl gets it: all lines end with a line feed alone, also the last; without the byte
    /// order mark that it may begin with.
    pub(super) fn text(&self) -> Result<Cow<'a, str>, Fault> {
        let text = std::str::from_utf8(self.bytes).map_err(|error| {
            let before = self.bytes.get(..error.valid_up_to()).unwrap_or_default();
            let column = String::from_utf8_lossy(last_line(before)).chars().count().saturating_add(1);
            let position = Position { line: self.line.saturating_add(line_feeds(before)), column };
            Fault { position, message: "not UTF-8; save the file as UTF-8".to_owned() }
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Ok(match (text.contains("\r\n"), text.ends_with('\n')) {
            (false, true) => Cow::Borrowed(text),
            (false, false) => Cow::Owned(format!("{text}\n")),
            (true, true) => Cow::Owned(text.replace("\r\n", "\n")),
            (true, false) => Cow::Owned(format!("{}\n", text.replace("\r\n", "\n"))),
        })
    }
}

/// The documents of `bytes` from the offset `from` on.
pub(super) fn split(bytes: &[u8], from: usize) -> Vec<Result<Chunk<'_>, Fault>> {
    let mut chunks = Vec::new();
    let mut line = line_feeds(bytes.get(..from).unwrap_or_default()).saturating_add(1);
    let (mut start, mut start_line, mut position) = (from, line, from);
    for content in bytes.get(from..).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
        let end = position.saturating_add(content.len());
        let next_line = line.saturating_add(1);
        if let Some(rest) = content.strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            let is_fault = !rest.is_empty() && !rest.starts_with('#');
            // A separator with nothing before it belongs to the document, which then may be empty.
            if start < position || is_fault {
                let bytes = bytes.get(start..position).unwrap_or_default();
                chunks.push(Ok(Chunk { bytes, line: start_line }));
                (start, start_line) = (end, next_line);
            }
            if is_fault {
                let message =
                    format!("`---{rest}`: kubectl reads nothing behind `---`; write it on the next line");
                chunks.push(Err(Fault { position: Position { line, column: 1 }, message }));
            }
        }
        (position, line) = (end, next_line);
    }
    chunks.push(Ok(Chunk { bytes: bytes.get(start..).unwrap_or_default(), line: start_line }));
    chunks
}

/// The offset of the next line from `from` on, a line's beginning or not, that begins a document, or the end.
pub(super) fn next_separator(bytes: &[u8], from: usize) -> usize {
    let from = from.saturating_sub(1);
    let rest = bytes.get(from..).unwrap_or_default();
    let found = rest.windows(4).position(|window| window == b"\n---");
    found.map_or(bytes.len(), |found| from.saturating_add(found).saturating_add(1))
}

fn line_feeds(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn last_line(bytes: &[u8]) -> &[u8] {
    bytes.rsplit(|byte| *byte == b'\n').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &str) -> Vec<Result<(String, usize), String>> {
        let text = |chunk: Chunk<'_>| (chunk.text().unwrap().into_owned(), chunk.line);
        split(input.as_bytes(), 0)
            .into_iter()
            .map(|chunk| chunk.map(text).map_err(|fault| fault.message))
            .collect()
    }

    #[test]
    fn lines_end_with_line_feeds_also_the_last() {
        assert_eq!(texts("a\r\nb"), [Ok(("a\nb\n".to_owned(), 1))]);
    }

    #[test]
    fn a_separator_with_nothing_before_it_stays() {
        assert_eq!(texts("---\na\n--- #c\nb\n"), [Ok(("---\na\n".to_owned(), 1)), Ok(("b\n".to_owned(), 4))]);
    }

    #[test]
    fn content_behind_a_separator_is_a_fault_of_its_own() {
        let chunks = texts("a\n--- b\nc\n");
        assert_eq!(chunks.len(), 3);
        assert_eq!((&chunks[0], &chunks[2]), (&Ok(("a\n".to_owned(), 1)), &Ok(("c\n".to_owned(), 3))));
        assert!(chunks[1].as_ref().unwrap_err().contains("next line"));
    }

    #[test]
    fn bytes_that_are_not_utf8_have_a_place() {
        let fault = split(b"a\n\xc3\xa4\xff", 0).remove(0).unwrap().text().unwrap_err();
        assert_eq!(fault.position, Position { line: 2, column: 2 });
    }
}
