//! The results as people read them: what failed, what the tests reach, the numbers.

use super::{Case, FileLines, Kind, Results, Status, Summary};
use crate::report::{Detail, Paint};

/// Writes the results for a terminal or a log; only what failed, or also what passed, as the `detail` says.
pub fn text(results: &Results, detail: Detail, paint: Paint) -> String {
    let mut text = String::new();
    for case in results.cases.iter().filter(|case| is_shown(case.status, detail)) {
        title(&mut text, case, paint);
        case.lines().iter().for_each(|line| push(&mut text, &format!("    {line}"), paint));
    }
    for file in results.coverage.iter().flatten() {
        push(&mut text, &coverage(file), paint);
    }
    if detail == Detail::Faults {
        return text;
    }
    if !text.is_empty() {
        text.push('\n');
    }
    push(&mut text, &summary(&results.summary), paint);
    text
}

fn is_shown(status: Status, detail: Detail) -> bool {
    match status {
        Status::Failed | Status::Error => true,
        Status::Skipped => detail != Detail::Faults,
        Status::Passed => detail == Detail::All,
    }
}

fn title(text: &mut String, case: &Case, paint: Paint) {
    let (status, ink): (_, fn(Paint, &str) -> String) = match case.status {
        Status::Passed => ("passed", |paint, word| paint.green(word)),
        Status::Failed => ("FAILED", |paint, word| paint.red(word)),
        Status::Error => ("ERROR", |paint, word| paint.red(word)),
        Status::Skipped => ("skipped", |paint, word| paint.cyan(word)),
    };
    let name = match case.kind {
        Kind::Test => format!("data.{}.{}", case.group, case.name),
        Kind::Example => format!("example of {}", case.group),
    };
    let place = plain(&case.place());
    text.push_str(&format!("{place}: {}: {}\n", ink(paint, status), plain(&name)));
}

fn coverage(file: &FileLines) -> String {
    let FileLines { file, covered, not_covered, percentage } = file;
    let all = covered.len().saturating_add(not_covered.len());
    let missed = if not_covered.is_empty() {
        String::new()
    } else {
        format!("; not reached: {}", ranges(not_covered))
    };
    format!("{file}: {percentage:.1} % ({} of {all} lines){missed}", covered.len())
}

/// `1-3, 5` of 1, 2, 3, 5.
fn ranges(lines: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for &line in lines {
        match ranges.last_mut() {
            Some((_, end)) if end.saturating_add(1) == line => *end = line,
            _ => ranges.push((line, line)),
        }
    }
    let shown = ranges
        .into_iter()
        .map(|(start, end)| if start == end { start.to_string() } else { format!("{start}-{end}") });
    shown.collect::<Vec<_>>().join(", ")
}

fn summary(summary: &Summary) -> String {
    let Summary { tests, examples, passed, failed, errors, skipped } = summary;
    if *tests == 0 && *examples == 0 {
        return "no tests and no examples: nothing was run".to_owned();
    }
    let counted = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    format!(
        "{}, {}: {passed} passed, {failed} failed, {errors} in error, {skipped} skipped",
        counted(*tests, "test"),
        counted(*examples, "example")
    )
}

/// A line, wrapped: what goes on is indented more.
fn push(text: &mut String, line: &str, paint: Paint) {
    let line = plain(line);
    let indent = line.len().saturating_sub(line.trim_start().len());
    let below = indent.saturating_add(4);
    for (index, part) in paint.wrapped(line.trim_start(), indent, below).iter().enumerate() {
        let indent = if index == 0 { indent } else { below };
        text.push_str(&format!("{}{part}\n", " ".repeat(indent)));
    }
}

/// Names and values are of files: they must neither begin a line of their own nor steer a terminal.
fn plain(text: &str) -> String {
    text.replace('\t', "    ").replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_follow_each_other_are_a_range() {
        for (lines, expected) in [
            (vec![], ""),
            (vec![3], "3"),
            (vec![1, 2, 3, 5, 7, 8], "1-3, 5, 7-8"),
            (vec![u32::MAX], "4294967295"),
        ] {
            assert_eq!(ranges(&lines), expected);
        }
    }
}
