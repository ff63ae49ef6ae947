//! What an injection costs: Istio 1.30's own template, values and configuration, a Pod of one container and one of 9 KB with
//! five; from the request to the patch with its proof (`/mutate`), and the Pod as it comes back (`/validate`), by its proof
//! and by rendering it anew. The template is parsed once, which is measured beside.
//!
//! Beside it istiod's own code does the same with the same bytes and the same configuration: from the request to the patch.
//!
//! `MESHGATE_REFERENCE_TOOLS=$(tests/reference/build.sh --dir) cargo bench --bench inject`: the cases of Istio's own test are
//! needed (`MESHGATE_CONFORMANCE`, else `../shared/conformance`).

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "without a mesh and its Pods there is nothing to measure; where the mesh is not at hand that is said"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use criterion::Criterion;
use meshgate::admission::{Request, decode, respond};
use meshgate::context::{Fact, FactKey, Facts, Now, ProofKeys};
use meshgate::engine::{Bundle, compile};
use meshgate::mesh::istio::Istio;
use meshgate::policy::Draft;
use meshgate::review::{Decision, Phase, Progress, review_in};
use meshgate::{source, yaml};
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The Pod as the API server describes it.
const REVIEW: &[u8] = include_bytes!("../tests/fixtures/admission-review/pod.json");

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The ConfigMaps of Istio's first case, with the template that lies beside the cases.
fn config_maps(root: &Path) -> Vec<Value> {
    let cases: Value =
        serde_json::from_str(&read(&root.join("release-1.30/cases.json"))).expect("the cases are JSON");
    let of_case = |name: &str| {
        let path = cases.pointer(&format!("/0/{name}")).and_then(Value::as_str).expect("a case has files");
        read(&root.join("release-1.30").join(path))
    };
    let shipped = read(&root.join("manifest-generate/sidecar_template.release-1.30.golden.yaml"));
    let mut shipped = yaml::read(shipped.as_bytes()).into_iter().filter_map(Result::ok).map(|one| one.value);
    let is_injector = |one: &Value| one.pointer("/metadata/name") == Some(&json!("istio-sidecar-injector"));
    let shipped = shipped.find(is_injector).expect("the ConfigMap is there");
    let config = shipped.pointer("/data/config").and_then(Value::as_str).expect("it has a configuration");
    let config = yaml::read_last_wins(config).unwrap_or_else(|_| panic!("the configuration is YAML"));
    let sidecar = config.pointer("/templates/sidecar").cloned().unwrap_or_default();
    let config = json!({ "policy": "enabled", "templates": { "sidecar": sidecar } });
    let map = |name: &str, data: Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": data });
    vec![
        map("istio-sidecar-injector", json!({ "config": config.to_string(), "values": of_case("values") })),
        map("istio", json!({ "mesh": of_case("mesh") })),
    ]
}

fn facts() -> Facts {
    let now = Now::parse("2026-01-31T12:00:00Z").unwrap_or_else(|error| panic!("{error}"));
    let keys = Arc::new(ProofKeys::default().rotated(now, [7; 32]));
    let mut facts = Facts::at(now).proving_with(keys);
    let namespace = FactKey::Namespace("shop".to_owned());
    let fact = Fact::Known(json!({ "name": "shop", "labels": {}, "annotations": {} }));
    facts.extend(BTreeSet::from([namespace.clone()]), BTreeMap::from([(namespace, fact)]));
    facts
}

fn decided(mesh: &Istio, bundle: &Bundle, facts: &Facts, request: &Request, phase: Phase) -> Decision {
    match review_in(mesh, bundle, facts, request, phase) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("asks for {keys:?}"),
    }
}

/// The review of that Pod, as bytes.
fn with_pod(pod: &Value) -> Vec<u8> {
    let mut review: Value = serde_json::from_slice(REVIEW).expect("the fixture is JSON");
    if let Some(place) = review.pointer_mut("/request/object") {
        pod.clone_into(place);
    }
    review.to_string().into_bytes()
}

fn of_pod(criterion: &mut Criterion, name: &str, mesh: &Istio, bytes: &[u8]) {
    let profile = source::profile("mesh").expect("there is a profile");
    let policies =
        compile(Draft::read(&profile, &source::catalogue())).unwrap_or_else(|faults| panic!("{faults}"));
    let strict = source::profile("starter").expect("there is a profile");
    let judging =
        compile(Draft::read(&strict, &source::catalogue())).unwrap_or_else(|faults| panic!("{faults}"));
    let facts = facts();
    let mutate = |bytes: &[u8]| {
        let request = decode(bytes).expect("it is a review");
        let decision = decided(mesh, &policies, &facts, &request, Phase::Mutate);
        let answer = respond(request.uid(), &decision.answer());
        (decision.object, serde_json::to_vec(&answer).expect("an answer is JSON"))
    };
    let (object, answer) = mutate(bytes);
    let object = object.expect("the Pod is let in");
    println!("{name}: {} bytes come, {} go", bytes.len(), answer.len());
    criterion
        .bench_function(&format!("inject/{name}: bytes to patch"), |bencher| bencher.iter(|| mutate(bytes)));
    let proven = decode(&with_pod(&object)).expect("it is a review");
    let mut bare = object.clone();
    if let Some(annotations) = bare.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(meshgate::mesh::proof::ANNOTATION);
    }
    let bare = decode(&with_pod(&bare)).expect("it is a review");
    for (how, request) in [("by its proof", &proven), ("by rendering it anew", &bare)] {
        criterion.bench_function(&format!("inject/{name}: judged {how}"), |bencher| {
            bencher.iter(|| decided(mesh, &judging, &facts, request, Phase::Validate));
        });
    }
}

/// What istiod's own code takes for the same, on one core.
fn of_istiod(name: &str, maps: &[Value], review: &[u8]) {
    let Some(tools) = std::env::var_os("MESHGATE_REFERENCE_TOOLS").map(PathBuf::from) else {
        println!("left out: istiod's own code; set MESHGATE_REFERENCE_TOOLS");
        return;
    };
    let review: Value = serde_json::from_slice(review).expect("the review is JSON");
    let text =
        |map: usize, key: &str| maps.get(map).and_then(|map| map.pointer(&format!("/data/{key}"))).cloned();
    let line = json!({
        "config": text(0, "config"), "values": text(0, "values"), "mesh": text(1, "mesh"), "review": review,
    });
    let mut child = Command::new(tools.join("istio-inject"))
        .args(["-bench", "2000"])
        .envs([("GOMAXPROCS", "1"), ("ENABLE_NATIVE_SIDECARS", "true")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    writeln!(stdin, "{line}").expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "istio-inject fails");
    println!(
        "inject/{name}: bytes to patch, by istiod's code: {} ns",
        String::from_utf8_lossy(&output.stdout).trim()
    );
}

fn main() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let root =
        std::env::var_os("MESHGATE_CONFORMANCE").map_or_else(beside, PathBuf::from).join("istio-inject");
    if !root.is_dir() {
        println!("left out: there is no {}; set MESHGATE_CONFORMANCE", root.display());
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let objects = config_maps(&root);
    let mesh = || Istio::of_objects(&objects, None).unwrap_or_else(|why| panic!("{why}"));
    criterion.bench_function("inject/configuration read", |bencher| bencher.iter(mesh));
    let mesh = mesh();
    let small = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "containers": [{ "name": "web", "image": "web:1" }] },
    });
    for (name, review) in [("one container", with_pod(&small)), ("five containers", REVIEW.to_vec())] {
        of_pod(&mut criterion, name, &mesh, &review);
        of_istiod(name, &objects, &review);
    }
    criterion.final_summary();
}
