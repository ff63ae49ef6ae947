//! Every example, through the dry run, has exactly the outcome that its name says, and what people read of it is kept
//! in `tests/snapshots`.

use std::collections::BTreeSet;
use std::path::Path;

use meshgate::suite::{Bundles, Example, Suite};
use meshgate::{report, source};

use crate::{policies, project};

fn suite() -> Suite {
    Suite::read(&policies(), &source::catalogue(), "policies").unwrap_or_else(|faults| panic!("{faults}"))
}

/// Its name among the snapshots.
fn snapshot(example: &Example) -> String {
    let name = example.name();
    format!("{}-{}", example.policy.replace('/', "-"), name.strip_suffix(".yaml").unwrap_or(name))
}

/// The report, and below it what is changed.
fn said(example: &Example, bundles: &Bundles<'_>) -> String {
    let outcome = example.outcome(bundles).unwrap();
    let changes = outcome.reviewed.iter().filter(|reviewed| !reviewed.patch.is_empty());
    let changes = changes.map(|reviewed| serde_json::to_string_pretty(&reviewed.patch.to_value()).unwrap());
    std::iter::once(report::text(&outcome.report)).chain(changes).collect()
}

#[test]
fn every_example_has_the_outcome_of_its_name() {
    let suite = suite();
    let (examples, bundles) = (suite.examples(), suite.bundles());
    let faults: Vec<Vec<String>> = examples
        .iter()
        .map(|example| {
            let faults = example.faults(&bundles);
            faults.into_iter().map(|fault| format!("{}: {fault}", example.path)).collect()
        })
        .collect();
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
    let (suite, mut kept) = (suite(), BTreeSet::new());
    let bundles = suite.bundles();
    for example in suite.examples().iter().filter(|example| example.expected != "allowed") {
        let name = format!("policies-{}", snapshot(example));
        settings.bind(|| insta::assert_snapshot!(name.as_str(), said(example, &bundles)));
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
