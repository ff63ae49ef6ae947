//! A server that is told to stop finishes what it has begun.

use std::net::TcpStream;
use std::thread::{sleep, spawn};
use std::time::Duration;

use meshgate::webhook::Limits;
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

    server.stop();
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
    server.stop();
    server.ended(Duration::from_secs(2));
    assert!(in_flight.join().unwrap().is_none(), "no answer is better than a wrong one");
}

#[test]
fn a_server_without_connections_stops_at_once() {
    let mut server = Server::plain(Limits::default());
    server.stop();
    server.ended(Duration::from_secs(1));
}
