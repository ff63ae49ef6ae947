//! The results as JUnit XML, as build servers read it: a suite for each package and for each policy with examples.

use super::{Case, Kind, Results, Status};
use crate::report::xml_escaped as escaped;

/// Writes the results.
pub fn junit(results: &Results) -> String {
    let all: Vec<&Case> = results.cases.iter().collect();
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    text.push_str(&format!("<testsuites name=\"meshgate test\" {}>\n", counts(&all, false)));
    for group in all.chunk_by(|a, b| (a.kind, &a.group) == (b.kind, &b.group)) {
        let Some(first) = group.first() else { continue };
        let name = match first.kind {
            Kind::Test => first.group.clone(),
            Kind::Example => format!("{} examples", first.group),
        };
        text.push_str(&format!("  <testsuite name=\"{}\" {}>\n", escaped(&name), counts(group, true)));
        group.iter().for_each(|case| text.push_str(&test_case(case, &name)));
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// The numbers as attributes. The schema knows `skipped` of suites only.
fn counts(cases: &[&Case], skipped: bool) -> String {
    let count = |status: Status| cases.iter().filter(|case| case.status == status).count();
    let mut counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\"",
        cases.len(),
        count(Status::Failed),
        count(Status::Error)
    );
    if skipped {
        counts.push_str(&format!(" skipped=\"{}\"", count(Status::Skipped)));
    }
    counts
}

fn test_case(case: &Case, suite: &str) -> String {
    let start = format!("    <testcase name=\"{}\" classname=\"{}\"", escaped(&case.name), escaped(suite));
    let element = match case.status {
        Status::Passed => return format!("{start}/>\n"),
        Status::Skipped => return format!("{start}>\n      <skipped/>\n    </testcase>\n"),
        Status::Failed => "failure",
        Status::Error => "error",
    };
    let (lines, place) = (case.lines(), case.place());
    let first = lines.first().map_or("", String::as_str);
    let all: Vec<String> = std::iter::once(place.clone()).chain(lines.iter().cloned()).collect();
    format!(
        "{start}>\n      <{element} message=\"{}\" type=\"{element}\">{}</{element}>\n    </testcase>\n",
        escaped(&format!("{place}: {first}")),
        escaped(&all.join("\n"))
    )
}
