//! Where the scanner, a port of libyaml 0.2.5, and kubectl's, go-yaml v2, a port of an older libyaml, read the same text
//! differently. Some of it is made equal by marks: a character that no text has is put between two others before the
//! text is scanned, and taken out of the scalars again. The rest is refused: a manifest that kubectl can't apply is not
//! judged as if it could.

use std::borrow::Cow;

use libyaml_safer::{Event, EventData, Mark, ScalarStyle};

/// Code points that Unicode keeps out of texts (noncharacters). The first that a text does not have is its mark.
const MARKS: std::ops::RangeInclusive<char> = '\u{fdd0}'..='\u{fdef}';

/// How a tag of YAML's own begins when it is written in full, up to its comma.
const STANDARD: &str = "!<tag:yaml.org";

const ESCAPED_SLASH: &str = "`\\/` is an escape of JSON that kubectl doesn't read in YAML; write `/`";

/// Why a scalar is refused.
pub(super) enum Refusal {
    /// go-yaml does not read it.
    Wrong(&'static str),
    /// go-yaml reads it in another way.
    ReadOtherwise(&'static str),
}

/// A document's text with marks in it.
pub(super) struct Marked<'a> {
    pub(super) text: Cow<'a, str>,
    mark: char,
    /// Line and offset in the text of each mark, both from 0.
    marks: Vec<(u64, u64)>,
}

impl<'a> Marked<'a> {
    /// Sets marks
    /// - within `:,`, `:]` and `:}`, which the scanner refuses in a plain scalar within `[…]` and `{…}`, while go-yaml
    ///   reads the colon as a part of it;
    /// - before the apostrophe or comma that ends a tag, over which the scanner panics (libyaml-safer 0.3.0, scan_tag);
    /// - before a byte order mark at the beginning of a line, which the scanner skips.
    ///
    /// None: the text needs marks and has all characters that could be one.
    pub(super) fn new(text: Cow<'a, str>) -> Option<Self> {
        let needs_marks = [":,", ":]", ":}", "!", "\u{feff}"].iter().any(|pattern| text.contains(pattern));
        if !needs_marks {
            return Some(Self { text, mark: *MARKS.start(), marks: Vec::new() });
        }
        let mark = unused(&text)?;
        let mut marked = String::with_capacity(text.len());
        let (mut marks, mut line, mut previous, mut in_tag) = (Vec::new(), 0_u64, ' ', false);
        for character in text.chars() {
            let is_mark = match character {
                ',' => previous == ':' || in_tag && !marked.ends_with(STANDARD),
                ']' | '}' => previous == ':',
                '\'' => in_tag,
                '\u{feff}' => matches!(previous, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}'),
                _ => false,
            };
            if is_mark {
                marks.push((line, u64::try_from(marked.len()).unwrap_or(u64::MAX)));
                marked.push(mark);
            }
            // A comma that goes on a tag can only be that of YAML's own prefix.
            in_tag = character == '!'
                || in_tag
                    && (character == ',' && !is_mark
                        || character.is_alphanumeric()
                        || "-_;/?:@&=+$.%~*()<>[]".contains(character));
            line = line.saturating_add(u64::from(character == '\n'));
            marked.push(character);
            previous = character;
        }
        Some(Self { text: Cow::Owned(marked), mark, marks })
    }

    /// A scalar without its marks.
    pub(super) fn unmarked(&self, value: String) -> String {
        if self.marks.is_empty() { value } else { value.replace(self.mark, "") }
    }

    /// How many marks are before a place in its line.
    pub(super) fn marks_before(&self, place: Mark) -> usize {
        let before_line = self.marks.partition_point(|(line, _)| *line < place.line);
        let before = self.marks.partition_point(|mark| *mark < (place.line, place.index));
        before.saturating_sub(before_line)
    }

    /// The text from a place on.
    pub(super) fn from(&self, place: Mark) -> &str {
        self.text.get(usize::try_from(place.index).unwrap_or(usize::MAX)..).unwrap_or_default()
    }

    /// What is wrong with a scalar, if go-yaml would not read it, or not so. `in_flow`: within `[…]` or `{…}`.
    pub(super) fn refusal(&self, event: &Event, in_flow: bool) -> Option<Refusal> {
        let EventData::Scalar { value, style, .. } = &event.data else { return None };
        let index = |index| usize::try_from(index).unwrap_or(usize::MAX);
        let raw =
            || self.text.get(index(event.start_mark.index)..index(event.end_mark.index)).unwrap_or_default();
        match style {
            ScalarStyle::DoubleQuoted if escapes_slash(raw()) => Some(Refusal::Wrong(ESCAPED_SLASH)),
            ScalarStyle::Plain if in_flow && value.contains('?') => Some(Refusal::ReadOtherwise(
                "a `?` within `[…]` or `{…}`, which kubectl reads as the beginning of a key; quote the text",
            )),
            _ => None,
        }
    }

    /// What is wrong with a line behind the document, if go-yaml would not scan it.
    pub(super) fn refusal_behind(line: &str) -> Option<&'static str> {
        (line.starts_with(['"', '[', '{']) && escapes_slash(line)).then_some(ESCAPED_SLASH)
    }
}

/// A mark that a text has neither as it is nor, in double quotes, by its number.
fn unused(text: &str) -> Option<char> {
    let lower = text.to_ascii_lowercase();
    MARKS.clone().find(|mark| !text.contains(*mark) && !lower.contains(&format!("{:x}", u32::from(*mark))))
}

fn escapes_slash(raw: &str) -> bool {
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && characters.next() == Some('/') {
            return true;
        }
    }
    false
}
