//! Slow, large and many: each ends at its limit, and others do not notice.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use meshgate::webhook::Limits;

use crate::client::{good_spec, head, review};
use crate::server::Server;

const SHORT: Duration = Duration::from_millis(300);
const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

fn assert_good(server: &Server) {
    let began = Instant::now();
    let response = server.client().review("/validate?timeout=10s", &review("1", "shop", &good_spec()));
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

/// Asserts that something took its limit and not much more.
fn assert_took(began: Instant, limit: Duration) {
    let took = began.elapsed();
    assert!(took >= limit.mul_f64(0.9) && took < limit + Duration::from_secs(2), "{took:?}, limit {limit:?}");
}

#[test]
fn a_slow_head_ends_the_connection_also_after_a_good_request() {
    let server = Server::plain(Limits { head: SHORT, ..Limits::default() });
    for requests_before in [0, 1] {
        let mut client = server.client();
        for _ in 0..requests_before {
            assert_eq!(client.review("/validate", &review("1", "shop", &good_spec())).status, 200);
        }
        let began = Instant::now();
        client.send_until_answered(b"P", Duration::from_millis(20));
        assert!(client.receive().is_none());
        assert_took(began, SHORT);
    }
}

#[test]
fn idle_time_is_not_a_heads_time() {
    let server = Server::plain(Limits { head: SHORT, idle: SHORT * 6, ..Limits::default() });
    let mut client = server.client();
    for _ in 0..2 {
        std::thread::sleep(SHORT * 3);
        assert_eq!(client.review("/validate", &review("1", "shop", &good_spec())).status, 200);
    }
    let began = Instant::now();
    assert!(client.ends());
    assert_took(began, SHORT * 6);
}

#[test]
fn a_handshake_that_does_not_come_ends_the_connection() {
    let server = Server::plain(Limits { handshake: SHORT, ..Limits::default() });
    let socket = TcpStream::connect(server.address).unwrap();
    let began = Instant::now();
    assert_eq!(std::io::Read::read(&mut &socket, &mut [0]).unwrap_or(0), 0);
    assert_took(began, SHORT);
}

#[test]
fn heads_beyond_size_or_lines_are_refused() {
    let server = Server::plain(Limits::default());
    let long = "x".repeat(16 * 1024);
    let many: Vec<(String, String)> = (0..64).map(|n| (format!("X-{n}"), n.to_string())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for headers in [[("X-Long", long.as_str())].as_slice(), &many] {
        let mut client = server.client();
        client.send(&head("POST", "/validate", headers, Some(0))).unwrap();
        assert_eq!(client.receive().unwrap().status, 431);
        assert!(client.ends());
    }
    assert_good(&server);
}

#[test]
fn a_slow_body_is_refused() {
    let server = Server::plain(Limits { body: SHORT, ..Limits::default() });
    for (length, piece) in [(None, "1\r\n \r\n"), (Some(1_000_000), " ")] {
        let mut client = server.client();
        let began = Instant::now();
        client.send(&head("POST", "/validate", JSON, length)).unwrap();
        client.send_until_answered(piece.as_bytes(), Duration::from_millis(20));
        let response = client.receive().unwrap();
        assert_took(began, SHORT);
        assert_eq!(
            (response.status, response.header("connection")),
            (408, Some("close")),
            "{}",
            response.text()
        );
        assert!(client.ends());
    }
}

#[test]
fn a_chunked_body_that_never_ends_is_refused_at_the_limit_of_size() {
    let server = Server::plain(Limits::default());
    let mut client = server.client();
    client.send(&head("POST", "/mutate", JSON, None)).unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, " ".repeat(64 * 1024));
    client.send_until_answered(chunk.as_bytes(), Duration::ZERO);
    let response = client.receive().unwrap();
    assert_eq!((response.status, response.header("connection")), (413, Some("close")), "{}", response.text());
    assert!(client.ends());
}

#[test]
fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let server = Server::plain(Limits { wait: SHORT, ..Limits::default() });
    for length in [7 * 1024 * 1024 + 1, 1 << 40] {
        let began = Instant::now();
        let mut client = server.client();
        client.send(&head("POST", "/validate", JSON, Some(length))).unwrap();
        assert_eq!(client.receive().unwrap().status, 413);
        assert_took(began, SHORT);
    }
}

