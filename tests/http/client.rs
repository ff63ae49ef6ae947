//! A client that can misbehave: bytes over TLS, blocking.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};
use serde_json::{Value, json};

/// Longer than anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Client {
    pub(crate) stream: StreamOwned<ClientConnection, TcpStream>,
    received: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr, pem: &str) -> Self {
        let mut client = Self::with(address, pem, &[&rustls::version::TLS13, &rustls::version::TLS12], &[]);
        client.handshake().unwrap();
        client
    }

    /// A connection on which nothing was said yet.
    pub(crate) fn with(
        address: SocketAddr,
        pem: &str,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> Self {
        Self::showing(address, pem, versions, protocols, None)
    }

    /// The same with a certificate of its own.
    pub(crate) fn showing(
        address: SocketAddr,
        pem: &str,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
        own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let config = config.with_root_certificates(roots);
        let mut config = match own {
            None => config.with_no_client_auth(),
            Some((chain, key)) => config.with_client_auth_cert(chain, key).unwrap(),
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let tls = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
        Self { stream: StreamOwned::new(tls, socket), received: Vec::new() }
    }

    pub(crate) fn handshake(&mut self) -> std::io::Result<()> {
        while self.stream.conn.is_handshaking() {
            self.stream.conn.complete_io(&mut self.stream.sock)?;
        }
        Ok(())
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)?;
        self.stream.flush()
    }

    /// Sends `bytes` again and again until something comes back.
    pub(crate) fn send_until_answered(&mut self, bytes: &[u8], pause: Duration) {
        self.stream.sock.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        loop {
            let mut buffer = [0; 4_096];
            match self.stream.read(&mut buffer) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Ok(0) | Err(_) => break,
                Ok(bytes) => {
                    self.received.extend_from_slice(&buffer[..bytes]);
                    break;
                }
            }
            if self.send(bytes).is_err() {
                break;
            }
            std::thread::sleep(pause);
        }
        self.stream.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    }

    /// One answer; None where the connection ends without one.
    pub(crate) fn receive(&mut self) -> Option<Response> {
        let head = self.read_to(|bytes| bytes.windows(4).position(|four| four == b"\r\n\r\n"))?;
        let text = String::from_utf8(self.take(head)).unwrap();
        self.take(4);
        let mut lines = text.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers: BTreeMap<String, String> = lines.map(header).collect();
        let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        self.read_to(|bytes| (bytes.len() >= length).then_some(length))?;
        Some(Response { status, headers, body: self.take(length) })
    }

    /// Whether the other side has ended the connection, or does so soon.
    pub(crate) fn ends(&mut self) -> bool {
        self.received.is_empty() && matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }

    pub(crate) fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let sent = self.send(&head("POST", path, headers, Some(body.len()))).and_then(|()| self.send(body));
        self.receive().unwrap_or_else(|| panic!("no answer; sending: {sent:?}"))
    }

    pub(crate) fn review(&mut self, path: &str, review: &Value) -> Response {
        self.post(path, &[("Content-Type", "application/json")], review.to_string().as_bytes())
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        self.received.drain(..bytes).collect()
    }

    fn read_to(&mut self, found: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        loop {
            if let Some(position) = found(&self.received) {
                return Some(position);
            }
            let mut buffer = [0; 4_096];
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(bytes) => self.received.extend_from_slice(&buffer[..bytes]),
            }
        }
    }
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A 503 as the API server needs it to try again.
    pub(crate) fn asks_to_try_again(&self) -> bool {
        self.status == 503
            && self.header("retry-after") == Some("1")
            && self.header("connection") == Some("close")
    }
}

/// A request's head; `length` None: the body is chunked.
pub(crate) fn head(method: &str, path: &str, headers: &[(&str, &str)], length: Option<usize>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    match length {
        Some(length) => text.push_str(&format!("Content-Length: {length}\r\n\r\n")),
        None => text.push_str("Transfer-Encoding: chunked\r\n\r\n"),
    }
    text.into_bytes()
}

/// The review of a new Pod.
pub(crate) fn review(uid: &str, namespace: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "namespace": namespace,
            "operation": "CREATE",
            "userInfo": { "username": "alice", "groups": ["system:authenticated"] },
            "object": {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": { "name": "web", "namespace": namespace },
                "spec": spec
            },
            "oldObject": null,
            "dryRun": false
        }
    })
}

/// A Pod's spec with which nothing is wrong.
pub(crate) fn good_spec() -> Value {
    json!({ "containers": [{ "name": "app", "image": "registry.example/app:1" }] })
}
