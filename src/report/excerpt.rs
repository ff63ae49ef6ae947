//! The line of a manifest that a finding is about, with what it is about underlined.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::paint::{Paint, width};
use super::words::plain;

/// Columns of a tab.
const TAB: &str = "    ";

/// What stands for what is left out of a long line.
const CUT: char = '…';

/// The texts of the files that were read.
#[derive(Debug, Default)]
pub struct Sources<'a> {
    files: BTreeMap<&'a str, Source<'a>>,
}

#[derive(Debug)]
struct Source<'a> {
    bytes: &'a [u8],
    /// Where each line begins: counted once, and only if the file is asked for.
    starts: OnceCell<Vec<usize>>,
}

impl<'a> Sources<'a> {
    /// Of files by their names.
    pub fn new(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Self {
        let source = |(name, bytes)| (name, Source { bytes, starts: OnceCell::new() });
        Self { files: files.map(source).collect() }
    }

    /// A line, from 1, without what ends it.
    fn line(&self, file: &str, line: usize) -> Option<String> {
        let source = self.files.get(file)?;
        let starts = source.starts.get_or_init(|| {
            let ends = source.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            std::iter::once(0).chain(ends.map(|(index, _)| index.saturating_add(1))).collect()
        });
        let rest = source.bytes.get(*starts.get(line.checked_sub(1)?)?..)?;
        let bytes = rest.split(|byte| *byte == b'\n').next()?;
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        Some(text.trim_end_matches('\r').to_owned())
    }

    /// The lines of an excerpt, from the empty margin on; none where there is no such line. It is shown as line `number`.
    pub(super) fn excerpt(
        &self,
        (file, line): (&str, usize),
        (number, column): (usize, usize),
        paint: Paint,
    ) -> Vec<String> {
        let Some(text) = self.line(file, line).filter(|text| !text.trim().is_empty()) else {
            return Vec::new();
        };
        let number = number.to_string();
        let margin = " ".repeat(number.len());
        let bar = paint.blue('|');
        let room = paint.columns().saturating_sub(number.len()).saturating_sub(3);
        let Shown { text, before, under } = shown(&text, column, room);
        let carets = paint.red("^".repeat(under));
        vec![
            format!("{margin} {bar}"),
            format!("{} {bar} {text}", paint.blue(number)).trim_end().to_owned(),
            format!("{margin} {bar} {}{carets}", " ".repeat(before)),
        ]
    }
}

/// A line as it is shown, and the columns before and of what is underlined.
struct Shown {
    text: String,
    before: usize,
    under: usize,
}

/// `column` counts characters from 1. Of a line with more than `room` columns the part around what it is about is shown.
fn shown(line: &str, column: usize, room: usize) -> Shown {
    let part = |part: &str| plain(&part.replace('\t', TAB));
    let skip = column.saturating_sub(1);
    let at = line.char_indices().nth(skip).map_or(line.len(), |(index, _)| index);
    let (before, rest) = line.split_at_checked(at).unwrap_or((line, ""));
    let about: String = rest.chars().take(about(before, rest)).collect();
    let behind = rest.strip_prefix(about.as_str()).unwrap_or_default();
    let (mut before, mut about, mut behind) = (part(before), part(&about), part(behind));
    let fits = |parts: [&str; 3]| parts.iter().map(|one| width(one)).sum::<usize>() <= room;
    if !fits([&before, &about, &behind]) && width(&before) > room.div_euclid(2) {
        before = format!("{CUT}{}", last(&before, room.div_euclid(4)));
    }
    let left = room.saturating_sub(width(&before));
    if width(&about) > left {
        (about, behind) = (format!("{}{CUT}", first(&about, left.saturating_sub(1))), String::new());
    } else if !fits([&before, &about, &behind]) {
        let left = left.saturating_sub(width(&about)).saturating_sub(1);
        behind = format!("{}{CUT}", first(&behind, left));
    }
    Shown { before: width(&before), under: width(&about).max(1), text: format!("{before}{about}{behind}") }
}

fn first(text: &str, columns: usize) -> String {
    let mut used = 0_usize;
    text.chars()
        .take_while(|c| {
            used = used.saturating_add(width(&c.to_string()));
            used <= columns
        })
        .collect()
}

fn last(text: &str, columns: usize) -> String {
    let reversed: String = text.chars().rev().collect();
    first(&reversed, columns).chars().rev().collect()
}

/// How many characters of `rest` a member or an element takes that begins there: in flow style up to the comma or the
/// bracket that ends it, else up to a comment or the end.
fn about(before: &str, rest: &str) -> usize {
    let in_flow = depth(before) > 0;
    let (mut quote, mut open, mut end, mut last) = (None, 0_usize, 0_usize, ' ');
    for (index, c) in rest.chars().enumerate() {
        match (quote, c) {
            (Some(mark), c) if mark == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if !last.is_alphanumeric() => quote = Some(c),
            (None, '{' | '[') => open = open.saturating_add(1),
            (None, '}' | ']') if open == 0 && in_flow => break,
            (None, '}' | ']') => open = open.saturating_sub(1),
            (None, ',') if open == 0 && in_flow => break,
            (None, '#') if last.is_whitespace() => break,
            (None, _) => {}
        }
        last = c;
        if !c.is_whitespace() {
            end = index.saturating_add(1);
        }
    }
    end
}

/// How many brackets are open at the end of a text.
fn depth(text: &str) -> usize {
    text.chars().fold(0_usize, |open, c| match c {
        '{' | '[' => open.saturating_add(1),
        '}' | ']' => open.saturating_sub(1),
        _ => open,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn underlined(line: &str, column: usize, room: usize) -> String {
        let Shown { text, before, under } = shown(line, column, room);
        format!("{text}\n{}{}", " ".repeat(before), "^".repeat(under))
    }

    #[test]
    fn a_member_is_underlined_up_to_its_end() {
        for (line, column, expected) in [
            ("  image: nginx", 3, "  image: nginx\n  ^^^^^^^^^^^^"),
            ("  image: nginx  # why", 3, "  image: nginx  # why\n  ^^^^^^^^^^^^"),
            (
                "- {name: a, image: \"b,c}\", x: 1}",
                13,
                "- {name: a, image: \"b,c}\", x: 1}\n            ^^^^^^^^^^^^^",
            ),
            ("args: [a, b]", 8, "args: [a, b]\n       ^"),
            ("args: {a: [b, c], d: e}", 8, "args: {a: [b, c], d: e}\n       ^^^^^^^^^"),
            ("text: it's a, b", 1, "text: it's a, b\n^^^^^^^^^^^^^^^"),
            ("\tüü: あ", 2, "    üü: あ\n    ^^^^^^"),
            ("", 1, "\n^"),
            ("x", 9, "x\n ^"),
        ] {
            assert_eq!(underlined(line, column, 80), expected, "{line}");
        }
    }

    #[test]
    fn a_long_line_is_cut_around_what_it_is_about() {
        let line = format!("{{{}b: c, {}}}", "a: 1, ".repeat(50), "d: 2, ".repeat(50));
        let shown = underlined(&line, 302, 40);
        assert_eq!(shown, "… 1, a: 1, b: c, d: 2, d: 2, d: 2, d: 2…\n           ^^^^");
        let shown = underlined(&format!("a: {}", "x".repeat(100)), 1, 20);
        assert_eq!(shown, "a: xxxxxxxxxxxxxxxx…\n^^^^^^^^^^^^^^^^^^^^");
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let sources = Sources::new([("a", &b"\xef\xbb\xbfone\r\ntwo\n\xff"[..])].into_iter());
        let line = |line| sources.line("a", line);
        assert_eq!(
            [line(1), line(2), line(3)],
            [Some("one".into()), Some("two".into()), Some("\u{fffd}".into())]
        );
        assert_eq!((line(0), line(4), sources.line("b", 1)), (None, None, None));
    }
}