#[test]
fn a_body_at_the_limit_is_read() {
    let server = Server::plain(Limits::default());
    let mut body = review("1", "shop", &good_spec()).to_string();
    body.push_str(&" ".repeat(7 * 1024 * 1024 - body.len()));
    let response = server.client().post("/validate", JSON, body.as_bytes());
    assert_eq!(response.status, 200, "{}", response.text());
    // The same in chunks.
    let mut client = server.client();
    client.send(&head("POST", "/validate", JSON, None)).unwrap();
    for part in body.as_bytes().chunks(1_000_000) {
        client.send(format!("{:x}\r\n", part.len()).as_bytes()).unwrap();
        client.send(part).unwrap();
        client.send(b"\r\n").unwrap();
    }
    client.send(b"0\r\n\r\n").unwrap();
    assert_eq!(client.receive().unwrap().status, 200);
}

#[test]
fn bodies_that_are_held_leave_no_room_and_give_it_back() {
    let server = Server::plain(Limits { held_bytes: 1024 * 1024, wait: SHORT, ..Limits::default() });
    let good = review("1", "shop", &good_spec()).to_string();
    let mut slow = server.client();
    slow.send(&head("POST", "/validate", JSON, Some(1024 * 1024))).unwrap();
    slow.send(good.as_bytes()).unwrap();
    slow.send(" ".repeat(1024 * 1024 - good.len() - 1).as_bytes()).unwrap();
    std::thread::sleep(SHORT);

    let refused = server.client().post("/validate", JSON, good.as_bytes());
    assert!(refused.asks_to_try_again(), "{refused:?}");
    slow.send(b" ").unwrap();
    assert_eq!(slow.receive().unwrap().status, 200);
    assert_good(&server);
}

#[test]
fn announcing_a_body_takes_no_room() {
    let server = Server::plain(Limits { held_bytes: 1024 * 1024, wait: SHORT, ..Limits::default() });
    let announced: Vec<_> = (0..20)
        .map(|_| {
            let mut client = server.client();
            client.send(&head("POST", "/validate", JSON, Some(1024 * 1024))).unwrap();
            client
        })
        .collect();
    assert_good(&server);
    drop(announced);
}

#[test]
fn silent_and_slow_connections_give_way_to_good_ones() {
    let server = Server::plain(Limits { connections: 8, ..Limits::default() });
    let mut earned = server.client();
    assert_eq!(earned.review("/validate", &review("1", "shop", &good_spec())).status, 200);
    let silent: Vec<_> = (0..50).map(|_| TcpStream::connect(server.address).unwrap()).collect();
    assert_good(&server);
    let slow: Vec<_> = (0..20)
        .map(|_| {
            let mut client = server.client();
            client.send(b"POST /validate HTTP/1.1\r\n").unwrap();
            client
        })
        .collect();
    assert_good(&server);
    // Who completed a request keeps its place.
    assert_eq!(earned.review("/validate", &review("1", "shop", &good_spec())).status, 200);
    drop((silent, slow));
}

#[test]
fn an_old_connection_is_closed_with_an_answer() {
    let server = Server::plain(Limits { age: SHORT, ..Limits::default() });
    let mut client = server.client();
    let first = client.review("/validate", &review("1", "shop", &good_spec()));
    assert_eq!((first.status, first.header("connection")), (200, None));
    std::thread::sleep(SHORT * 2);
    let last = client.review("/validate", &review("1", "shop", &good_spec()));
    assert_eq!((last.status, last.header("connection")), (200, Some("close")));
    assert!(client.ends());
}
