//! The report as a table: a row a document, and the numbers.

use super::words::plain;
use super::{DocumentResult, Effect, Report, ReportedFinding};

/// What the columns are called; those of numbers stand in the middle.
const HEADS: [&str; 6] = ["STATUS", "DENY", "WARN", "AUDIT", "OBJECT", "PLACE"];

/// Writes the table.
pub fn table(report: &Report) -> String {
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(report.by_document().map(|(document, findings)| row(document, findings)));
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..HEADS.len()).filter_map(width).collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            1..=3 => format!("{cell:>width$}"),
            _ => format!("{cell:width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text.push('\n');
    report.summary.lines().iter().for_each(|line| text.push_str(&format!("{}\n", plain(line))));
    text
}

fn row(document: &DocumentResult, findings: &[ReportedFinding]) -> [String; 6] {
    let DocumentResult { file, line, object, status, reason, .. } = document;
    let count =
        |effects: &[Effect]| findings.iter().filter(|one| effects.contains(&one.effect)).count().to_string();
    let row = [
        status.word().to_owned(),
        count(&[Effect::Deny, Effect::Error]),
        count(&[Effect::Warn]),
        count(&[Effect::Audit, Effect::Excused, Effect::Skipped]),
        if object.kind.is_empty() { "-".to_owned() } else { object.path() },
        format!("{file}:{line}{}", reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()),
    ];
    row.map(|cell| plain(&cell))
}
