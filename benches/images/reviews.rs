//! The Pod of 9 KB, whose five images are signed by a key and known already, under `embedded/starter`: without policies of
//! images, and with `images/require_signature`.

use std::future::{Future, ready};
use std::hint::black_box;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meshgate::admission::{Request, decode, respond};
use meshgate::context::{ContextSource, Fact, FactKey, Facts, Now};
use meshgate::engine::{Bundle, compile};
use meshgate::image::{
    Answer, Cached, CredentialSet, Digest, Evidence, EvidenceSource, Gathered, Gatherer, Limits, Remembered,
    Repository, Resolved, SourceError, Wanted,
};
use meshgate::kubernetes::image_reference::ImageReference;
use meshgate::policy::Draft;
use meshgate::review::{Phase, complete};
use meshgate::source;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::sigstore::{self, SIGNED, bundle_evidence, digest, key_bundle, statement};

const REVIEW: &[u8] = include_bytes!("../../tests/fixtures/admission-review/pod.json");
const TRUST: &str = "apiVersion: meshgate.io/v1alpha1\nkind: ImageTrust\nauthorities: {vendor: {key: {files: [k.pub], transparencyLog: none}}}\nrules: [{name: all, images: ['**'], require: {of: [vendor]}, enforcement: deny}]\n";
const BINDING: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: signed}\nspec: {policy: images/require_signature, enforcement: deny}\n";

/// How often each review is asked where they take turns.
const TURNS: usize = 2001;

/// A registry that has one signature, about every image.
struct Shelf(Evidence);

impl EvidenceSource for Shelf {
    fn resolve<'a>(
        &'a self,
        _: &'a ImageReference,
        _: &'a CredentialSet,
        _: tokio::time::Instant,
    ) -> Answer<'a, Resolved> {
        Box::pin(ready(Err(SourceError::NotFound)))
    }

    fn evidence<'a>(
        &'a self,
        _: &'a Repository,
        _: &'a Digest,
        _: &'a Wanted,
        _: &'a CredentialSet,
        _: tokio::time::Instant,
    ) -> Answer<'a, Gathered> {
        Box::pin(ready(Ok(Gathered { evidence: vec![self.0.clone()], unread: Vec::new(), stale: None })))
    }

    fn user<'a>(
        &'a self,
        _: &'a Repository,
        _: &'a Digest,
        _: &'a CredentialSet,
        _: tokio::time::Instant,
    ) -> Answer<'a, Option<String>> {
        Box::pin(ready(Err(SourceError::NotFound)))
    }
}

/// What is known of images, and of a namespace that denies.
struct World(Gatherer);

impl ContextSource for World {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        match key {
            FactKey::Namespace(name) => {
                let labels = json!({ "kubernetes.io/metadata.name": name, "meshgate.io/mode": "deny" });
                let fact = json!({ "name": name, "labels": labels, "annotations": {} });
                Box::pin(ready(Fact::Known(fact)))
            }
            key => self.0.fetch(key),
        }
    }
}

/// A review and by what it is judged.
struct Question {
    bundle: Bundle,
    world: World,
    runtime: Runtime,
    bytes: Vec<u8>,
}

impl Question {
    fn new(signed: bool, bytes: Vec<u8>) -> Self {
        let key = sigstore::key();
        let mut tree = source::profile("starter").expect("there is a profile");
        if signed {
            let pem = sigstore::pem_of(&key);
            tree.insert("trust.yaml", TRUST.as_bytes());
            tree.insert("k.pub", pem.as_bytes());
            tree.insert("signed.yaml", BINDING.as_bytes());
        }
        let draft = Draft::read(&tree, &source::catalogue());
        let bundle = compile(draft).unwrap_or_else(|faults| panic!("{faults}"));
        let signature = key_bundle(&key, &statement(&digest(), SIGNED, json!({})), None);
        let shelf = Arc::new(Shelf(bundle_evidence(&signature)));
        let cached = Arc::new(Cached::new(shelf, 1 << 20));
        let verifier = Remembered::sigstore(Limits::default(), 1 << 20);
        let gatherer = Gatherer::of_bundle(&bundle, cached, verifier, Limits::default());
        let world = World(gatherer.unwrap_or_else(|faults| panic!("{faults}")));
        let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
        Self { bundle, world, runtime, bytes }
    }

    /// Bytes to bytes; with how many findings of each binding.
    fn answer(&self) -> (Vec<u8>, Vec<String>) {
        let request: Request = decode(&self.bytes).expect("a review");
        let facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap_or_else(|error| panic!("{error}")));
        let deciding = complete(&self.bundle, &self.world, facts, &request, Phase::Validate);
        let decision = self.runtime.block_on(deciding);
        let answer = serde_json::to_vec(&respond(request.uid(), &decision.answer())).expect("an answer");
        (answer, decision.findings.iter().map(|one| one.policy.to_string()).collect())
    }
}

/// The Pod, with images by digest: five names of the same bytes, or one name for all of them.
fn review(one: Option<&str>) -> Vec<u8> {
    let mut review: Value = serde_json::from_slice(REVIEW).expect("the fixture is JSON");
    for list in ["containers", "initContainers"] {
        let containers = review.pointer_mut(&format!("/request/object/spec/{list}"));
        for container in containers.and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(image) = container.get_mut("image") {
                let written = image.as_str().unwrap_or_default().split('@').next().unwrap_or_default();
                let name = one.unwrap_or(written);
                *image = json!(format!("{name}@{}", digest()));
            }
        }
    }
    review.to_string().into_bytes()
}

pub(crate) fn measure() {
    for (images, bytes) in
        [("five images", review(None)), ("one image", review(Some("ghcr.io/example/app:1")))]
    {
        let (without, with) = (Question::new(false, bytes.clone()), Question::new(true, bytes));
        // The same is found by both: what is signed adds nothing.
        assert_eq!(without.answer().1, with.answer().1);
        in_turn(images, &without, &with);
    }
}

/// Asks the one and the other in turn: what else the machine does is the same for both.
fn in_turn(images: &str, without: &Question, with: &Question) {
    let took = |question: &Question| {
        let began = Instant::now();
        black_box(question.answer());
        began.elapsed()
    };
    let (mut first, mut second): (Vec<_>, Vec<_>) = (0..TURNS).map(|_| (took(without), took(with))).unzip();
    let median = |all: &mut Vec<Duration>| {
        all.sort();
        all.get(TURNS / 2).copied().unwrap_or_default()
    };
    let (first, second) = (median(&mut first), median(&mut second));
    let more = (second.as_secs_f64() / first.as_secs_f64() - 1.0) * 100.0;
    println!(
        "images/review of {images}: without policies of images {first:?}, images known {second:?}: {more:+.1} %"
    );
}
