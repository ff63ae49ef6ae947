//! The fixtures, each as a request through the pipeline: the namespace's labels choose which of 76 bindings judges it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use meshgate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::{self, Bundle};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Action, Phase, Progress, review};
use meshgate::{source, yaml};
use serde_json::{Value, json};

use super::{NEWEST, lines, spread, text};
use crate::{Tally, corpus};

/// `pod_security/standard`, bound at each level in each version for namespaces that say so.
fn bundle() -> Bundle {
    let mut bindings = String::new();
    for level in ["baseline", "restricted"] {
        for minor in 0..=NEWEST {
            bindings.push_str(&format!(
                "---\n{{apiVersion: meshgate.io/v1alpha1, kind: PolicyBinding, metadata: {{name: {level}-{minor}}}, spec: {{policy: \
                 pod_security/standard, enforcement: deny, parameters: {{level: {level}, version: v1.{minor}}}, match: \
                 {{namespaceSelector: {{matchLabels: {{level: {level}, version: v1.{minor}}}}}}}}}}}\n"
            ));
        }
    }
    let mut tree = Tree::default();
    tree.insert("bindings.yaml", bindings);
    tree.insert(
        "bundle.yaml",
        "{apiVersion: meshgate.io/v1alpha1, kind: Bundle, metadata: {name: pss}, spec: {includes: [pod_security]}}",
    );
    let draft = Draft::read(&tree, &source::catalogue());
    engine::compile(draft).unwrap_or_else(|faults| panic!("{faults}"))
}

fn request(pod: Value) -> Request {
    Request::new(RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new("", "v1", "Pod"),
        resource: GroupVersionResource::new("", "v1", "pods"),
        sub_resource: None,
        name: "pod".to_owned(),
        namespace: Some("pss".to_owned()),
        operation: Operation::Create,
        user_info: json!({ "username": "alice" }),
        old_object: None,
        object: Some(pod),
        dry_run: false,
    })
}

/// The messages of the denials; none: allowed.
fn denials(bundle: &Bundle, row: &Value, pod: Value) -> Vec<String> {
    let labels = json!({ "level": row["level"], "version": row["version"] });
    let key = FactKey::Namespace("pss".to_owned());
    let namespace = Fact::Known(json!({ "name": "pss", "labels": labels, "annotations": {} }));
    let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
    facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, namespace)]));
    let Progress::Done(decision) = review(bundle, &facts, &request(pod), Phase::Validate) else {
        panic!("asks for facts")
    };
    assert_eq!(decision.evaluated.len(), 1, "one binding is asked: {row}");
    let findings = decision.findings.into_iter();
    findings
        .map(|finding| {
            assert!(finding.action == Action::Deny && !finding.is_error && finding.plain, "{finding:?}");
            finding.message
        })
        .collect()
}

pub(super) fn fixture(directory: &Path, row: &Value) -> Value {
    let bytes = std::fs::read(directory.join(text(row, "path"))).unwrap();
    let [Ok(document)] = <[_; 1]>::try_from(yaml::read(&bytes)).unwrap() else { panic!("not YAML: {row}") };
    document.value
}

#[test]
fn every_fixture_has_the_verdict_and_the_message() {
    let Some(rows) = lines("oracle/fixtures.jsonl") else { return };
    let directory = corpus("pss").unwrap().join("test/testdata");
    let bundle = bundle();
    let ours = spread(&rows, |row| denials(&bundle, row, fixture(&directory, row)));
    let mut tally = Tally::new("pod security, fixtures");
    for (row, ours) in rows.iter().zip(ours) {
        assert_eq!(text(row, "expect") == "pass", row["allowed"] == json!(true), "{row}");
        let message = text(row, "message").to_owned();
        let theirs = if row["allowed"] == json!(true) { Vec::new() } else { vec![message] };
        tally.compare(text(row, "path"), ours, theirs);
    }
    tally.finish(4_537);
}
