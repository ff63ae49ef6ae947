//! A server that says what a test wants it to say, byte by byte, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What was asked: the line, and the headers in lower case.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }
}

/// Somebody to whom an answer is written.
pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// One server on a loopback address.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// PEM of its authority, where it speaks TLS.
    pub(crate) authority: Option<String>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Answer = dyn Fn(&Asked, &mut dyn Stream) + Send + Sync;

impl Server {
    /// Answers by `answer`, each connection in a thread of its own, one request a connection unless it is kept.
    pub(crate) fn start(answer: impl Fn(&Asked, &mut dyn Stream) + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(answer), None)
    }

    /// The same over TLS, for these names.
    pub(crate) fn tls(
        names: &[&str],
        answer: impl Fn(&Asked, &mut dyn Stream) + Send + Sync + 'static,
    ) -> Self {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        Self::certified(CertificateParams::new(names).unwrap(), answer)
    }

    /// The same by a certificate.
    pub(crate) fn certified(
        certificate: CertificateParams,
        answer: impl Fn(&Asked, &mut dyn Stream) + Send + Sync + 'static,
    ) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config =
            config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        Self::listen(Arc::new(answer), Some((Arc::new(config), certificate.pem())))
    }

    fn listen(answer: Arc<Answer>, tls: Option<(Arc<ServerConfig>, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (log, config) = (Arc::clone(&asked), tls.as_ref().map(|(config, _)| Arc::clone(config)));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log, config) = (Arc::clone(&answer), Arc::clone(&log), config.clone());
                thread::spawn(move || converse(stream, config, &*answer, &log));
            }
        });
        Self { address, authority: tls.map(|(_, pem)| pem), asked }
    }

    /// All that it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A URL of it.
    pub(crate) fn url(&self, path: &str) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }
}

fn converse(stream: TcpStream, config: Option<Arc<ServerConfig>>, answer: &Answer, log: &Mutex<Vec<Asked>>) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    match config {
        None => requests(stream, answer, log),
        Some(config) => {
            requests(StreamOwned::new(ServerConnection::new(config).unwrap(), stream), answer, log)
        }
    }
}

fn requests(stream: impl Read + Write, answer: &Answer, log: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        log.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
        answer(&asked, reader.get_mut());
        drop(reader.get_mut().flush());
    }
}

/// None at the end, also where the other side breaks off.
fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { line: line.trim_end().to_owned(), headers, body })
}

/// A whole answer.
pub(crate) fn say(stream: &mut dyn Stream, status: u16, headers: &[(&str, &str)], body: &[u8]) {
    let mut head = format!("HTTP/1.1 {status} X\r\n");
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)));
}
