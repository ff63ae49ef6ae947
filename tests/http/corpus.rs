//! Every object of a corpus of real manifests: a mutation changes what it names and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use meshgate::dry_run::Manifests;
use meshgate::patch::Patch;
use serde_json::{Value, json};

use crate::manifests::{corpus, files};
use crate::process::Process;

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
    let mut process = Process::start(&["--plain", "-p", folder.path().to_str().unwrap()]);
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
