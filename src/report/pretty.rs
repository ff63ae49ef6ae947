//! The report as people read it: what is wrong, the line of the manifest, what to do; then what was not judged, and the
//! numbers.

use std::collections::BTreeMap;

use super::excerpt::Sources;
use super::paint::{Paint, width};
use super::words::plain;
use super::{Cause, Detail, DocumentResult, DocumentStatus, Effect, Report, ReportedFinding};

/// How many places of one finding are listed.
const PLACES: usize = 10;

/// What is said in the same words of several objects.
struct Group<'a> {
    first: &'a ReportedFinding,
    others: Vec<&'a ReportedFinding>,
}

/// Writes the report for a terminal or a log, with excerpts from `sources`. The same finding is shown once, with all its
/// places. `detail`: without numbers and what was left out, or with what passed.
pub fn pretty(report: &Report, sources: &Sources<'_>, paint: Paint, detail: Detail) -> String {
    let mut text = String::new();
    for group in groups(report) {
        write_group(&mut text, report, &group, sources, paint);
        text.push('\n');
    }
    let mut listed = false;
    for document in &report.documents {
        match (&document.reason, document.status) {
            (None, DocumentStatus::Passed) if detail == Detail::All => {
                let line = format!("{}:{}: {}", document.file, document.line, document.object.path());
                push(&mut text, &paint.bold("passed: "), &line, 8, 4, paint);
                listed = true;
            }
            (None, _) => {}
            (Some(_), DocumentStatus::Skipped) if detail == Detail::Faults => {}
            (Some(reason), DocumentStatus::Skipped) => {
                let line = format!("{}:{}: {reason}", document.file, document.line);
                push(&mut text, &paint.bold("skipped: "), &line, 9, 4, paint);
                listed = true;
            }
            (Some(reason), _) => {
                unread(&mut text, document, reason, sources, paint);
                text.push('\n');
            }
        }
    }
    if detail == Detail::Faults {
        return text;
    }
    if listed {
        text.push('\n');
    }
    report.summary.lines().iter().for_each(|line| push(&mut text, "", line, 0, 4, paint));
    text
}

/// In the order of the first of each.
fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known = BTreeMap::new();
    for finding in &report.findings {
        let ReportedFinding {
            effect, its_pods, suspended, policy, message, remedy, required, exception, ..
        } = finding;
        let exception = exception.as_ref().map(|one| &one.name);
        let key = (effect, its_pods, suspended, policy, message, remedy, required, exception);
        let index = *known.entry(key).or_insert(groups.len());
        match groups.get_mut(index) {
            None => groups.push(Group { first: finding, others: Vec::new() }),
            Some(group) => {
                let mut all = std::iter::once(&group.first).chain(&group.others);
                if all.all(|one| place(one) != place(finding)) {
                    group.others.push(finding);
                }
            }
        }
    }
    groups
}

fn place(finding: &ReportedFinding) -> (usize, usize, usize) {
    (finding.document, finding.line, finding.column)
}

fn write_group(text: &mut String, report: &Report, group: &Group<'_>, sources: &Sources<'_>, paint: Paint) {
    let finding = group.first;
    let ReportedFinding { file, line, column, policy, message, object, .. } = finding;
    let does = finding.does();
    let coloured = match finding.effect {
        Effect::Deny | Effect::Error => paint.red(&does),
        Effect::Warn => paint.yellow(&does),
        Effect::Audit | Effect::Skipped => paint.cyan(&does),
        Effect::Excused => paint.green(&does),
    };
    let head = format!("[{policy}] {message}");
    push(text, &format!("{coloured}: "), &head, width(&does).saturating_add(2), 4, paint);
    let margin = " ".repeat(line.to_string().len());
    let arrow = paint.blue("-->");
    push(
        text,
        &format!("{margin}{arrow} "),
        &format!("{file}:{line}:{column}: {}", object.path()),
        0,
        0,
        Paint { width: None, ..paint },
    );
    // Whoever sees a log need not see a Secret.
    let is_secret = (object.api_version.as_str(), object.kind.as_str()) == ("v1", "Secret");
    let read_at = report.documents.get(finding.document).map(|document| document.read_at(*line));
    let excerpt = match read_at.filter(|_| !is_secret && !finding.is_untold) {
        Some(at) => sources.excerpt(at, (*line, *column), paint),
        None => Vec::new(),
    };
    excerpt.iter().for_each(|line| text.push_str(&format!("{line}\n")));
    for (word, note) in notes(group, &excerpt) {
        let taken = margin.len().saturating_add(width(word)).saturating_add(5);
        let head = format!("{margin} {} {}", paint.blue('='), paint.bold(format!("{word}: ")));
        push(text, &head, &note, taken, margin.len().saturating_add(3), paint);
    }
}

/// What is to be said below an excerpt: a word, and a text.
fn notes(group: &Group<'_>, excerpt: &[String]) -> Vec<(&'static str, String)> {
    let finding = group.first;
    let mut notes = Vec::new();
    let mut note = |word, text: Option<String>| notes.extend(text.map(|text| (word, text)));
    note("field", finding.field.clone());
    note("container", finding.unnamed_container().map(str::to_owned));
    note("found", observed(finding, excerpt));
    note("required", finding.required_unsaid().map(str::to_owned));
    note("help", finding.remedy.clone());
    note(
        "rule",
        finding
            .cause
            .as_ref()
            .map(|Cause { file, line }| line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"))),
    );
    note("exception", finding.exception.as_ref().map(|one| format!("{}, until {}", one.name, one.expires)));
    for other in group.others.iter().take(PLACES) {
        let ReportedFinding { file, line, column, object, .. } = other;
        note("also", Some(format!("{file}:{line}:{column}: {}", object.path())));
    }
    let more = group.others.len().checked_sub(PLACES).filter(|more| *more > 0);
    note("also", more.map(|more| format!("{more} more; --format json lists all")));
    notes
}

/// What stands in the field, where the excerpt does not show it: policies or defaults have set it.
fn observed(finding: &ReportedFinding, excerpt: &[String]) -> Option<String> {
    let value = finding.observed.as_ref()?;
    let bare = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let is_shown = excerpt.iter().any(|line| line.contains(&bare));
    (!is_shown).then(|| value.to_string())
}

fn unread(text: &mut String, document: &DocumentResult, reason: &str, sources: &Sources<'_>, paint: Paint) {
    let DocumentResult { file, line, status, object, .. } = document;
    let word = status.word();
    push(text, &format!("{}: ", paint.red(word)), reason, width(word).saturating_add(2), 4, paint);
    let margin = " ".repeat(line.to_string().len());
    let name = if object.kind.is_empty() { String::new() } else { format!(": {}", object.path()) };
    text.push_str(&format!("{margin}{} {}\n", paint.blue("-->"), plain(&format!("{file}:{line}{name}"))));
    sources
        .excerpt(document.read_at(*line), (*line, 1), paint)
        .iter()
        .for_each(|line| text.push_str(&format!("{line}\n")));
}

/// A line, wrapped: `head` as it is, of `taken` columns, and a text whose parts are a manifest's.
fn push(text: &mut String, head: &str, line: &str, taken: usize, indent: usize, paint: Paint) {
    for (index, part) in paint.wrapped(&plain(line), taken, indent).iter().enumerate() {
        let before = if index == 0 { head.to_owned() } else { " ".repeat(indent) };
        text.push_str(&format!("{before}{part}\n"));
    }
}
