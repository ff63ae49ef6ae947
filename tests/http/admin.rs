//! The admin port: health, what is in force, how the process is set up.

use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use meshgate::activation::Step;
use meshgate::webhook::Limits;
use serde_json::{Value, json};

use crate::bundle;
use crate::client::{good_spec, head, review};
use crate::server::{Options, Server};
use crate::source::Namespaces;

fn json_of(server: &Server, path: &str) -> Value {
    let (status, text) = server.admin(path);
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn without_policies_nothing_is_answered_and_it_is_not_ready() {
    let server = Server::with(None, Namespaces, Options::default());
    let failed = "[-]bundle failed: not known yet\n[+]serving ok\nreadyz check failed\n";
    assert_eq!(server.admin("/readyz"), (503, failed.to_owned()));
    assert_eq!(server.admin("/livez"), (200, "ok\n".to_owned()));
    let response = server.client().review("/validate", &review("1", "shop", &good_spec()));
    assert!(response.asks_to_try_again(), "{response:?}");
    let nothing = json!({
        "revision": null, "active": null, "source": { "name": "embedded/starter" }, "candidate": null, "lastGood": null,
        "refused": null, "floor": null,
    });
    assert_eq!(json_of(&server, "/bundle"), nothing);

    let bundle = bundle::inline();
    let revision = bundle.revision.to_string();
    server.activate(bundle);
    assert_eq!(server.admin("/readyz"), (200, "ok\n".to_owned()));
    let verbose = format!("[+]bundle ok: {revision}\n[+]serving ok\nreadyz check passed\n");
    assert_eq!(server.admin("/readyz?verbose"), (200, verbose));
    assert_eq!(server.client().review("/validate", &review("1", "shop", &good_spec())).status, 200);
}

#[test]
fn what_is_only_told_keeps_no_request_away() {
    let server = Server::start(bundle::inline(), Namespaces, Limits::default());
    let told = server.readiness.told("registration");
    assert_eq!(server.admin("/readyz"), (200, "ok\n".to_owned()));
    told.fails("the API server is not told yet");
    let (status, text) = server.admin("/readyz?verbose");
    let line = "\n[!]registration not yet: the API server is not told yet\n";
    assert!(status == 200 && text.contains(line), "{text}");
    told.holds("");
    assert!(server.admin("/readyz?verbose").1.contains("\n[+]registration ok\n"));
}

#[test]
fn a_refused_candidate_is_told_beside_the_last_good_one() {
    let bundle = bundle::inline();
    let revision = bundle.revision.to_string();
    let server = Server::start(bundle, Namespaces, Limits::default());
    server.activation.refuse(Some("sha256:new"), Step::Gate, "a.rego:1: wrong\nb.rego:2: wrong too");
    let mut shown = json_of(&server, "/bundle");
    assert!(shown["refused"]["at"].take().is_string() && shown["lastGood"]["since"].take().is_string());
    assert_eq!(shown["active"].take()["kind"], "directory");
    let expected = json!({
        "revision": revision, "source": { "name": "embedded/starter" }, "candidate": null, "active": null, "floor": null,
        "lastGood": { "revision": revision, "since": null, "bindings": 2 },
        "refused": { "revision": "sha256:new", "at": null, "stage": "gate", "reason": "gate", "why": ["a.rego:1: wrong", "b.rego:2: wrong too"] },
    });
    assert_eq!(shown, expected);
    let detail = "; the candidate sha256:new is refused: a.rego:1: wrong\n    b.rego:2: wrong too\n";
    let verbose = format!("[+]bundle ok: {revision}{detail}[+]serving ok\nreadyz check passed\n");
    assert_eq!(server.admin("/readyz?verbose"), (200, verbose));
    assert_eq!(server.admin("/readyz").0, 200);
    let counted = "\nmeshgate_bundle_activations_total{result=\"refused\"} 1\n";
    assert!(server.admin("/metrics").1.contains(counted));

    server.activation.confirm();
    assert_eq!(json_of(&server, "/bundle")["refused"], Value::Null);
    assert_eq!(
        server.admin("/readyz?verbose").1,
        format!("[+]bundle ok: {revision}\n[+]serving ok\nreadyz check passed\n")
    );
}

#[test]
fn the_configuration_is_shown_as_it_would_be_written() {
    let server = Server::plain(Limits::default());
    let shown = json_of(&server, "/config");
    assert_eq!(shown["kind"], "Configuration");
    assert_eq!(shown["subjects"], json!({ "users": [], "groups": ["system:masters"] }));
}

#[test]
fn each_port_has_its_own_paths() {
    let server = Server::plain(Limits::default());
    for path in ["/livez", "/readyz", "/metrics", "/bundle", "/config"] {
        assert_eq!(server.admin(path).0, 200, "{path}");
        let mut client = server.client();
        client.send(&head("GET", path, &[], Some(0))).unwrap();
        assert_eq!(client.receive().unwrap().status, 404, "{path}");
    }
    for path in ["/mutate", "/validate", "/"] {
        assert_eq!(server.admin(path).0, 404, "{path}");
    }
}

#[test]
fn it_is_not_alive_when_every_worker_is_stuck() {
    let limits = Limits { workers: 1, grace: Duration::ZERO, ..Limits::default() };
    let server = Server::start(bundle::slow(4), Namespaces, limits);
    assert_eq!(server.admin("/livez").0, 200);
    let ask = || {
        let mut client = server.client();
        spawn(move || {
            client.review("/validate?timeout=1s", &review("1", "shop", &good_spec())).asks_to_try_again()
        })
    };
    // Taken for stuck at its deadline, and replaced; the second is one too many.
    let first = ask();
    sleep(Duration::from_millis(500));
    let second = ask();
    let failed = "[-]workers failed: every worker is stuck\nlivez check failed\n".to_owned();
    let wait_for = |wanted: (u16, String)| {
        let began = Instant::now();
        while server.admin("/livez") != wanted {
            assert!(began.elapsed() < Duration::from_secs(30), "never {wanted:?}");
            sleep(Duration::from_millis(10));
        }
    };
    wait_for((503, failed));
    let refused = server.client().review("/validate?timeout=10s", &review("1", "shop", &good_spec()));
    assert!(refused.asks_to_try_again() && refused.text().contains("stuck"), "{refused:?}");
    assert!(first.join().unwrap() && second.join().unwrap());
    wait_for((200, "ok\n".to_owned()));
}
