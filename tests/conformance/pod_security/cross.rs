//! Every distinct Pod of the fixtures at both levels in every version: 363 times 76 evaluations.

use serde_json::Value;

use super::{NEWEST, Standard, Violation, lines, minor, spread, text};
use crate::Tally;

/// What a run of versions has, for one version of it.
fn expected(run: &Value) -> (Vec<Violation>, String) {
    let violations = run["violations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let message = run["message"].as_str().unwrap_or_default();
    assert_eq!(run["allowed"], Value::Bool(violations.is_empty()), "{run}");
    (violations.iter().map(Violation::read).collect(), message.to_owned())
}

#[test]
fn every_pod_at_every_level_in_every_version() {
    let Some(rows) = lines("oracle/cross.jsonl") else { return };
    let standard = Standard::load();
    let compared = spread(&rows, |row| {
        let mut compared = Vec::new();
        for level in ["baseline", "restricted"] {
            for run in row[level].as_array().unwrap() {
                for minor in minor(text(run, "from"))..=minor(text(run, "to")) {
                    let version = format!("v1.{minor}");
                    let ours = standard.judge(level, &version, &row["pod"]);
                    compared.push((format!("{} {level}:{version}", text(row, "id")), ours, expected(run)));
                }
            }
        }
        compared
    });
    let mut tally = Tally::new("pod security, cross");
    for (case, ours, theirs) in compared.into_iter().flatten() {
        tally.compare(case, ours, Ok(theirs));
    }
    tally.finish(27_588);
}

/// `latest`, and versions that are still to come, are the newest.
#[test]
fn latest_and_later_versions_are_the_newest() {
    let Some(rows) = lines("oracle/cross.jsonl") else { return };
    let standard = Standard::load();
    let mut tally = Tally::new("pod security, latest");
    for level in ["baseline", "restricted"] {
        for row in &rows {
            let newest = standard.judge(level, &format!("v1.{NEWEST}"), &row["pod"]);
            for version in ["latest", "v1.38", "v1.99999"] {
                let case = format!("{} {level}:{version}", text(row, "id"));
                tally.compare(case, standard.judge(level, version, &row["pod"]), newest.clone());
            }
        }
    }
    tally.finish(2_178);
}
