//! The report as annotations of a GitHub Actions run: a workflow command a finding, and the numbers as plain lines.

use super::words::plain;
use super::{DocumentStatus, Effect, Report, ReportedFinding};

/// Writes the annotations.
pub fn github(report: &Report) -> String {
    let mut text = String::new();
    for finding in report.findings.iter().filter(|finding| finding.effect != Effect::Excused) {
        text.push_str(&annotation(finding));
    }
    for document in &report.documents {
        if let Some(reason) = &document.reason {
            let command = if document.status == DocumentStatus::Skipped { "notice" } else { "error" };
            let place = [("file", document.file.clone()), ("line", document.line.to_string())];
            let title = ("title", format!("meshgate: {}", document.status.word()));
            text.push_str(&workflow_command(command, &[&place[..], &[title]].concat(), reason));
        }
    }
    for line in report.summary.lines() {
        // Names are a manifest's; a runner takes this for a command wherever in a line it stands.
        text.push_str(&plain(&line).replace("##[", "## ["));
        text.push('\n');
    }
    text
}

fn annotation(finding: &ReportedFinding) -> String {
    let command = match finding.effect {
        Effect::Deny | Effect::Error => "error",
        Effect::Warn => "warning",
        Effect::Audit | Effect::Excused | Effect::Skipped => "notice",
    };
    let properties = [
        ("file", finding.file.clone()),
        ("line", finding.line.to_string()),
        ("col", finding.column.to_string()),
        ("title", format!("{}: {}", finding.policy, finding.does())),
    ];
    let said = finding.compared().into_iter().chain(finding.remedy.clone());
    let said: String = said.map(|text| format!("\n{text}")).collect();
    let message = format!("{}: {}{said}", finding.object.path(), finding.message);
    workflow_command(command, &properties, &message)
}

/// `::name key=value,…::message` (actions/toolkit, packages/core/src/command.ts, which also names what is escaped).
fn workflow_command(name: &str, properties: &[(&str, String)], message: &str) -> String {
    let properties: Vec<String> =
        properties.iter().map(|(key, value)| format!("{key}={}", property(value))).collect();
    format!("::{name} {}::{}\n", properties.join(","), data(message))
}

fn data(text: &str) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    plain(&text).replace("##[", "## [")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_ends_a_command_or_begins_one() {
        let hostile = "a,b: 100%\r\n::error::x\u{1b}[31m ##[warning]y";
        let written = workflow_command("error", &[("title", hostile.to_owned())], hostile);
        let expected = "::error title=a%2Cb%3A 100%25%0D%0A%3A%3Aerror%3A%3Ax [31m ## [warning]y\
                        ::a,b: 100%25%0D%0A::error::x [31m ## [warning]y\n";
        assert_eq!(written, expected);
    }
}
