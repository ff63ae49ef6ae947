//! TLS 1.2 and 1.3 with HTTP/1.1, and nothing else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use meshgate::webhook::Limits;
use rustls::version::{TLS12, TLS13};

use crate::client::{Client, good_spec, review};
use crate::server::Server;

#[test]
fn both_versions_are_served_and_http_1_1_is_chosen() {
    let server = Server::plain(Limits::default());
    for version in [&TLS12, &TLS13] {
        for (offered, chosen) in [
            (["h2", "http/1.1"].as_slice(), Some(b"http/1.1".as_slice())),
            (&["http/1.1"], Some(b"http/1.1")),
            (&[], None),
        ] {
            let mut client = Client::with(server.address, &server.pem, &[version], offered);
            client.handshake().unwrap();
            assert_eq!(client.stream.conn.alpn_protocol(), chosen);
            assert_eq!(client.stream.conn.protocol_version(), Some(version.version));
            assert_eq!(client.review("/validate", &review("1", "shop", &good_spec())).status, 200);
        }
    }
}

#[test]
fn http_2_alone_is_refused() {
    let server = Server::plain(Limits::default());
    let mut client = Client::with(server.address, &server.pem, &[&TLS13], &["h2"]);
    let error = client.handshake().unwrap_err().to_string();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
}

#[test]
fn another_certificate_is_not_trusted() {
    let (server, other) = (Server::plain(Limits::default()), Server::plain(Limits::default()));
    let mut client = Client::with(server.address, &other.pem, &[&TLS13], &[]);
    assert!(client.handshake().is_err());
}

#[test]
fn http_without_tls_is_not_answered() {
    let server = Server::plain(Limits::default());
    let answer = said(&server, b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{answer:?}");
}

#[test]
fn versions_below_1_2_are_refused() {
    let server = Server::plain(Limits::default());
    for minor in [0, 1, 2] {
        let answer = said(&server, &client_hello(minor));
        // An alert (RFC 5246, section 7.2): fatal, protocol_version.
        assert_eq!(
            (answer.first(), answer.get(5..)),
            (Some(&21), Some(&[2, 70][..])),
            "3.{minor}: {answer:?}"
        );
    }
    // The same hello as 1.2 is answered with a handshake message, so that the refusal is of the version.
    let answer = said(&server, &client_hello(3));
    assert_eq!(answer.first(), Some(&22), "{answer:?}");
}

/// A ClientHello (RFC 5246, section 7.4.1.2) of version 3.`minor`.
fn client_hello(minor: u8) -> Vec<u8> {
    let extension = |number: u8, content: &[u8]| {
        [&[0, number, 0, u8::try_from(content.len()).unwrap()], content].concat()
    };
    let extensions = [
        extension(10, &[0, 4, 0, 23, 0, 29]), // supported_groups: P-256, X25519
        extension(11, &[1, 0]),               // ec_point_formats: uncompressed
        extension(13, &[0, 4, 4, 3, 8, 4]),   // signature_algorithms: ECDSA P-256 and RSA-PSS with SHA-256
        extension(23, &[]),                   // extended_master_secret
    ]
    .concat();
    let suites = [0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x09, 0xc0, 0x13, 0x00, 0x2f];
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.extend([0, 0, u8::try_from(suites.len()).unwrap()]);
    body.extend(suites);
    body.extend([1, 0, 0, u8::try_from(extensions.len()).unwrap()]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length], body.as_slice()].concat()
}

/// What the server says to these bytes, until it closes or falls silent.
fn said(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    socket.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap_or_default();
    answer
}
