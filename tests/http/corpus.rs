//! Every object of a corpus of real manifests: what the dry run decides, the webhook decides over HTTPS; and a mutation
//! changes what it names and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgate::admission::Request;
use meshgate::dry_run::{Manifests, Requests};
use meshgate::engine::Bundle;
use meshgate::patch::Patch;
use meshgate::source;
use serde_json::{Value, json};

use crate::bundle;
use crate::manifests::{corpus, files};
use crate::process::Process;

/// The starter profile, but that it denies, and workloads as well as Pods: then all that is found is in an answer.
fn strict(folder: &Path) -> Bundle {
    let mut tree = source::profile("starter").unwrap();
    let bindings: String = tree
        .iter()
        .find(|(path, _)| *path == "bindings.yaml")
        .map(|(_, text)| String::from_utf8(text.to_vec()).unwrap())
        .unwrap();
    tree.insert(
        "bindings.yaml",
        bindings.replace("enforcement: namespace", "enforcement: deny\n  templates: deny"),
    );
    for (path, content) in tree.iter() {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    bundle::compiled(&tree)
}

/// The object with the answer's patch, if it has one.
fn patched(request: &Request, answer: &Value) -> (Request, Patch) {
    let Some(text) = answer["response"]["patch"].as_str() else { return (request.clone(), Patch::default()) };
    let patch = Patch::from_value(&serde_json::from_slice(&STANDARD.decode(text).unwrap()).unwrap()).unwrap();
    let mut object = request.object().unwrap().clone();
    patch.apply(&mut object).unwrap();
    (request.with_object(object), patch)
}

/// Policy and message of each line of a denial.
fn lines(answer: &Value) -> BTreeSet<String> {
    let message = answer["response"]["status"]["message"].as_str().unwrap_or_default();
    message.lines().filter(|line| !line.starts_with("policies: ")).map(str::to_owned).collect()
}

#[test]
fn the_webhook_decides_what_the_dry_run_decides() {
    let Some(directory) = corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies");
    let bundle = strict(&policies);
    let policies = policies.to_str().unwrap();
    let mut found = Vec::new();
    files(&directory, &mut found);
    let manifests = Manifests::read(&found);

    let mut check = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    let report = check.args(["check", "-o", "json", "-p", policies]).arg(&directory).output().unwrap();
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let documents = report["documents"].as_array().unwrap();
    assert_eq!(documents.len(), manifests.entries.len());
    let mut denied_by: BTreeMap<(String, u64), BTreeSet<String>> = BTreeMap::new();
    for finding in report["findings"].as_array().unwrap() {
        assert_eq!(finding["effect"], "deny", "{finding}");
        let (policy, message) = (finding["policy"].as_str().unwrap(), finding["message"].as_str().unwrap());
        // Its messages are those of Pod Security admission, with nothing before them.
        let is_plain = policy == "pod_security/standard";
        let line = if is_plain { message.to_owned() } else { format!("[{policy}] {message}") };
        let object = (finding["file"].as_str().unwrap().to_owned(), document_of(documents, finding));
        denied_by.entry(object).or_default().insert(line);
    }

    let mut process = Process::start(&["-p", policies]);
    let requests = Requests::new(manifests.objects(), &bundle, None);
    let (mut denied, mut mutated, mut run) = (0, 0, 0);
    for (manifest, document) in manifests.entries.iter().zip(documents) {
        let Some(request) = manifest.as_ref().ok().and_then(|manifest| requests.create(manifest).ok()) else {
            assert!(matches!(document["status"].as_str(), Some("skipped" | "invalid")), "{document}");
            continue;
        };
        let answer = process.client.review("/mutate?timeout=10s", &request.to_review()).json();
        assert_eq!(answer["response"]["allowed"], true, "{document}");
        let (request, patch) = patched(&request, &answer);
        assert_eq!(json!(!patch.is_empty()), document["mutated"], "{document}");
        let answer = process.client.review("/validate?timeout=10s", &request.to_review()).json();
        let key = (document["file"].as_str().unwrap().to_owned(), document["line"].as_u64().unwrap());
        let expected = denied_by.remove(&key).unwrap_or_default();
        assert_eq!(lines(&answer), expected, "{document}");
        assert_eq!(answer["response"]["allowed"], json!(document["status"] == "passed"), "{document}");
        run += 1;
        denied += usize::from(answer["response"]["allowed"] == false);
        mutated += usize::from(!patch.is_empty());
    }
    assert!(denied_by.is_empty(), "{denied_by:?}");
    println!("corpus over HTTPS: {run} run, {run} equal, 0 different; {denied} denied, {mutated} mutated");
    assert!(run > 300 && denied > 100 && mutated > 100, "a corpus that shows something");
}

/// The line of the document that a finding is in: the last that begins at or before it.
fn document_of(documents: &[Value], finding: &Value) -> u64 {
    let of_file = documents.iter().filter(|document| document["file"] == finding["file"]);
    let lines = of_file.map(|document| document["line"].as_u64().unwrap());
    lines.filter(|line| *line <= finding["line"].as_u64().unwrap()).max().unwrap()
}

/// A policy that changes every object.
const TOUCH: &str = r#"# METADATA
# title: Every object is changed
# description: Shows what a mutation leaves alone.
# custom:
#   match:
#     rules:
#       - apiGroups: ["*"]
#         apiVersions: ["*"]
#         resources: ["*"]
package policies.defaults.touch

patch := [{"op": "add", "path": "/touched", "value": {"by": ["a", 1.0]}}] if {
	not input.request.object.touched
}
"#;

const BIND: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: a}\nspec: {policy: defaults/touch, enforcement: deny}\n";

