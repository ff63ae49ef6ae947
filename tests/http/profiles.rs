//! Every object of a corpus of real manifests under the shipped profiles, with mutations bound beside them: what the dry run
//! decides, a server with the same objects around it decides over HTTPS.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgate::admission::Request;
use meshgate::dry_run::{Manifests, Outcome, Requests};
use meshgate::engine::Bundle;
use meshgate::patch::Patch;
use meshgate::report::{DocumentResult, DocumentStatus, Effect, ReportedFinding};
use meshgate::{source, yaml};
use serde_json::Value;

use crate::bundle;
use crate::manifests::{corpus, files};
use crate::process::Process;

const NOW: &str = "2026-01-31T12:00:00Z";

/// Mutations that concern most Pods.
const MUTATIONS: [&str; 3] = ["drop_capabilities", "seccomp_profile", "service_account_token"];

/// A shipped profile that denies, workloads as well as Pods, and the mutations; written into a folder, and compiled.
fn denying(profile: &str, folder: &Path) -> Bundle {
    let mut tree = source::profile(profile).unwrap();
    let found = tree.iter().find(|(name, _)| *name == "bindings.yaml");
    let bindings = found.map(|(_, text)| String::from_utf8(text.to_vec()).unwrap()).unwrap();
    let mut bindings = bindings.replace("enforcement: namespace", "enforcement: deny\n  templates: deny");
    for name in MUTATIONS {
        bindings.push_str(&format!(
            "---\napiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: default-{}}}\nspec: {{policy: defaults/{name}, enforcement: deny}}\n",
            name.replace('_', "-")
        ));
    }
    tree.insert("bindings.yaml", bindings);
    for (path, content) in tree.iter() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    bundle::compiled(&tree)
}

/// A finding as an answer has it; those of Pod Security have nothing before them.
fn line(finding: &ReportedFinding) -> String {
    match finding.policy.as_str() {
        "pod_security/standard" => finding.message.clone(),
        policy => format!("[{policy}] {}", finding.message),
    }
}

/// What is said in an answer, and how much more there is.
fn said<'a>(lines: impl Iterator<Item = &'a str>) -> (BTreeSet<String>, usize) {
    let (mut said, mut more) = (BTreeSet::new(), 0);
    for line in lines.filter(|line| !line.starts_with("policies: ")) {
        match line.strip_prefix("… and ").and_then(|rest| rest.split(' ').next()) {
            Some(number) => more = number.parse().unwrap(),
            None => drop(said.insert(line.to_owned())),
        }
    }
    (said, more)
}

/// Whether an answer says what was found; of what it has no place for it gives the number, and cuts what is long.
fn agrees((said, more): &(BTreeSet<String>, usize), found: &BTreeSet<String>) -> bool {
    let is_found = |line: &String| {
        found.contains(line)
            || line.strip_suffix('…').is_some_and(|cut| found.iter().any(|one| one.starts_with(cut)))
    };
    said.iter().all(is_found) && said.len() + more >= found.len() && (*more > 0 || said.len() == found.len())
}

/// What the dry run found in an object itself, not in the Pods that will be made of it.
fn own(findings: &[ReportedFinding], effects: &[Effect]) -> BTreeSet<String> {
    findings.iter().filter(|one| !one.its_pods && effects.contains(&one.effect)).map(line).collect()
}

