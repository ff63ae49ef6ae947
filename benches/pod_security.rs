//! What Pod Security costs: `pod_security/standard` at `restricted` on a Pod of 9 KB with five containers, on one that
//! has nothing wrong, and on Pods with more and more containers. Beside it the reference implementation on the same bytes,
//! where `MESHGATE_REFERENCE_TOOLS` names the directory that has it. And what a namespace of 3,000 Pods costs that is to
//! enforce `restricted`, whose answer has a second (`pod_security/admission`).
//!
//! `MESHGATE_REFERENCE_TOOLS=$(tests/reference/build.sh --dir) cargo bench --bench pod_security`

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "without its Pods and its policy there is nothing to measure; the reference prints its own number"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use criterion::{BenchmarkId, Criterion};
use futures_util::FutureExt;
use meshgate::admission::{Request, decode, respond};
use meshgate::context::{Fact, FactKey, Facts, Now, Others, World};
use meshgate::engine::{self, Bundle};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Action, Decision, Phase, Progress, complete, review};
use meshgate::source;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The Pod as the API server describes it.
const REVIEW: &[u8] = include_bytes!("../tests/fixtures/admission-review/pod.json");

const STANDARD: &str = "{policy: pod_security/standard, enforcement: deny, parameters: {level: restricted}}";
const ADMISSION: &str = "{policy: pod_security/admission, enforcement: deny}";
const BUNDLE: &str = "{apiVersion: meshgate.io/v1alpha1, kind: Bundle, metadata: {name: pss}, spec: {includes: [pod_security]}}";

struct Question {
    bundle: Bundle,
    facts: Facts,
}

impl Question {
    fn new(spec: &str) -> Self {
        let mut tree = Tree::default();
        tree.insert("binding.yaml", format!("{{apiVersion: meshgate.io/v1alpha1, kind: PolicyBinding, metadata: {{name: pss}}, spec: {spec}}}"));
        tree.insert("bundle.yaml", BUNDLE);
        let draft = Draft::read(&tree, &source::catalogue());
        let bundle = engine::compile(draft).unwrap_or_else(|faults| panic!("{faults}"));
        let namespace = FactKey::Namespace("shop".to_owned());
        let fact = Fact::Known(json!({ "name": "shop", "labels": {}, "annotations": {} }));
        let mut facts = now();
        facts.extend(BTreeSet::from([namespace.clone()]), BTreeMap::from([(namespace, fact)]));
        Self { bundle, facts }
    }

    fn decision(&self, request: &Request) -> Decision {
        match review(&self.bundle, &self.facts, request, Phase::Validate) {
            Progress::Done(decision) => *decision,
            Progress::Need(keys) => panic!("facts are missing: {keys:?}"),
        }
    }

    /// Bytes to bytes, as a worker of the webhook does it.
    fn answer(&self, bytes: &[u8]) -> Vec<u8> {
        let request = decode(bytes).expect("an AdmissionReview");
        serde_json::to_vec(&respond(request.uid(), &self.decision(&request).answer())).expect("an answer")
    }

    /// Makes sure of what is found, so that nothing else is measured.
    fn expect(&self, review: &Value, denied: bool) {
        let request = decode(review.to_string().as_bytes()).expect("an AdmissionReview");
        let findings = self.decision(&request).findings;
        assert!(findings.iter().all(|finding| !finding.is_error), "{findings:?}");
        assert_eq!(!findings.is_empty(), denied, "{findings:?}");
    }
}

fn now() -> Facts {
    Facts::at(Now::parse("2026-01-31T12:00:00Z").expect("a time"))
}

/// A namespace of 3,000 Pods of so many controllers, with so many different specs, of which each violates something.
struct Crowd {
    question: Question,
    world: World,
    request: Request,
}

impl Crowd {
    fn new(controllers: usize, different: usize) -> Self {
        let mut world = World::new(Others::Fresh);
        (0..3_000).for_each(|number| world.insert(Some("shop"), &replica(number, controllers, different)));
        let labels = |level: &str| json!({ "pod-security.kubernetes.io/enforce": level });
        let object = |level: &str| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": labels(level) } });
        let review = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "7", "operation": "UPDATE", "name": "shop", "namespace": "shop", "userInfo": { "username": "u" },
                "kind": { "group": "", "version": "v1", "kind": "Namespace" },
                "resource": { "group": "", "version": "v1", "resource": "namespaces" },
                "object": object("restricted"), "oldObject": object("privileged"),
            }
        });
        let request = decode(review.to_string().as_bytes()).expect("an AdmissionReview");
        Self { question: Question::new(ADMISSION), world, request }
    }

    fn decision(&self) -> Decision {
        let decision = complete(&self.question.bundle, &self.world, now(), &self.request, Phase::Validate);
        decision.now_or_never().expect("a world that is known has its facts at hand")
    }
}

