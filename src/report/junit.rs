//! The report as JUnit XML, as build servers read it: a suite a file, a test case a document.

use super::xml::escaped;
use super::{DocumentResult, DocumentStatus, FailOn, Report, ReportedFinding};

/// What a test case came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Passed,
    Failure,
    Error,
    Skipped,
}

/// A document with its findings.
type Case<'a> = (&'a DocumentResult, &'a [ReportedFinding]);

/// Writes the report; `fail_on` says which findings are failures. The others are the output of their test case.
pub fn junit(report: &Report, fail_on: FailOn) -> String {
    let cases: Vec<Case<'_>> = report.by_document().collect();
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    text.push_str(&format!("<testsuites name=\"meshgate check\" {}>\n", counts(&cases, fail_on, false)));
    for group in cases.chunk_by(|a, b| a.0.file == b.0.file) {
        let Some((first, _)) = group.first() else { continue };
        let (name, counts) = (escaped(&first.file), counts(group, fail_on, true));
        text.push_str(&format!("  <testsuite name=\"{name}\" {counts}>\n"));
        group.iter().for_each(|case| text.push_str(&test_case(case, fail_on)));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// The numbers as attributes. The schema knows `skipped` of suites only.
fn counts(cases: &[Case<'_>], fail_on: FailOn, skipped: bool) -> String {
    let count = |wanted: Verdict| cases.iter().filter(|case| verdict(case, fail_on) == wanted).count();
    let (failures, errors) = (count(Verdict::Failure), count(Verdict::Error));
    let mut counts = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", cases.len());
    if skipped {
        counts.push_str(&format!(" skipped=\"{}\"", count(Verdict::Skipped)));
    }
    counts
}

fn verdict((document, findings): &Case<'_>, fail_on: FailOn) -> Verdict {
    match document.status {
        DocumentStatus::Error | DocumentStatus::Invalid => Verdict::Error,
        DocumentStatus::Skipped => Verdict::Skipped,
        _ if findings.iter().any(|finding| finding.effect.fails(fail_on)) => Verdict::Failure,
        _ => Verdict::Passed,
    }
}

fn test_case(case: &Case<'_>, fail_on: FailOn) -> String {
    let (document, findings) = case;
    let DocumentResult { file, line, object, reason, .. } = document;
    let name = if object.kind.is_empty() { format!("line {line}") } else { object.path() };
    let mut text = format!("    <testcase name=\"{}\" classname=\"{}\"", escaped(&name), escaped(file));
    let (failing, others): (Vec<_>, Vec<_>) =
        findings.iter().partition(|finding| finding.effect.fails(fail_on));
    let verdict = verdict(case, fail_on);
    if verdict == Verdict::Passed && others.is_empty() {
        text.push_str("/>\n");
        return text;
    }
    text.push_str(">\n");
    let mut lines: Vec<String> = failing.iter().map(|finding| line_of(finding)).collect();
    lines.extend(reason.iter().map(|reason| format!("{file}:{line}: {reason}")));
    let first = escaped(lines.first().map_or("", String::as_str));
    let all = escaped(&lines.join("\n"));
    match verdict {
        Verdict::Passed => {}
        Verdict::Skipped => text.push_str(&format!("      <skipped message=\"{first}\"/>\n")),
        Verdict::Failure => {
            text.push_str(&format!("      <failure message=\"{first}\" type=\"denied\">{all}</failure>\n"));
        }
        Verdict::Error => {
            text.push_str(&format!("      <error message=\"{first}\" type=\"error\">{all}</error>\n"));
        }
    }
    if !others.is_empty() {
        let lines: Vec<String> = others.iter().map(|finding| line_of(finding)).collect();
        text.push_str(&format!("      <system-out>{}</system-out>\n", escaped(&lines.join("\n"))));
    }
    text.push_str("    </testcase>\n");
    text
}

fn line_of(finding: &ReportedFinding) -> String {
    let ReportedFinding { file, line, column, policy, message, .. } = finding;
    let said = finding.compared().into_iter().chain(finding.remedy.clone());
    let said: String = said.map(|text| format!("; {text}")).collect();
    format!("{file}:{line}:{column}: {}: [{policy}] {message}{said}{}", finding.does(), finding.excuse())
}
