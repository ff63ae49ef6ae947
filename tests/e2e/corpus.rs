//! A corpus of real manifests through `meshgate check` and through `kubectl apply --dry-run=server`: the same findings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use meshgate::dry_run::Manifests;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::manifests::{corpus, files};
use crate::webhook::{Webhook, strict};

const NAMESPACE: &str = "corpus";

/// What came of a document: the lines of its denial, or why it was not judged.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Judged(BTreeSet<String>),
    /// The API server does not have the kind.
    NoKind(String),
    /// Refused by validation, which comes before `/validate`, or by kubectl.
    Invalid(String),
}

#[test]
fn kubectl_is_told_what_check_says() {
    let Some(environment) = Environment::shared() else { return };
    let Some(corpus) = corpus() else { return };
    let webhook = Webhook::start(&environment, NAMESPACE, &json!({}), &strict());
    let documents = environment.folder("corpus-documents");
    let written = write_documents(&corpus, &documents);
    let ours = checked(&webhook.folder.join("policies"), &documents);
    let run = environment.alice.kubectl(
        &[
            "apply",
            "--dry-run=server",
            "--validate=ignore",
            "-n",
            NAMESPACE,
            "-f",
            documents.to_str().unwrap(),
        ],
        "",
    );
    let theirs = told(&run.err);
    let applied = run.out.lines().filter(|line| line.ends_with("(server dry run)")).count();

    let (mut equal, mut denied, mut different) = (0, 0, Vec::new());
    let (mut unknown, mut invalid) = (BTreeMap::<String, usize>::new(), Vec::new());
    let passed = Outcome::Judged(BTreeSet::new());
    for (name, origin) in &written {
        match theirs.get(name).unwrap_or(&passed) {
            Outcome::NoKind(kind) => *unknown.entry(kind.clone()).or_default() += 1,
            Outcome::Invalid(why) => invalid.push(format!("  {origin}: {why}")),
            Outcome::Judged(lines) => {
                denied += usize::from(!lines.is_empty());
                let expected = ours.get(name).cloned().unwrap_or_default();
                if *lines == expected { equal += 1 } else { different.push((origin, lines, expected)) }
            }
        }
    }
    println!(
        "corpus by kubectl: {} run, {equal} equal, {} different; {denied} denied, {applied} applied",
        equal + different.len(),
        different.len()
    );
    println!("left out: kinds that the API server does not have: {unknown:?}");
    println!("left out: what the API server refuses before `/validate`:\n{}", invalid.join("\n"));
    assert_eq!(different, []);
    assert_eq!(applied + denied, equal, "{}", run.err);
    assert!(equal > 200 && denied > 100 && invalid.len() < 20, "a corpus that shows something");
}

/// One file a document, none with a namespace of its own; the names of the files, and whence each is.
fn write_documents(corpus: &Path, documents: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(corpus, &mut found);
    let manifests = Manifests::read(&found);
    let mut written = Vec::new();
    for manifest in manifests.objects() {
        let mut object = Value::Object(manifest.object().clone());
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("namespace");
        }
        let name = format!("{:04}.json", written.len());
        std::fs::write(documents.join(&name), object.to_string()).unwrap();
        let origin = Path::new(&manifest.file).strip_prefix(corpus).unwrap().display().to_string();
        written.push((name, format!("{origin}:{}", manifest.line())));
    }
    written
}

/// The lines of each file's denial, by `check`.
fn checked(policies: &Path, documents: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut check = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    let output = check
        .args(["check", "-o", "json", "-n", NAMESPACE, "-p"])
        .arg(policies)
        .arg(documents)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut denied = BTreeMap::<String, BTreeSet<String>>::new();
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["effect"], "deny", "{finding}");
        let text = |member: &str| finding[member].as_str().unwrap();
        // Messages of Pod Security have nothing before them.
        let (policy, message) = (text("policy"), text("message").to_owned());
        let line = if policy == "pod_security/standard" { message } else { format!("[{policy}] {message}") };
        denied.entry(name_of(text("file")).to_owned()).or_default().insert(line);
    }
    denied
}

/// What kubectl's errors say of each file.
fn told(errors: &str) -> BTreeMap<String, Outcome> {
    let mut outcomes = BTreeMap::new();
    let mut last = String::new();
    // The last line of a denial names the policies.
    let is_said = |line: &&str| !line.starts_with("Warning: ") && !line.starts_with("policies: ");
    for line in errors.lines().filter(is_said) {
        let file = line.split(['"', ' ']).find(|word| word.ends_with(".json") || word.ends_with(".json:"));
        // A denial goes on: with the next policy, or with a message that has no policy before it.
        let goes_on = file.is_none() || line.starts_with('[');
        if let (true, Some(Outcome::Judged(lines))) = (goes_on, outcomes.get_mut(&last)) {
            lines.insert(line.to_owned());
            continue;
        }
        let Some(file) = file else { continue };
        last = name_of(file.trim_end_matches(':')).to_owned();
        let outcome = match (line.split_once("denied the request: "), line.split_once("no matches for kind "))
        {
            (Some((_, said)), _) => Outcome::Judged(BTreeSet::from([said.to_owned()])),
            (None, Some((_, kind))) => Outcome::NoKind(kind.to_owned()),
            (None, None) => {
                let why = line.split_once(".json\": ").map_or(line, |(_, why)| why);
                Outcome::Invalid(why.chars().take(120).collect())
            }
        };
        outcomes.insert(last.clone(), outcome);
    }
    outcomes
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}
