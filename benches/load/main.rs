//! What the server carries: HTTPS on loopback, kept-alive connections, the bytes of one Pod of 9 KB under the embedded
//! starter policies. Beside it a server that only parses the review and allows it, with the same client.
//!
//! `benches/load/run` builds and runs it, `benches/load/run-images` what signed images cost (`images.rs`); docs/benchmarks.md says what the figures are.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "without its servers there is nothing to measure, and the figures are its result"
)]

mod baseline;
mod client;
mod far;
mod hostile;
mod images;
#[expect(clippy::unwrap_used, dead_code, reason = "that of the tests, which use more of it")]
#[path = "../../tests/images/programs.rs"]
mod programs;
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Client, Tally};
use meshgate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use serde_json::{Value, json};
use server::Server;

/// That of the binary (docs/adr/0004-allocator.md), for the baseline too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const POD: &[u8] = include_bytes!("../../tests/fixtures/admission-review/pod.json");

/// Connections of a run: one to see how long an answer takes, as many as keep two cores busy to see how many there are.
const CONNECTIONS: [usize; 2] = [1, 32];
/// More than the queue takes, so three times what can be carried and more.
const OVERLOAD: usize = 1_000;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    match words.next().as_deref() {
        Some("baseline") => baseline::serve(&words.next().expect("a directory with a certificate")),
        Some("all") => all(seconds(words.next(), 10), seconds(words.next(), 60)),
        Some("images") => images::run(),
        // As `cargo test --benches` and CI run it: nothing is measured.
        _ => println!("benches/load/run measures"),
    }
}

fn seconds(word: Option<String>, otherwise: u64) -> Duration {
    Duration::from_secs(word.and_then(|word| word.parse().ok()).unwrap_or(otherwise))
}

fn all(time: Duration, overloaded: Duration) {
    let certificate = server::certificate();
    let review = Arc::new(review().to_string().into_bytes());
    println!(
        "{} bytes a review, {} s each, {} s of overload",
        review.len(),
        time.as_secs(),
        overloaded.as_secs()
    );
    let baseline = Server::baseline(&certificate);
    report(&baseline, "/", "parses and allows", &review, time);
    drop(baseline);

    let server = Server::meshgate(&certificate);
    println!(
        "binary {} KiB; ready after {} ms; RSS {} KiB",
        server.binary_kib(),
        server.ready_ms(),
        server.rss_kib()
    );
    for path in ["/validate?timeout=10s", "/mutate?timeout=10s"] {
        report(&server, path, path, &review, time);
    }
    overload(&server, &review, overloaded);
    hostile::run(&server, &review, time);
}

fn report(server: &Server, path: &str, name: &str, review: &Arc<Vec<u8>>, time: Duration) {
    for connections in CONNECTIONS {
        let (cpu, began) = (server.cpu(), Instant::now());
        let tally = load(server, path, review, connections, time);
        let (took, cpu) = (began.elapsed(), server.cpu() - cpu);
        assert_eq!(tally.failed + tally.shed, 0, "{name}");
        println!(
            "{name}, {connections} connections: {}; RSS {} KiB",
            tally.line(took, cpu),
            server.rss_kib()
        );
    }
}

/// As many connections as no queue takes: what is not carried is shed, and memory stays.
fn overload(server: &Server, review: &Arc<Vec<u8>>, time: Duration) {
    let (cpu, began) = (server.cpu(), Instant::now());
    let tally = load(server, "/validate?timeout=10s", review, OVERLOAD, time);
    let line = tally.line(began.elapsed(), server.cpu() - cpu);
    let (shed, failed) = (tally.shed, tally.failed);
    println!(
        "overload, {OVERLOAD} connections: {line}; 503 {shed}, failed {failed}; RSS {} KiB",
        server.rss_kib()
    );
}

/// Each connection asks again as soon as it is answered.
fn load(server: &Server, path: &str, review: &Arc<Vec<u8>>, connections: usize, time: Duration) -> Tally {
    let end = Instant::now() + time;
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (target, path, review) = (server.target(), path.to_owned(), Arc::clone(review));
            std::thread::spawn(move || Client::ask_until(&target, &path, &review, end))
        })
        .collect();
    clients.into_iter().map(|client| client.join().expect("a client ends")).fold(Tally::default(), Tally::and)
}

/// The review of the Pod of 9 KB.
fn review() -> Value {
    let object: Value = serde_json::from_slice(POD).expect("the Pod is JSON");
    review_of("web", object.pointer("/request/object").cloned().unwrap_or(object))
}

/// The review of a new Pod.
fn review_of(name: &str, object: Value) -> Value {
    Request::new(RequestParts {
        uid: "00000000-0000-0000-0000-000000000001".to_owned(),
        kind: GroupVersionKind::new("", "v1", "Pod"),
        resource: GroupVersionResource::new("", "v1", "pods"),
        sub_resource: None,
        name: name.to_owned(),
        namespace: Some("shop".to_owned()),
        operation: Operation::Create,
        user_info: json!({ "username": "alice", "groups": ["system:authenticated"] }),
        object: Some(object),
        old_object: None,
        dry_run: false,
    })
    .to_review()
}