/// Violates another set of checks for each of 16 numbers, so that there are as many lines to say.
fn replica(number: usize, controllers: usize, different: usize) -> Value {
    let (kind, controller) = (number % different, number % controllers);
    let is = |bit: usize| (kind >> bit) & 1 == 1;
    let uid = json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("w-{controller}"), "uid": controller.to_string(), "controller": true }]);
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": format!("web-{number:04}"), "namespace": "shop", "ownerReferences": uid },
        "spec": {
            "hostPID": is(0), "securityContext": { "runAsUser": usize::from(!is(1)) },
            "volumes": [{ "name": "config", "configMap": { "name": format!("web-{number}") } }],
            "containers": [
                { "name": format!("app-{kind}"), "image": "ghcr.io/acme/app:1.4.2", "securityContext": { "privileged": is(2) } },
                { "name": "proxy", "image": "ghcr.io/acme/proxy:1.4.2", "ports": [{ "containerPort": 80, "hostPort": usize::from(is(3)) }] },
            ],
        },
    })
}

fn relabelled(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("3,000 Pods relabelled");
    group.sample_size(10);
    for (controllers, different) in [(1, 1), (40, 200), (3_000, 200)] {
        let crowd = Crowd::new(controllers, different);
        let findings = crowd.decision().findings;
        let are_warnings = findings.iter().all(|one| one.action == Action::Warn && !one.is_error);
        assert!(are_warnings && findings.len() == different.min(16).saturating_add(1), "{findings:?}");
        group.bench_function(format!("{controllers} controllers, {different} specs"), |b| {
            b.iter(|| crowd.decision())
        });
    }
    group.finish();
}

fn container(index: usize) -> Value {
    json!({
        "name": format!("c{index}"), "image": "ghcr.io/acme/app:1.4.2",
        "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
    })
}

/// The same review of a Pod of so many containers with which all is right.
fn right(review: &Value, containers: usize) -> Value {
    let mut review = review.clone();
    let spec = json!({
        "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": (0..containers).map(container).collect::<Vec<_>>(),
    });
    *review.pointer_mut("/request/object/spec").expect("a Pod") = spec;
    review
}

/// Asks the reference for its own measurement of the same Pod.
fn reference(name: &str, review: &Value) {
    let Some(tools) = env::var_os("MESHGATE_REFERENCE_TOOLS").map(PathBuf::from) else { return };
    let mut child = Command::new(tools.join("podsecurity"))
        .args(["-bench", "2000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the reference starts");
    let line =
        json!({ "pod": review.pointer("/request/object"), "level": "restricted", "version": "latest" });
    let mut stdin = child.stdin.take().expect("a pipe");
    writeln!(stdin, "{line}").expect("the reference reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the reference ends");
    println!("reference, {name}: {}", String::from_utf8_lossy(&output.stdout).trim_end());
}

fn main() {
    let question = Question::new(STANDARD);
    let wrong: Value = serde_json::from_slice(REVIEW).expect("the Pod is JSON");
    let right_one = right(&wrong, 5);
    question.expect(&wrong, true);
    question.expect(&right_one, false);
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("restricted");
    for (name, review) in [("much is wrong", &wrong), ("nothing is wrong", &right_one)] {
        let bytes = review.to_string().into_bytes();
        let request = decode(&bytes).expect("an AdmissionReview");
        group.bench_function(format!("{name}: bytes to bytes"), |b| b.iter(|| question.answer(&bytes)));
        group.bench_function(format!("{name}: review"), |b| b.iter(|| question.decision(&request)));
        reference(name, review);
    }
    for count in [100_usize, 1_000, 10_000] {
        let request = decode(right(&wrong, count).to_string().as_bytes()).expect("an AdmissionReview");
        group.sample_size(10);
        group.bench_with_input(BenchmarkId::new("containers", count), &request, |b, request| {
            b.iter(|| question.decision(request));
        });
    }
    group.finish();
    // `cargo test` runs each line once, without optimisation: there it may take longer than a policy may.
    if env::args().any(|argument| argument == "--bench") {
        relabelled(&mut criterion);
    }
    criterion.final_summary();
}
