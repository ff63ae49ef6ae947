//! An answer, or a request to try again, comes before the API server stops waiting; a panic spoils one request.

use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use meshgate::webhook::Limits;

use crate::bundle;
use crate::client::{good_spec, review};
use crate::server::Server;
use crate::source::{Namespaces, Panicking, Silent};

#[test]
fn a_source_that_never_answers_ends_at_the_deadline() {
    let server = Server::start(bundle::inline(), Silent, Limits::default());
    let table = [
        ("/validate?timeout=1s", 0.3),
        ("/mutate?timeout=300ms", 0.3),
        ("/validate?timeout=2s", 1.0),
        ("/mutate?timeout=3s", 1.5),
    ];
    for (path, seconds) in table {
        let began = Instant::now();
        let response = server.client().review(path, &review("1", "shop", &good_spec()));
        let took = began.elapsed().as_secs_f64();
        assert!(response.asks_to_try_again(), "{path}: {response:?}");
        assert!(took >= seconds * 0.9 && took < seconds + 0.7, "{path}: {took}");
    }
}

#[test]
fn busy_workers_shed_what_waits_too_long() {
    let wait = Duration::from_millis(600);
    let server = Server::start(bundle::slow(2), Namespaces, Limits { workers: 1, wait, ..Limits::default() });
    let mut busy = server.client();
    let busy = spawn(move || busy.review("/validate?timeout=10s", &review("1", "shop", &good_spec())));
    sleep(Duration::from_millis(200));
    // The queue's own limit, and a deadline that comes before it.
    for (path, seconds) in [("/validate?timeout=10s", 0.6), ("/validate?timeout=1s", 0.3)] {
        let began = Instant::now();
        let response = server.client().review(path, &review("2", "shop", &good_spec()));
        let took = began.elapsed().as_secs_f64();
        assert!(response.asks_to_try_again(), "{path}: {response:?}");
        assert!(took >= seconds * 0.9 && took < seconds + 0.4, "{path}: {took}");
    }
    // A policy that takes too long is in error, and denies.
    let denied = busy.join().unwrap().json();
    assert_eq!(denied["response"]["status"]["code"], 500, "{denied}");
}

#[test]
fn who_waits_for_facts_keeps_no_worker() {
    let server = Server::start(bundle::inline(), Silent, Limits { workers: 1, ..Limits::default() });
    let mut waiting = server.client();
    let waiting = spawn(move || waiting.review("/validate?timeout=3s", &review("1", "shop", &good_spec())));
    sleep(Duration::from_millis(200));
    let mut other = review("2", "shop", &good_spec());
    other["request"]["resource"] =
        serde_json::json!({ "group": "", "version": "v1", "resource": "services" });
    let began = Instant::now();
    assert_eq!(server.client().review("/validate", &other).status, 200);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert!(waiting.join().unwrap().asks_to_try_again());
}

#[test]
fn a_panic_spoils_one_request() {
    let server = Server::start(bundle::inline(), Panicking, Limits { workers: 1, ..Limits::default() });
    let mut client = server.client();
    for _ in 0..3 {
        let spoilt = client.review("/validate", &review("1", "panic", &good_spec()));
        assert_eq!(spoilt.status, 500, "{spoilt:?}");
        assert!(!spoilt.text().contains("a test's panic"), "{spoilt:?}");
        let good = client.review("/validate", &review("2", "shop", &good_spec()));
        assert_eq!(good.status, 200, "{good:?}");
    }
}
