//! Every example, through the dry run, has exactly the outcome that its name says, and what people read of it is kept
//! in `tests/snapshots`.

use std::collections::BTreeSet;
use std::path::Path;

use meshgate::context::Now;
use meshgate::dry_run::{Check, File, Manifests, Outcome, Requests};
use meshgate::engine::Bundle;
use meshgate::report::{self, DocumentStatus, Effect};
use meshgate::yaml;

use crate::{bound, names, policies, project};

/// `policies/<policy>/examples/<expected>-<why>.yaml`.
struct Example {
    policy: String,
    path: String,
    /// What stands before the first hyphen.
    expected: String,
    bytes: Vec<u8>,
}

/// All files in the policies' folders `examples`.
fn examples() -> Vec<Example> {
    let tree = policies();
    let of_policy = |policy: &String| {
        let folder = format!("{policy}/examples");
        let one = |(path, bytes): (&str, &[u8])| Example {
            policy: policy.clone(),
            path: format!("policies/{path}"),
            expected: file_name(path).split('-').next().unwrap_or_default().to_owned(),
            bytes: bytes.to_vec(),
        };
        tree.below(&folder).map(one).collect::<Vec<_>>()
    };
    names(&tree).iter().flat_map(of_policy).collect()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn manifests(path: &str, bytes: &[u8]) -> Manifests {
    Manifests::read(&[File { name: path.to_owned(), bytes: bytes.to_vec(), named: true }])
}

fn check(bundle: &Bundle, path: &str, bytes: &[u8]) -> Outcome {
    let manifests = manifests(path, bytes);
    let now = Now::parse("2026-01-31T12:00:00Z").unwrap();
    let check = Check { bundle, facts: &Manifests::default(), now, namespace: None, mode: None };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(check.run(&manifests))
}

impl Example {
    fn outcome(&self) -> (Bundle, Outcome) {
        let bundle = bound::only(&self.policy);
        let outcome = check(&bundle, &self.path, &self.bytes);
        (bundle, outcome)
    }

    /// Whether the policy is asked about one of its objects; an example of anything else would show nothing.
    fn concerns(&self, bundle: &Bundle) -> bool {
        let mut requests = Requests::new(std::iter::empty(), bundle, None);
        let rules = &bundle.bound[0].policy.metadata.matches;
        let is_covered = |manifest| rules.covers(&requests.create(manifest).unwrap());
        manifests(&self.path, &self.bytes).objects().any(is_covered)
    }

    /// What is not as the name says.
    fn faults(&self) -> Vec<String> {
        let (bundle, outcome) = self.outcome();
        let report = &outcome.report;
        let any = |wanted: DocumentStatus| report.documents.iter().any(|document| document.status == wanted);
        let is_mutated = report.documents.iter().any(|document| document.mutated);
        let is_silent = report.findings.is_empty();
        let is_quiet = report.findings.iter().all(|finding| finding.effect != Effect::Deny);
        let mut faults = Vec::new();
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                faults.push(format!("{}: {what}\n{}", self.path, report::text(report)));
            }
        };
        match self.expected.as_str() {
            "allowed" => demand(is_silent && !is_mutated, "something is found or changed"),
            "denied" => {
                demand(any(DocumentStatus::Denied) && !is_mutated, "nothing is denied, or something changed")
            }
            "warned" => demand(
                any(DocumentStatus::Warned) && is_quiet && !is_mutated,
                "nothing is warned, or more than that",
            ),
            "mutated" => {
                demand(is_silent && is_mutated, "nothing is changed, or something is found");
                demand(rests(&bundle, &self.path, &outcome), "what was changed is changed again");
            }
            _ => demand(false, "the name begins with none of allowed-, denied-, warned-, mutated-"),
        }
        demand(self.concerns(&bundle), "no object that the policy is asked about");
        demand(self.path.ends_with(".yaml"), "the name does not end with .yaml");
        demand(
            report.documents.iter().all(|document| {
                !matches!(
                    document.status,
                    DocumentStatus::Error | DocumentStatus::Invalid | DocumentStatus::Skipped
                )
            }),
            "a document is not judged",
        );
        demand(report.findings.iter().all(|finding| finding.policy == self.policy), "another policy speaks");
        faults
    }

    /// Its name among the snapshots.
    fn snapshot(&self) -> String {
        let name = file_name(&self.path);
        format!("{}-{}", self.policy.replace('/', "-"), name.strip_suffix(".yaml").unwrap_or(name))
    }

    /// The report, and below it what is changed.
    fn said(&self) -> String {
        let (_, outcome) = self.outcome();
        let changes = outcome.reviewed.iter().filter(|reviewed| !reviewed.patch.is_empty());
        let changes =
            changes.map(|reviewed| serde_json::to_string_pretty(&reviewed.patch.to_value()).unwrap());
        std::iter::once(report::text(&outcome.report)).chain(changes).collect()
    }
}

/// Whether nothing is left to change in what was changed.
fn rests(bundle: &Bundle, path: &str, outcome: &Outcome) -> bool {
    let text: String =
        outcome.reviewed.iter().map(|reviewed| format!("---\n{}", yaml::write(&reviewed.object))).collect();
    let again = check(bundle, path, text.as_bytes());
    again.reviewed.len() == outcome.reviewed.len()
        && again
            .reviewed
            .iter()
            .zip(&outcome.reviewed)
            .all(|(again, first)| again.patch.is_empty() && again.object == first.object)
}

#[test]
fn every_example_has_the_outcome_of_its_name() {
    let examples = examples();
    let faults: Vec<Vec<String>> = examples.iter().map(Example::faults).collect();
    let failed = faults.iter().filter(|faults| !faults.is_empty()).count();
    println!("examples: {} run, {} as named", examples.len(), examples.len().saturating_sub(failed));
    assert!(!examples.is_empty());
    assert_eq!(failed, 0, "{}", faults.concat().join("\n"));
}

/// A change of what people read is seen in review.
#[test]
fn what_is_said_of_examples_is_what_was_read() {
    let folder = project().join("tests/snapshots");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut kept = BTreeSet::new();
    for example in examples().iter().filter(|example| example.expected != "allowed") {
        let name = format!("policies-{}", example.snapshot());
        settings.bind(|| insta::assert_snapshot!(name.as_str(), example.said()));
        kept.insert(format!("{name}.snap"));
    }
    assert_eq!(stored(&folder), kept, "snapshots, and examples that have one");
}

/// The snapshots of examples.
fn stored(folder: &Path) -> BTreeSet<String> {
    let files =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    files.filter(|name| name.starts_with("policies-") && name.ends_with(".snap")).collect()
}
