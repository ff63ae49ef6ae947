//! What a review costs beside what it cannot cost less than: reading the JSON, and the same checks written by hand in
//! Rust. One Pod of 9 KB with five containers against the policies of by_hand.rs; every line reads the same bytes.
//! And what large questions cost, each in two sizes.
//!
//! `cargo bench --bench review`. Before anything is measured it is made sure that the checks by hand find exactly what
//! the review finds; otherwise the baseline would be that of another question.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "without its Pod and its policies there is nothing to measure"
)]

#[path = "review/by_hand.rs"]
mod by_hand;
#[path = "review/large.rs"]
mod large;

use std::collections::{BTreeMap, BTreeSet};

use by_hand::Found;
use criterion::Criterion;
use meshgate::admission::{
    GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts, decode, respond,
};
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::{self, Bundle};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Action, Decision, Phase, Progress, review};
use serde_json::{Value, json};

/// That of the binary (docs/adr/0004-allocator.md), for all lines alike.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The Pod as the API server describes it, for people to read.
const POD: &[u8] = include_bytes!("../tests/fixtures/admission-review/pod.json");

/// What is asked, and by what it is judged.
struct Question {
    bytes: Vec<u8>,
    bundle: Bundle,
    facts: Facts,
}

impl Question {
    fn new() -> Self {
        let pod: Value = serde_json::from_slice(POD).expect("the Pod is JSON");
        // As it is sent: without a space.
        Self::of(pod.to_string().into_bytes(), starter())
    }

    /// The creation of a Pod.
    fn about(pod: &Value, bundle: Bundle) -> Self {
        let request = Request::new(RequestParts {
            uid: "7".to_owned(),
            kind: GroupVersionKind::new("", "v1", "Pod"),
            resource: GroupVersionResource::new("", "v1", "pods"),
            sub_resource: None,
            name: "web".to_owned(),
            namespace: Some("shop".to_owned()),
            operation: Operation::Create,
            user_info: json!({ "username": "alice" }),
            object: Some(pod.clone()),
            old_object: None,
            dry_run: false,
        });
        Self::of(request.to_review().to_string().into_bytes(), bundle)
    }

    /// The namespace denies, so that an answer has all that it can have: a line and a cause for each finding.
    fn of(bytes: Vec<u8>, bundle: Bundle) -> Self {
        let namespace = FactKey::Namespace("shop".to_owned());
        let labels = json!({ "kubernetes.io/metadata.name": "shop", "meshgate.io/mode": "deny" });
        let fact = Fact::Known(json!({ "name": "shop", "labels": labels, "annotations": {} }));
        let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").expect("a time"));
        facts.extend(BTreeSet::from([namespace.clone()]), BTreeMap::from([(namespace, fact)]));

        Self { bytes, bundle, facts }
    }

    fn value(&self) -> Value {
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    fn request(&self) -> Request {
        decode(&self.bytes).expect("an AdmissionReview")
    }

    fn decision(&self, request: &Request, phase: Phase) -> Decision {
        match review(&self.bundle, &self.facts, request, phase) {
            Progress::Done(decision) => *decision,
            Progress::Need(keys) => panic!("facts are missing: {keys:?}"),
        }
    }

    /// Bytes to bytes, as a worker of the webhook does it.
    fn answer(&self, phase: Phase) -> Vec<u8> {
        let request = self.request();
        let decision = self.decision(&request, phase);
        serde_json::to_vec(&respond(request.uid(), &decision.answer())).expect("an answer")
    }

    /// Both ways find and change the same.
    fn check(&self) {
        let (request, value) = (self.request(), self.value());
        let validated = self.decision(&request, Phase::Validate);
        for finding in &validated.findings {
            assert!(finding.action == Action::Deny && !finding.is_error, "{finding:?}");
        }
        let reviewed: Vec<Found> = validated
            .findings
            .iter()
            .map(|finding| Found {
                policy: finding.policy.as_str(),
                binding: &finding.binding,
                message: finding.message.clone(),
                field: finding.field.clone().unwrap_or_default(),
                remedy: finding.remedy.clone().unwrap_or_default(),
            })
            .collect();
        assert_eq!(
            by_hand::validate(&value),
            reviewed,
            "benches/review/by_hand.rs has to follow the policies"
        );
        let violated: BTreeSet<&str> = reviewed.iter().map(|found| found.policy).collect();
        assert_eq!(violated.len(), 5, "the Pod violates each of the policies: {violated:?}");

        let patch = self.decision(&request, Phase::Mutate).patch;
        assert!(!patch.is_empty(), "there is something to mutate");
        assert_eq!(by_hand::mutate(&value), Some(patch.to_value()));
    }
}

fn starter() -> Bundle {
    engine::compile(Draft::read(&by_hand::policies(), &Tree::default()))
        .expect("the embedded policies compile")
}

fn measure(criterion: &mut Criterion, question: &Question) {
    let mut group = criterion.benchmark_group("pod");
    group.bench_function("parse: serde_json", |b| b.iter(|| question.value()));
    group.bench_function("parse: decode", |b| b.iter(|| question.request()));
    group.bench_function("by hand: validate", |b| b.iter(|| by_hand::validate(&question.value())));
    group.bench_function("by hand: mutate", |b| b.iter(|| by_hand::mutate(&question.value())));
    group.bench_function("review: validate", |b| b.iter(|| question.answer(Phase::Validate)));
    group.bench_function("review: mutate", |b| b.iter(|| question.answer(Phase::Mutate)));
    group.finish();
}

fn main() {
    let question = Question::new();
    question.check();
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, &question);
    // `cargo test` runs each line once, without optimisation: the large ones would take minutes there.
    if std::env::args().any(|argument| argument == "--bench") {
        large::measure(&mut criterion);
    }
    criterion.final_summary();
}
