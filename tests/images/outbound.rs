//! The client: what it asks, what it waits for, whom it trusts and where it does not go.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use meshgate::outbound::{Blocking, Client, OutboundError, Plaintext, Reach, Request, Settings, Url, Waits};

use crate::server::{Server, say};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// Waits that a test can wait for.
fn short() -> Settings {
    let millis = Duration::from_millis;
    Settings {
        waits: Waits { connect: millis(500), idle: millis(300), request: millis(900) },
        ..Settings::default()
    }
}

async fn read(client: &Client, url: &Url, limit: u64) -> Result<(u16, Vec<u8>), OutboundError> {
    let response = client.send(Request::get(url, soon())).await?;
    let status = response.status;
    response.body.read(limit).await.map(|body| (status, body.to_vec()))
}

#[tokio::test]
async fn a_request_says_what_it_is_told_and_no_more() {
    let server = Server::start(|_, stream| say(stream, 404, &[("x-a", "1"), ("x-a", "2")], b"no"));
    let client = Client::new(&Settings::default()).unwrap();
    let place = url(&server.url("/v2/a?b=c"));
    let request = Request::get(&place, soon()).header("accept", "x/y").header("authorization", "Bearer t");
    let response = client.send(request).await.unwrap();
    assert_eq!((response.status, response.header("x-a"), response.is_private), (404, Some("1"), true));
    assert_eq!(response.headers("x-a").collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(response.body.read(2).await.unwrap(), "no");
    let post = client.send(Request::post(&place, soon(), "a=b").header("content-type", "x/z")).await.unwrap();
    assert_eq!(post.status, 404);
    let asked = server.asked();
    assert_eq!(asked[0].line, "GET /v2/a?b=c HTTP/1.1");
    let mut names: Vec<&str> = asked[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "authorization", "host", "user-agent"]);
    assert_eq!(
        (asked[1].line.as_str(), asked[1].body.as_slice()),
        ("POST /v2/a?b=c HTTP/1.1", b"a=b".as_slice())
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server = Server::start(|_, stream| say(stream, 302, &[("location", "/b")], b""));
    let client = Client::new(&Settings::default()).unwrap();
    assert_eq!(read(&client, &url(&server.url("/a")), 9).await, Ok((302, Vec::new())));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_body_is_bounded_whatever_it_announces() {
    let endless = Server::start(|_, stream| {
        let mut alive = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_ok();
        while alive {
            alive = stream.write_all(b"400\r\n").is_ok()
                && stream.write_all(&[b'x'; 1024]).is_ok()
                && stream.write_all(b"\r\n").is_ok();
        }
    });
    let huge = Server::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\nx"));
        std::thread::sleep(Duration::from_secs(5));
    });
    let flood = Server::start(|_, stream| {
        let mut alive = stream.write_all(b"HTTP/1.1 200 OK\r\n").is_ok();
        while alive {
            alive = stream.write_all(b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n").is_ok();
        }
    });
    let client = Client::new(&short()).unwrap();
    let limit = OutboundError::Limit { bytes: 100_000 };
    assert_eq!(read(&client, &url(&endless.url("/")), 100_000).await, Err(limit));
    let start = Instant::now();
    assert_eq!(read(&client, &url(&huge.url("/")), 100_000).await, Err(limit));
    assert!(start.elapsed() < Duration::from_millis(250), "what is announced is not waited for");
    assert_eq!(read(&client, &url(&flood.url("/")), 100_000).await, Err(OutboundError::Broken));
}

#[tokio::test]
async fn nothing_is_waited_for_too_long() {
    let silent = Server::start(|_, _| std::thread::sleep(Duration::from_secs(5)));
    let stuck = Server::start(|_, stream| {
        drop(
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx").and_then(|()| stream.flush()),
        );
        std::thread::sleep(Duration::from_secs(5));
    });
    let drips = Server::start(|_, stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"));
        while stream.write_all(b"x").and_then(|()| stream.flush()).is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let client = Client::new(&short()).unwrap();
    for (server, least, most) in [(&silent, 700, 1500), (&stuck, 250, 800), (&drips, 800, 1500)] {
        let start = Instant::now();
        assert_eq!(read(&client, &url(&server.url("/")), 9000).await, Err(OutboundError::Deadline));
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(least) && took < Duration::from_millis(most), "{took:?}");
    }
    let place = url(&silent.url("/"));
    let until = Instant::now() + Duration::from_millis(50);
    assert_eq!(client.send(Request::get(&place, until)).await.unwrap_err(), OutboundError::Deadline);
}

#[tokio::test]
async fn only_trusted_certificates_are_spoken_to() {
    let server = Server::tls(&["localhost"], |_, stream| say(stream, 200, &[], b"ok"));
    let place = url(&format!("https://localhost:{}/", server.address.port()));
    let stranger = read(&Client::new(&short()).unwrap(), &place, 9).await.unwrap_err();
    assert!(
        matches!(stranger, OutboundError::Tls(why) if why.contains("no authority that is trusted")),
        "{stranger}"
    );
    let authorities = server.authority.clone().map(String::into_bytes);
    let client = Client::new(&Settings { authorities, ..short() }).unwrap();
    assert_eq!(read(&client, &place, 9).await, Ok((200, b"ok".to_vec())));
    let other = read(&client, &url(&server.url("/")), 9).await.unwrap_err();
    assert!(matches!(other, OutboundError::Tls(why) if why.contains("for other names")), "{other}");
    let plain = Server::start(|_, stream| say(stream, 200, &[], b"ok"));
    let no_tls = url(&format!("https://localhost:{}/", plain.address.port()));
    assert!(matches!(read(&client, &no_tls, 9).await, Err(OutboundError::Tls(_) | OutboundError::Broken)));
    assert!(Client::new(&Settings { authorities: Some(b"no PEM".to_vec()), ..short() }).is_err());
}

#[tokio::test]
async fn nobody_is_led_to_private_addresses_and_nothing_is_said_in_the_open() {
    let server = Server::start(|_, stream| say(stream, 200, &[], b"ok"));
    let client = Client::new(&short()).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let place = url(&format!("http://{host}:{}/", server.address.port()));
        let led = client.send(Request::get(&place, soon()).reaching(Reach::Public)).await.unwrap_err();
        assert_eq!(led, OutboundError::Address, "{host}");
    }
    assert!(server.asked().is_empty(), "nothing was connected to");
    let open = client.send(Request::get(&url("http://192.0.2.1/"), soon())).await.unwrap_err();
    assert_eq!(open, OutboundError::Plaintext);
    let anywhere = Client::new(&Settings { plaintext: Plaintext::Anywhere, ..short() }).unwrap();
    let allowed = anywhere.send(Request::get(&url("http://192.0.2.1/"), soon())).await.unwrap_err();
    assert!(matches!(allowed, OutboundError::Unreachable(_) | OutboundError::Deadline), "{allowed}");
    let nobody = read(&client, &url("http://127.0.0.1:1/"), 9).await.unwrap_err();
    assert_eq!(nobody, OutboundError::Unreachable("the connection was refused"));
}

