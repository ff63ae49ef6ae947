//! The real kubectl as a reader of YAML: `kubectl label --local` prints what it read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use meshgate::yaml;
use serde_json::Value;

/// What both read.
pub(crate) struct Input {
    name: String,
    bytes: Vec<u8>,
}

impl Input {
    pub(crate) fn yaml(text: String) -> Self {
        Self { name: text.clone(), bytes: text.into_bytes() }
    }

    pub(crate) fn file(path: &Path) -> Self {
        Self { name: path.display().to_string(), bytes: std::fs::read(path).unwrap() }
    }
}

pub(crate) struct Kubectl(PathBuf);

/// What one of the two read of an input: the objects up to the first fault, and whether there was one.
#[derive(Debug, Default)]
struct Reading {
    objects: Vec<Value>,
    has_failed: bool,
}

impl Kubectl {
    /// The program; None where there is none, which a CI run must not accept.
    pub(crate) fn find() -> Option<Self> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let inside = |name: &str| variable(name).map(|directory| directory.join("kubectl"));
        let path = variable("MESHGATE_KUBECTL")
            .or_else(|| inside("MESHGATE_REFERENCE_TOOLS"))
            .or_else(|| inside("KUBEBUILDER_ASSETS"));
        if path.is_none() {
            assert!(std::env::var_os("CI").is_none(), "no kubectl; set MESHGATE_KUBECTL");
            println!(
                "left out: no kubectl; set MESHGATE_KUBECTL, MESHGATE_REFERENCE_TOOLS or KUBEBUILDER_ASSETS"
            );
        }
        path.map(Self)
    }

    /// Fails unless kubectl and meshgate read the same of each input, but for what only meshgate refuses.
    pub(crate) fn compare(&self, what: &str, inputs: &[Input]) {
        let all: Vec<_> = inputs.iter().map(|input| (input, yaml::read(&input.bytes))).collect();
        let is_ours = |documents: &[Result<yaml::Document, yaml::Fault>]| {
            documents.iter().filter_map(|document| document.as_ref().err()).any(is_deliberate)
        };
        let (left_out, compared): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, documents)| is_ours(documents));
        let theirs = self.read(&compared.iter().map(|(input, _)| *input).collect::<Vec<_>>());
        let mut different = 0;
        for ((input, documents), theirs) in compared.iter().zip(theirs) {
            let ours = our_reading(documents);
            // kubectl drops the objects before a separator that is a fault.
            let is_equal = ours.has_failed == theirs.has_failed
                && (ours.has_failed || ours.objects.len() == theirs.objects.len())
                && ours.objects.iter().zip(&theirs.objects).all(|(ours, theirs)| is_same(ours, theirs));
            if !is_equal {
                different += 1;
                println!("{what}: {:?}\n  meshgate {ours:?}\n  kubectl  {theirs:?}", input.name);
            }
        }
        let run = compared.len();
        let left_out = left_out.len();
        println!(
            "{what}: {run} run, {} equal, {different} different; {left_out} only meshgate refuses",
            run - different
        );
        assert_eq!(different, 0);
    }

    fn read(&self, inputs: &[&Input]) -> Vec<Reading> {
        let directory = tempfile::tempdir().unwrap();
        for (index, input) in inputs.iter().enumerate() {
            std::fs::write(directory.path().join(format!("{index:06}.yaml")), &input.bytes).unwrap();
        }
        let mut command = Command::new(&self.0);
        command.args(["label", "--local", "-f"]).arg(directory.path()).args([
            "meshgate-probe=read",
            "-o",
            "json",
        ]);
        let output = command.env("KUBECONFIG", "/dev/null").output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let failed: BTreeSet<usize> =
            errors.split('/').filter_map(|part| part.get(..6)?.parse().ok()).collect();
        let mut objects =
            serde_json::Deserializer::from_slice(&output.stdout).into_iter::<Value>().map(Result::unwrap);
        // Objects come in the order of the inputs; how many are an input's can't be told if it failed, nor if kubectl is
        // wrong; then the kinds tell.
        let mut readings = Vec::new();
        let mut next = objects.next();
        for (index, input) in inputs.iter().enumerate() {
            let mut reading = Reading { objects: Vec::new(), has_failed: failed.contains(&index) };
            let ours = our_reading(&yaml::read(&input.bytes));
            while let Some(object) =
                next.take_if(|object| belongs(object, &ours, reading.objects.len(), input))
            {
                reading.objects.push(without_probe(object));
                next = objects.next();
            }
            readings.push(reading);
        }
        assert!(next.is_none(), "kubectl printed more: {next:?}");
        readings
    }
}

/// Whether an object is of an input: by the kind where it is a generated one, else by what we read of it.
fn belongs(object: &Value, ours: &Reading, count: usize, input: &Input) -> bool {
    let kind = object["kind"].as_str().unwrap_or_default();
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().map(str::to_owned);
    match kind.strip_prefix('K').and_then(number).filter(|number| !number.is_empty()) {
        Some(number) => input.name.split("kind").skip(1).any(|rest| {
            rest.trim_start_matches(['"', ':', ' ', 'K'])
                .strip_prefix(&number)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        }),
        None => count < ours.objects.len(),
    }
}

/// What we refuse and kubectl doesn't.
fn is_deliberate(fault: &yaml::Fault) -> bool {
    fault.message.starts_with("duplicate key") || fault.message.contains("while scanning a tag")
}

fn our_reading(documents: &[Result<yaml::Document, yaml::Fault>]) -> Reading {
    let mut reading = Reading::default();
    for document in documents {
        match document {
            Ok(document) if document.value["kind"].as_str().is_some_and(|kind| !kind.is_empty()) => {
                reading.objects.push(document.value.clone());
            }
            // kubectl reads it, and then misses the kind.
            Ok(_) | Err(_) => {
                reading.has_failed = true;
                break;
            }
        }
    }
    reading
}

/// An object without the label that kubectl was told to set.
fn without_probe(mut object: Value) -> Value {
    if let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("meshgate-probe");
    }
    object
}

/// Equal, but that kubectl holds integers beyond `i64` as doubles and writes doubles without fraction as integers, and
/// that it makes metadata and labels where there are none.
fn is_same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let is_made = |name: &str, value: &Value| match name {
                "labels" => *value == serde_json::json!({}),
                "metadata" => *value == serde_json::json!({"labels": {}}),
                _ => false,
            };
            let are_same = theirs.iter().all(|(name, theirs)| match ours.get(name) {
                Some(ours) => is_same(ours, theirs) || ours.is_null() && is_made(name, theirs),
                None => is_made(name, theirs),
            });
            are_same && ours.keys().all(|name| theirs.contains_key(name))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| is_same(ours, theirs))
        }
        (Value::Number(ours), Value::Number(theirs)) => {
            ours == theirs || !ours.is_i64() && ours.as_f64() == theirs.as_f64()
        }
        _ => ours == theirs,
    }
}
