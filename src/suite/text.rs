//! The results as people read them: what failed, what the tests reach, the numbers.

use super::{Case, FileLines, Kind, Results, Status, Summary};

/// Writes the results for a terminal or a log; `verbose` lists also what passed.
pub fn text(results: &Results, verbose: bool) -> String {
    let mut text = String::new();
    for case in results.cases.iter().filter(|case| verbose || case.status != Status::Passed) {
        push(&mut text, &title(case));
        case.lines().iter().for_each(|line| push(&mut text, &format!("    {line}")));
    }
    for file in results.coverage.iter().flatten() {
        push(&mut text, &coverage(file));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    push(&mut text, &summary(&results.summary));
    text
}

fn title(case: &Case) -> String {
    let status = match case.status {
        Status::Passed => "passed",
        Status::Failed => "FAILED",
        Status::Error => "ERROR",
        Status::Skipped => "skipped",
    };
    let name = match case.kind {
        Kind::Test => format!("data.{}.{}", case.group, case.name),
        Kind::Example => format!("example of {}", case.group),
    };
    format!("{}: {status}: {name}", case.place())
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

/// Names and values are of files: they must neither begin a line of their own nor steer a terminal.
fn push(text: &mut String, line: &str) {
    text.push_str(&line.replace('\t', "    ").replace(char::is_control, " "));
    text.push('\n');
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