#[test]
fn a_mutation_changes_what_it_names_and_nothing_else() {
    let Some(directory) = corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("defaults/touch")).unwrap();
    std::fs::write(folder.path().join("defaults/touch/touch.rego"), TOUCH).unwrap();
    std::fs::write(folder.path().join("bindings.yaml"), BIND).unwrap();
    let mut process = Process::start(&["-p", folder.path().to_str().unwrap()]);
    let mut found = Vec::new();
    files(&directory, &mut found);
    let manifests = Manifests::read(&found);
    // What typed decoders lose: unknown fields, doubles without fraction, integers beyond 2^53, order.
    let planted = r#"{"unknown":{"double":1.0,"small":1e-7,"large":[18446744073709551615,-9223372036854775808,9007199254740993],"order":["b","a",null,{"z":1,"y":[]}]}}"#;
    let mut run = 0;
    for manifest in manifests.objects() {
        let mut object = manifest.object().clone();
        object.insert("planted".to_owned(), serde_json::from_str(planted).unwrap());
        let sent = Value::Object(object).to_string();
        let name = json!({ "group": "", "version": "v1", "resource": "things" });
        let kind = json!({ "group": "", "version": "v1", "kind": "Thing" });
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": { "uid": "1", "kind": kind, "resource": name, "operation": "CREATE", "object": "@" }
        });
        let body = review.to_string().replace("\"@\"", &sent);
        let response =
            process.client.post("/mutate", &[("Content-Type", "application/json")], body.as_bytes());
        let operations = STANDARD.decode(response.json()["response"]["patch"].as_str().unwrap()).unwrap();
        // The patch names one path, and its text is the policy's.
        assert_eq!(
            String::from_utf8(operations.clone()).unwrap(),
            r#"[{"op":"add","path":"/touched","value":{"by":["a",1.0]}}]"#
        );
        let mut after: Value = serde_json::from_str(&sent).unwrap();
        Patch::from_value(&serde_json::from_slice(&operations).unwrap()).unwrap().apply(&mut after).unwrap();
        after.as_object_mut().unwrap().remove("touched");
        assert_eq!(after.to_string(), sent, "{}:{}", manifest.file, manifest.line());
        run += 1;
    }
    println!("mutations of the corpus: {run} run, {run} equal, 0 different");
    assert!(run > 300, "a corpus that shows something");
}
