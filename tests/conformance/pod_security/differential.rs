//! Generated Pods, judged by the policy and by the reference implementation itself.
//!
//! `MESHGATE_POD_SECURITY=SEED:COUNT` runs so many cases, of the numbers from SEED on.
//!
//! A Pod that the reference does not decode is not allowed by us either. One that we can't read and the reference can
//! has a container without name or null in a list of objects, which an API server refuses when it validates.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::generate::{Case, case};
use super::{Standard, lines, spread, tool};
use crate::Tally;

/// How many are given to the reference at once.
const AT_ONCE: u64 = 10_000;

/// What comes of a case.
#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    /// Reasons and details, in order.
    Judged(Vec<(String, String)>),
    /// Not read, or denied although it could not be read.
    Refused,
}

/// The first number and how many.
fn range() -> (u64, u64) {
    let text = std::env::var("MESHGATE_POD_SECURITY").unwrap_or_else(|_| "1:3000".to_owned());
    let (seed, count) = text.split_once(':').expect("MESHGATE_POD_SECURITY is SEED:COUNT");
    (seed.parse().unwrap(), count.parse().unwrap())
}

/// The reference's answers, in order.
fn reference(program: &Path, cases: &[Case]) -> Vec<Value> {
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            for Case { level, version, pod } in cases {
                writeln!(stdin, "{}", json!({ "pod": pod, "level": level, "version": version })).unwrap();
            }
        });
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn theirs(answer: &Value) -> Verdict {
    let Some(violations) = answer["violations"].as_array() else { return Verdict::Refused };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Verdict::Judged(violations.iter().map(|one| (text(&one["reason"]), text(&one["detail"]))).collect())
}

fn ours(standard: &Standard, asked: &Case) -> Verdict {
    let Case { level, version, pod } = asked;
    match standard.judge(level, version, pod) {
        Ok((violations, _)) => {
            Verdict::Judged(violations.into_iter().map(|one| (one.reason, one.detail)).collect())
        }
        // A machine that does other things as well may not give it its second.
        Err(error) if error.ends_with("it takes longer than it may") => ours(standard, asked),
        Err(error) if error.starts_with("error: ") => panic!("{error}: {level}:{version} {pod}"),
        Err(_) => Verdict::Refused,
    }
}

/// Whether an API server would decode the Pod and then find that something required is missing.
fn is_incomplete(pod: &Value) -> bool {
    let spec = &pod["spec"];
    let items = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let has_null = |list: &Value| items(list).iter().any(Value::is_null);
    let containers =
        ["initContainers", "containers", "ephemeralContainers"].map(|list| items(&spec[list])).concat();
    has_null(&spec["volumes"])
        || has_null(&spec["securityContext"]["sysctls"])
        || containers.iter().any(|container| {
            container["name"].as_str().unwrap_or_default().is_empty() || has_null(&container["ports"])
        })
}

#[test]
fn generated_pods_have_the_same_violations() {
    let (Some(rows), Some(program)) = (lines("oracle/cross.jsonl"), tool("podsecurity")) else { return };
    let fixtures: Vec<Value> = rows.into_iter().map(|row| row["pod"].clone()).collect();
    let (seed, count) = range();
    let standard = Standard::load();
    let mut tally = Tally::new("pod security, generated");
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut first = seed;
    while first < seed + count {
        let numbers: Vec<u64> = (first..(first + AT_ONCE).min(seed + count)).collect();
        let cases: Vec<Case> = numbers.iter().map(|number| case(*number, &fixtures)).collect();
        let answers = reference(&program, &cases);
        assert_eq!(answers.len(), cases.len());
        let ours = spread(&cases, |case| ours(&standard, case));
        for (((number, case), answer), mut ours) in numbers.iter().zip(&cases).zip(&answers).zip(ours) {
            let mut theirs = theirs(answer);
            let kind = match (&theirs, &ours) {
                (Verdict::Judged(violations), Verdict::Judged(_)) if violations.is_empty() => "allowed",
                (Verdict::Judged(_), Verdict::Judged(_)) => "denied",
                (Verdict::Refused, _) => "not decoded",
                (Verdict::Judged(_), Verdict::Refused) => "incomplete",
            };
            *kinds.entry(kind).or_default() += 1;
            if matches!((&theirs, &ours), (Verdict::Refused, Verdict::Judged(violations)) if !violations.is_empty())
            {
                ours = Verdict::Refused;
            }
            if ours == Verdict::Refused && is_incomplete(&case.pod) {
                theirs = Verdict::Refused;
            }
            let name = format!("{number} {}:{} {} {}", case.level, case.version, case.pod, answer["refused"]);
            tally.compare(name, ours, theirs);
        }
        first += AT_ONCE;
    }
    kinds.iter().for_each(|(kind, count)| println!("  {kind}: {count}"));
    if count >= 1_000 {
        assert_eq!(kinds.len(), 4, "every outcome is met");
    }
    tally.finish(usize::try_from(count).unwrap());
}
