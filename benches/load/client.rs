//! A client that asks again and again on one connection, as the API server does.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Where a client connects to, and whom it trusts.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Arc<ClientConfig>,
}

/// A connection.
pub(crate) struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
}

/// What a server said.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// Whether the connection ends with it.
    pub(crate) is_last: bool,
}

/// What came of some requests.
#[derive(Default)]
pub(crate) struct Tally {
    /// How long each good answer took.
    times: Vec<Duration>,
    /// Answers 503: the API server tries again.
    pub(crate) shed: usize,
    /// Everything else.
    pub(crate) failed: usize,
}

impl Client {
    pub(crate) fn connect(target: &Target) -> io::Result<Self> {
        let socket = TcpStream::connect(target.address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = ClientConnection::new(Arc::clone(&target.tls), name).map_err(io::Error::other)?;
        Ok(Self { stream: StreamOwned::new(tls, socket) })
    }

    /// Asks until `end`, on a new connection after each that was closed.
    pub(crate) fn ask_until(target: &Target, path: &str, body: &[u8], end: Instant) -> Tally {
        let mut tally = Tally::default();
        let mut client = None;
        while Instant::now() < end {
            let began = Instant::now();
            let connected = client.take().map_or_else(|| Self::connect(target), Ok);
            let answer = connected.and_then(|mut one: Self| one.ask(path, body).map(|answer| (one, answer)));
            match answer {
                Ok((one, answer)) => {
                    match answer.status {
                        200 => tally.times.push(began.elapsed()),
                        503 => tally.shed += 1,
                        _ => tally.failed += 1,
                    }
                    client = (!answer.is_last).then_some(one);
                }
                Err(_) => tally.failed += 1,
            }
        }
        tally
    }

    pub(crate) fn ask(&mut self, path: &str, body: &[u8]) -> io::Result<Answer> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.stream.write_all(&[head.as_bytes(), body].concat())?;
        self.stream.flush()?;
        let mut received = Vec::new();
        let mut buffer = [0; 16_384];
        loop {
            if let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
                let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                let length: usize = value("content-length:").and_then(|text| text.parse().ok()).unwrap_or(0);
                if received.len() >= end + 4 + length {
                    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
                    let is_last = value("connection:") == Some("close");
                    let body = received[end + 4..end + 4 + length].to_vec();
                    return status
                        .map(|status| Answer { status, body, is_last })
                        .ok_or_else(|| io::Error::other("no status"));
                }
            }
            match self.stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => received.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

impl Tally {
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.times.extend(other.times);
        Self { times: self.times, shed: self.shed + other.shed, failed: self.failed + other.failed }
    }

    /// How many, for how much work of the server, and how long they took.
    pub(crate) fn line(&self, took: Duration, cpu: Duration) -> String {
        let mut times = self.times.clone();
        times.sort();
        let count = times.len();
        let at = |per_mille: usize| {
            let place = (count * per_mille / 1_000).min(count.saturating_sub(1));
            times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        let rate = count as f64 / took.as_secs_f64();
        let per_core = count as f64 / cpu.as_secs_f64().max(0.001);
        format!(
            "{rate:.0}/s, {per_core:.0}/s a core; p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms",
            at(500),
            at(990),
            at(999)
        )
    }
}