#[tokio::test]
async fn a_proxy_leads_to_https_and_sees_only_where_to() {
    let origin = Server::tls(&["origin.example"], |_, stream| say(stream, 200, &[], b"ok"));
    let address = origin.address;
    let proxy = Server::start(move |asked, stream| {
        if asked.path() == "denied.example:443" {
            return say(stream, 403, &[], b"");
        }
        drop(stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").and_then(|()| stream.flush()));
        relay(stream, address);
    });
    let settings = Settings {
        authorities: origin.authority.clone().map(String::into_bytes),
        proxy: Some(url(&proxy.url("/"))),
        ..short()
    };
    let client = Client::new(&settings).unwrap();
    assert_eq!(read(&client, &url("https://origin.example/secret"), 9).await, Ok((200, b"ok".to_vec())));
    let denied = read(&client, &url("https://denied.example/"), 9).await.unwrap_err();
    assert_eq!(denied, OutboundError::Proxy(403));
    let lines: Vec<String> = proxy.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(lines, ["CONNECT origin.example:443 HTTP/1.1", "CONNECT denied.example:443 HTTP/1.1"]);
    let private = url("https://169.254.169.254/");
    let led = client.send(Request::get(&private, soon()).reaching(Reach::Public)).await.unwrap_err();
    assert_eq!(led, OutboundError::Address);
}

/// To and fro, as a handshake goes and one request.
fn relay(stream: &mut dyn crate::server::Stream, to: std::net::SocketAddr) {
    let mut behind = std::net::TcpStream::connect(to).unwrap();
    behind.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut buffer = [0; 65536];
    loop {
        let Ok(length @ 1..) = stream.read(&mut buffer) else { return };
        behind.write_all(&buffer[..length]).unwrap();
        while let Ok(length @ 1..) = behind.read(&mut buffer) {
            stream.write_all(&buffer[..length]).and_then(|()| stream.flush()).unwrap();
        }
    }
}

#[test]
fn a_thread_can_wait_for_an_answer() {
    let server = Server::start(|asked, stream| say(stream, 200, &[("x-a", "b")], &asked.body.repeat(3)));
    let client = Blocking::new(&Settings::default()).unwrap();
    let place = url(&server.url("/"));
    for _ in 0..3 {
        let mut response = client.send(Request::post(&place, soon(), "abc"), 9).unwrap();
        assert_eq!((response.status(), response.header("x-a")), (200, Some("b")));
        let mut body = String::new();
        response.read_to_string(&mut body).unwrap();
        assert_eq!(body, "abcabcabc");
    }
    let mut response = client.send(Request::post(&place, soon(), "abc"), 8).unwrap();
    let error = response.read_to_end(&mut Vec::new()).unwrap_err();
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<OutboundError>());
    assert_eq!(inner, Some(&OutboundError::Limit { bytes: 8 }));
}
