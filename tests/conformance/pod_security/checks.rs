//! The cases of single checks.

use serde_json::{Value, json};

use super::{Standard, Violation, lines, text};
use crate::Tally;

/// The level at which a check is not replaced by another.
fn level(check: &str) -> &'static str {
    match check {
        "allowPrivilegeEscalation"
        | "capabilities_restricted"
        | "procMount_restricted"
        | "restrictedVolumes"
        | "runAsNonRoot"
        | "runAsUser"
        | "seccompProfile_restricted" => "restricted",
        _ => "baseline",
    }
}

/// The Pod as it was given. One with a note was not defaulted: there a volume without a source is of no kind, and not
/// the emptyDir that it is in every Pod that an API server has seen.
fn pod(row: &Value) -> Value {
    let mut pod = row["pod"].clone();
    if !row["note"].is_null() {
        let is_bare = |volume: &&mut Value| volume.as_object().unwrap().keys().all(|key| key == "name");
        let volumes = pod["spec"]["volumes"].as_array_mut().unwrap();
        volumes.iter_mut().filter(is_bare).for_each(|volume| volume["ofNoKind"] = json!({}));
    }
    pod
}

#[test]
fn single_checks() {
    let Some(rows) = lines("unit/checks.jsonl") else { return };
    let standard = Standard::load();
    let mut tally = Tally::new("pod security, single checks");
    for row in &rows {
        let check = text(row, "check");
        let ours = standard.judge(level(check), text(row, "version"), &pod(row));
        let ours = ours.map(|(mut violations, _)| {
            violations.retain(|violation| violation.check == check);
            violations
        });
        let theirs = if row["allowed"] == json!(true) { Vec::new() } else { vec![Violation::read(row)] };
        tally.compare(text(row, "test"), ours, Ok(theirs));
    }
    tally.finish(95);
}
