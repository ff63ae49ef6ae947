//! A server that is told to stop finishes what it has begun.

use std::net::TcpStream;
use std::thread::{sleep, spawn};
use std::time::Duration;

use meshgate::webhook::{Limits, Stop};
use tokio::sync::watch;

use crate::bundle;
use crate::client::{good_spec, review};
use crate::server::Server;
use crate::source::{Gate, Silent};

#[test]
fn a_request_in_flight_is_answered_and_its_connection_closed() {
    let (open, opened) = watch::channel(false);
    let gate = Gate { asked: watch::Sender::new(false), open: opened };
    let asked = gate.asked.subscribe();
    let mut server = Server::start(bundle::inline(), gate, Limits::default());
    let mut idle = server.client();
    let mut client = server.client();
    let in_flight = spawn(move || {
        let response = client.review("/validate?timeout=20s", &review("1", "shop", &good_spec()));
        (response, client.ends())
    });
    while !*asked.borrow() {
        sleep(Duration::from_millis(5));
    }

    server.stop(Stop::Now);
    assert!(idle.ends(), "an idle connection is closed");
    assert!(TcpStream::connect(server.address).is_err(), "no new connection is taken");
    open.send(true).unwrap();
    let (response, ended) = in_flight.join().unwrap();
    assert_eq!((response.status, response.header("connection")), (200, Some("close")), "{response:?}");
    assert!(ended);
    server.ended(Duration::from_secs(2));
}

#[test]
fn a_request_that_never_ends_does_not_keep_the_server() {
    let drain = Duration::from_millis(300);
    let mut server = Server::start(bundle::inline(), Silent, Limits { drain, ..Limits::default() });
    let mut client = server.client();
    let in_flight = spawn(move || {
        let body = review("1", "shop", &good_spec()).to_string();
        let head = crate::client::head(
            "POST",
            "/validate",
            &[("Content-Type", "application/json")],
            Some(body.len()),
        );
        client.send(&head).unwrap();
        client.send(body.as_bytes()).unwrap();
        client.receive()
    });
    sleep(Duration::from_millis(300));
    server.stop(Stop::Now);
    server.ended(Duration::from_secs(2));
    assert!(in_flight.join().unwrap().is_none(), "no answer is better than a wrong one");
}

#[test]
fn a_server_without_connections_stops_at_once() {
    let mut server = Server::plain(Limits::default());
    server.stop(Stop::Now);
    server.ended(Duration::from_secs(1));
}

/// As behind a Service: who sends requests needs a while to learn that this one ends (cluster: drain).
#[test]
fn a_server_that_leaves_answers_until_nobody_sends_any_more() {
    let (leave, linger) = (Duration::from_millis(1_500), Duration::from_millis(200));
    let mut server = Server::plain(Limits { leave, linger, ..Limits::default() });
    let (mut kept, mut idle) = (server.client(), server.client());
    let good = review("1", "shop", &good_spec());
    for client in [&mut kept, &mut idle] {
        let response = client.review("/validate", &good);
        assert_eq!((response.status, response.header("connection")), (200, None));
    }
    server.stop(Stop::Leave);
    let told = "[-]serving failed: the server is about to stop\n";
    while !server.admin("/readyz").1.contains(told) {
        sleep(Duration::from_millis(5));
    }
    assert_eq!((server.admin("/readyz").0, server.admin("/livez").0), (503, 200));
    let mut new = server.client();
    for client in [&mut kept, &mut new] {
        let response = client.review("/validate", &good);
        assert_eq!((response.status, response.header("connection")), (200, Some("close")));
        assert!(client.ends());
    }
    // What is idle may still be used, and is closed at last.
    let began = std::time::Instant::now();
    assert!(idle.ends());
    assert!(began.elapsed() > Duration::from_millis(500), "{:?}", began.elapsed());
    // Nobody takes new connections soon after.
    while TcpStream::connect(server.address).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(10), "new connections are taken");
        sleep(Duration::from_millis(5));
    }
    server.ended(Duration::from_secs(1));
}

/// An API server may use what it has kept open: it is the one who closes.
#[test]
fn a_server_that_leaves_waits_for_idle_connections_to_be_closed() {
    let leave = Duration::from_millis(100);
    let mut server = Server::plain(Limits { leave, ..Limits::default() });
    let (mut idle, kept) = (server.client(), server.client());
    let good = review("1", "shop", &good_spec());
    assert_eq!(idle.review("/validate", &good).status, 200);
    server.stop(Stop::Leave);
    while TcpStream::connect(server.address).is_ok() {
        sleep(Duration::from_millis(5));
    }
    // Longer than a server that is to stop at once would let it be idle.
    sleep(Limits::default().quiet * 2);
    let response = idle.review("/validate", &good);
    assert_eq!((response.status, response.header("connection")), (200, Some("close")));
    assert!(idle.ends());
    drop(kept);
    server.ended(Duration::from_secs(1));
}
