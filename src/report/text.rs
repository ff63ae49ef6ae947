//! The report as people read it: a line a finding, a line a document that was not judged, the numbers at the end.

use super::words::plain;
use super::{DocumentStatus, Report, ReportedFinding};

/// Writes the report for a terminal or a log.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        push(&mut text, &line(finding));
        if let Some(compared) = finding.compared() {
            push(&mut text, &format!("    {compared}"));
        }
        if let Some(remedy) = &finding.remedy {
            push(&mut text, &format!("    {remedy}"));
        }
    }
    for document in &report.documents {
        if let Some(reason) = &document.reason {
            let status = match document.status {
                DocumentStatus::Invalid => "invalid",
                DocumentStatus::Error => "error",
                _ => "skipped",
            };
            push(&mut text, &format!("{}:{}: {status}: {reason}", document.file, document.line));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    report.summary.lines().iter().for_each(|line| push(&mut text, line));
    text
}

fn line(finding: &ReportedFinding) -> String {
    let ReportedFinding { file, line, object, policy, message, .. } = finding;
    let container = finding.unnamed_container().map(|name| format!(", container {name}")).unwrap_or_default();
    let (does, excuse) = (finding.does(), finding.excuse());
    format!("{file}:{line}: {does}: {}{container}: [{policy}] {message}{excuse}", object.path())
}

fn push(text: &mut String, line: &str) {
    text.push_str(&plain(line));
    text.push('\n');
}