/// Asks the server about an object as the dry run did, and compares; whether it was denied, warned of and mutated.
fn ask(
    process: &mut Process,
    request: &Request,
    document: &DocumentResult,
    findings: &[ReportedFinding],
    stored: &Value,
) -> [bool; 3] {
    let answer = process.client.review("/mutate?timeout=10s", &request.to_review()).json();
    assert_eq!(answer["response"]["allowed"], true, "{document:?}: {answer}");
    let mut object = request.object().unwrap().clone();
    if let Some(text) = answer["response"]["patch"].as_str() {
        let patch = serde_json::from_slice(&STANDARD.decode(text).unwrap()).unwrap();
        Patch::from_value(&patch).unwrap().apply(&mut object).unwrap();
    }
    assert_eq!(object, *stored, "{document:?}");
    assert_eq!(answer["response"]["patch"].is_string(), document.mutated, "{document:?}");

    let request = request.with_object(object);
    let answer = process.client.review("/validate?timeout=10s", &request.to_review()).json();
    let response = &answer["response"];
    let told = said(response["status"]["message"].as_str().unwrap_or_default().lines());
    let lines = response["warnings"].as_array().into_iter().flatten();
    let warned = said(lines.map(|one| one.as_str().unwrap()));
    // A report does not tell a policy whose errors deny from one whose errors warn.
    let (refusing, warning) =
        own(findings, &[Effect::Error]).into_iter().partition(|error| !warned.0.contains(error));
    let denials = &own(findings, &[Effect::Deny]) | &refusing;
    let warnings = &own(findings, &[Effect::Warn]) | &warning;
    assert_eq!(response["allowed"], denials.is_empty(), "{document:?}: {response} {denials:?}");
    assert!(agrees(&told, &denials), "{document:?}: {told:?} {denials:?}");
    assert!(agrees(&warned, &warnings), "{document:?}: {warned:?} {warnings:?}");
    [!denials.is_empty(), !warnings.is_empty(), document.mutated]
}

/// The objects as they would be stored; as they are given where they are not judged, or judged in another version, to which
/// the dry run does not convert what others are told of.
fn around(manifests: &Manifests, outcome: &Outcome) -> String {
    let mut reviewed = outcome.reviewed.iter();
    let mut stored = |document: &DocumentResult| match document.status {
        DocumentStatus::Skipped | DocumentStatus::Invalid => None,
        _ => reviewed.next().map(|one| one.object.clone()),
    };
    let mut text = String::new();
    for (document, manifest) in outcome.report.documents.iter().zip(&manifests.entries) {
        let Ok(manifest) = manifest else { continue };
        let given = Value::Object(manifest.object().clone());
        let stored = stored(document).filter(|object| object["apiVersion"] == given["apiVersion"]);
        text.push_str(&format!("---\n{}", yaml::write(&stored.unwrap_or(given))));
    }
    text
}

/// Asks a server about each object; the number of those asked, denied, warned of and mutated.
fn compare(profile: &str, directory: &Path) -> [usize; 4] {
    let folder = tempfile::tempdir().unwrap();
    let (policies, facts) = (folder.path().join("policies"), folder.path().join("facts.yaml"));
    let bundle = denying(profile, &policies);
    let mut found = Vec::new();
    files(directory, &mut found);
    let manifests = Manifests::read(&found);
    let outcome = bundle::checked(&bundle, manifests.clone(), NOW);
    std::fs::write(&facts, around(&manifests, &outcome)).unwrap();
    let (policies, facts) = (policies.to_str().unwrap(), facts.to_str().unwrap());
    let mut process =
        Process::start(&["-p", policies, "--facts", facts, "--mode", "warn", "--now", NOW, "--plain"]);

    let requests = Requests::new(manifests.objects(), &bundle, None);
    let mut reviewed = outcome.reviewed.iter();
    let mut numbers = [0; 4];
    for ((document, findings), manifest) in outcome.report.by_document().zip(&manifests.entries) {
        let Some(request) = manifest.as_ref().ok().and_then(|manifest| requests.create(manifest).ok()) else {
            let is_left_out = matches!(document.status, DocumentStatus::Skipped | DocumentStatus::Invalid);
            assert!(is_left_out, "{document:?}");
            continue;
        };
        let [denied, warned, mutated] =
            ask(&mut process, &request, document, findings, &reviewed.next().unwrap().object);
        for (number, is_so) in numbers.iter_mut().zip([true, denied, warned, mutated]) {
            *number += usize::from(is_so);
        }
    }
    numbers
}

#[test]
fn a_server_decides_what_the_dry_run_decides_under_each_profile() {
    let Some(directory) = corpus() else { return };
    for profile in ["starter", "strict"] {
        let [run, denied, warned, mutated] = compare(profile, &directory);
        println!(
            "corpus over HTTPS, {profile}: {run} run, {run} equal, 0 different; {denied} denied, {warned} warned, {mutated} mutated"
        );
        assert!(run > 300 && denied > 100 && mutated > 100, "a corpus that shows something");
    }
}
