//! Which template a document comes from that Helm has rendered: it writes `# Source: CHART/templates/FILE` above each.

use super::manifests::File;
use crate::report::Rendered;

/// Standard input; a file on disk has a name of its own.
const STREAM: &str = "-";

const COMMENT: &str = "# Source: ";

/// Where a document is.
pub(super) struct Place<'a> {
    pub(super) file: &'a File,
    template: Option<String>,
    pub(super) rendered: Option<Rendered>,
}

impl<'a> Place<'a> {
    /// In the file itself.
    pub(super) fn of(file: &'a File) -> Self {
        Self { file, template: None, rendered: None }
    }

    /// What the file is called in a report.
    pub(super) fn name(&self) -> &str {
        self.template.as_deref().unwrap_or(&self.file.name)
    }

    /// A line of the file as it is counted in a report.
    pub(super) fn line(&self, line: usize) -> usize {
        self::line(self.rendered.as_ref(), line)
    }
}

/// A line of what was read, counted from where the template's text begins.
pub(super) fn line(rendered: Option<&Rendered>, line: usize) -> usize {
    rendered.map_or(line, |rendered| line.saturating_sub(rendered.before).max(1))
}

/// The comments of a stream, and the lines between documents, in their order.
pub(super) struct Sources {
    marks: Vec<(usize, Option<String>)>,
}

impl Sources {
    /// Of a file's bytes: those of standard input only.
    pub(super) fn of(file: &File, bytes: &[u8]) -> Self {
        if file.name != STREAM {
            return Self { marks: Vec::new() };
        }
        let mark = |(line, bytes): (usize, &[u8])| {
            if bytes.starts_with(b"---") {
                return Some((line, None));
            }
            let text = std::str::from_utf8(bytes).ok()?.strip_prefix(COMMENT)?.trim();
            (!text.is_empty()).then(|| (line, Some(text.to_owned())))
        };
        Self { marks: (1..).zip(bytes.split(|byte| *byte == b'\n')).filter_map(mark).collect() }
    }

    /// The place of the document in that line.
    pub(super) fn place<'a>(&self, file: &'a File, line: usize) -> Place<'a> {
        let before = self.marks.partition_point(|(mark, _)| *mark <= line);
        let last = before.checked_sub(1).and_then(|index| self.marks.get(index));
        match last {
            Some((before, Some(template))) => Place {
                file,
                template: Some(template.clone()),
                rendered: Some(Rendered { stream: file.name.clone(), before: *before }),
            },
            Some((_, None)) | None => Place::of(file),
        }
    }
}
