//! YAML is read as kubectl reads it: a table of expectations, the real kubectl on the same table, on generated documents
//! and on the manifests of a corpus, and the law that what is written is read back. Beside it OPA's reader and writer,
//! which the builtins have.
#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]

mod cases;
mod generate;
mod kubectl;
mod opa;
mod round_trip;

use std::path::{Path, PathBuf};

use meshgate::yaml;
use serde_json::Value;

use cases::{FAULTS, OURS, STREAMS, TEXTS, VALUES};
use kubectl::{Input, Kubectl};

#[test]
fn values_are_as_expected() {
    let mut wrong = Vec::new();
    for (text, expected) in VALUES {
        let expected: Value = serde_json::from_str(expected).unwrap();
        let documents = yaml::read(probe(0, text).as_bytes());
        let [Ok(document)] = documents.as_slice() else { panic!("{text}: {documents:?}") };
        if document.value["spec"] != expected {
            wrong.push(format!("{text}\n  is {}\n  expected {expected}", document.value["spec"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn faults_say_what_is_wrong() {
    for (text, part) in FAULTS.iter().chain(OURS) {
        let documents = yaml::read(probe(0, text).as_bytes());
        let [Err(fault)] = documents.as_slice() else { panic!("{text}: {documents:?}") };
        assert!(fault.message.contains(part), "{text}: {fault}");
        assert!(fault.message.contains([';', ':']), "no remedy: {fault}");
        assert!(fault.position.line >= 2, "{text}: {fault:?}");
    }
}

#[test]
fn streams_are_split_as_expected() {
    for (stream, expected) in STREAMS {
        let documents = yaml::read(stream.as_bytes());
        assert_eq!(documents.len(), expected.len(), "{stream:?}: {documents:?}");
        for (document, expected) in documents.iter().zip(*expected) {
            match (document, expected.strip_prefix('!')) {
                (Err(fault), Some(part)) => assert!(fault.message.contains(part), "{stream:?}: {fault}"),
                (Ok(document), None) => {
                    assert_eq!(
                        document.value,
                        serde_json::from_str::<Value>(expected).unwrap(),
                        "{stream:?}"
                    );
                }
                _ => panic!("{stream:?}: {document:?}"),
            }
        }
    }
}

#[test]
fn kubectl_agrees_on_the_table() {
    let Some(kubectl) = Kubectl::find() else { return };
    let mut inputs = Vec::new();
    for (text, _) in VALUES {
        inputs.push(Input::yaml(probe(inputs.len(), text)));
    }
    for (text, _) in FAULTS {
        inputs.push(Input::yaml(probe(inputs.len(), text)));
    }
    for (stream, _) in STREAMS {
        inputs.push(Input::yaml(stamped(inputs.len(), stream)));
    }
    for text in TEXTS {
        let index = inputs.len();
        let value =
            serde_json::json!({"kind": format!("K{index}"), "spec": {"a": text, (*text): ["b", text]}});
        inputs.push(Input::yaml(yaml::write(&value)));
    }
    kubectl.compare("table", &inputs);
}

#[test]
fn kubectl_agrees_on_generated_documents() {
    let Some(kubectl) = Kubectl::find() else { return };
    let mut generator = generate::Generator::new(56);
    let values = (0..1_500).map(|index| probe(index, &generator.value()));
    let mut inputs: Vec<Input> = values.map(Input::yaml).collect();
    for index in inputs.len()..3_000 {
        inputs.push(Input::yaml(generator.document(index)));
    }
    for index in inputs.len()..4_000 {
        inputs.push(Input::yaml(stamped(index, &generator.stream())));
    }
    kubectl.compare("generated", &inputs);
}

#[test]
fn kubectl_agrees_on_the_corpus() {
    let Some(kubectl) = Kubectl::find() else { return };
    let Some(directory) = corpus() else { return };
    let mut files = Vec::new();
    manifests(&directory, &mut files);
    files.sort();
    assert!(!files.is_empty(), "{}: no manifests", directory.display());
    let inputs = files.iter().map(|path| Input::file(path)).collect::<Vec<_>>();
    kubectl.compare("corpus", &inputs);
}

/// A document whose member `spec` is the text; its kind tells which one it is.
fn probe(index: usize, text: &str) -> String {
    format!("kind: K{index}\nspec: {text}\n")
}

/// A stream whose documents have kinds that tell which stream they are of.
fn stamped(index: usize, stream: &str) -> String {
    let in_json = format!("\"kind\":\"K{index}-");
    stream.replace("\"kind\":\"", &in_json).replace("kind: ", &format!("kind: K{index}-"))
}

fn corpus() -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let directory = std::env::var_os("MESHGATE_CORPUS").map_or_else(default, PathBuf::from);
    if directory.is_dir() {
        return Some(directory);
    }
    assert!(std::env::var_os("CI").is_none(), "no corpus at {}; set MESHGATE_CORPUS", directory.display());
    println!("left out: no corpus at {}; set MESHGATE_CORPUS", directory.display());
    None
}

fn manifests(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let extension = path.extension().and_then(std::ffi::OsStr::to_str);
        if path.is_dir() {
            manifests(&path, files);
        } else if matches!(extension, Some("yaml" | "yml" | "json")) {
            files.push(path);
        }
    }
}
