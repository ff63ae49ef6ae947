//! Reviews at a steady rate while something happens: each answer with when it was due, when it came, and what it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};
use serde_json::Value;

use crate::process::Process;

/// Reviews a second.
pub(crate) const RATE: u32 = 200;

/// Connections, each of which asks one after the other.
const CONNECTIONS: u32 = 4;

/// One answer.
pub(crate) struct Said {
    /// Which of the bodies was asked.
    pub(crate) body: usize,
    /// When it was to be sent, at the steady rate: a server that is late is not asked less.
    pub(crate) due: Instant,
    pub(crate) came: Instant,
    /// Its `response`, or what there was instead.
    pub(crate) response: Result<Value, String>,
}

impl Said {
    pub(crate) fn took(&self) -> Duration {
        self.came.saturating_duration_since(self.due)
    }

    /// The commit that it names, by its first digits.
    pub(crate) fn commit(&self) -> Option<&str> {
        let annotations = &self.response.as_ref().ok()?["auditAnnotations"];
        annotations["validate-revision"].as_str()?.strip_prefix("platform@")?.get(..12)
    }
}

/// Sends reviews of these bodies in turn until `meanwhile` has ended; what it gave, and all answers.
pub(crate) fn while_asked<T>(
    process: &Process,
    bodies: &[String],
    meanwhile: impl FnOnce() -> T,
) -> (T, Vec<Said>) {
    let is_done = AtomicBool::new(false);
    let began = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let is_done = &is_done;
                scope.spawn(move || ask(process, bodies, began, number, is_done))
            })
            .collect();
        let given = meanwhile();
        is_done.store(true, Ordering::SeqCst);
        (given, clients.into_iter().flat_map(|client| client.join().unwrap()).collect())
    })
}

fn ask(process: &Process, bodies: &[String], began: Instant, number: u32, is_done: &AtomicBool) -> Vec<Said> {
    let (mut connection, mut said) = (None, Vec::new());
    for turn in (number..).step_by(usize::try_from(CONNECTIONS).unwrap()) {
        let due = began + Duration::from_secs(1) / RATE * turn;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if is_done.load(Ordering::SeqCst) {
            break;
        }
        let body = usize::try_from(turn).unwrap() % bodies.len();
        let asked = connection.take().unwrap_or_else(|| Connection::open(process)).ask(&bodies[body]);
        let response = match asked {
            Ok((200, answer, kept)) => {
                connection = kept;
                Ok(answer["response"].clone())
            }
            Ok((status, answer, _)) => Err(format!("{status}: {answer}")),
            Err(error) => Err(error.to_string()),
        };
        said.push(Said { body, due, came: Instant::now(), response });
    }
    said
}

/// One that is used until an answer says that it was the last, as an API server does.
struct Connection(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Connection {
    fn open(process: &Process) -> Self {
        Self(BufReader::new(process.connect()))
    }

    /// The answer's status and document, and the connection where it may be used again.
    fn ask(mut self, body: &str) -> std::io::Result<(u16, Value, Option<Self>)> {
        let head = format!(
            "POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.0.get_mut().write_all(format!("{head}{body}").as_bytes())?;
        let (mut status, mut length, mut is_last) = (0, 0, false);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if line == "\r\n" {
                break;
            }
            let line = line.trim_end().to_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest.get(..3).and_then(|digits| digits.parse().ok()).unwrap_or(0);
            }
            is_last |= line == "connection: close";
            if let Some(rest) = line.strip_prefix("content-length:") {
                length = rest.trim().parse().map_err(std::io::Error::other)?;
            }
        }
        let mut text = vec![0; length];
        self.0.read_exact(&mut text)?;
        let answer = serde_json::from_slice(&text).unwrap_or_default();
        Ok((status, answer, (!is_last).then_some(self)))
    }
}

/// The p-th part of a thousand of these, in order.
pub(crate) fn quantile(of: impl Iterator<Item = Duration>, thousandth: usize) -> Duration {
    let mut all: Vec<Duration> = of.collect();
    all.sort();
    let at = all.len().saturating_sub(1) * thousandth / 1000;
    all.get(at).copied().unwrap_or_default()
}

/// Says how long reviews took; how long they may is the machine's affair.
pub(crate) fn tell<'a>(when: &str, said: impl Iterator<Item = &'a Said>) {
    let took: Vec<Duration> = said.map(Said::took).collect();
    let at = |thousandth| quantile(took.iter().copied(), thousandth);
    println!(
        "{when}: {} reviews at {RATE}/s, p50 {:?}, p99 {:?}, slowest {:?}",
        took.len(),
        at(500),
        at(990),
        at(1000)
    );
}
