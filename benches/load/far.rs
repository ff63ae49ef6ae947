//! A registry that is far away: each request to one on this machine waits before it is passed on, and is counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// How far: what a request waits.
pub(crate) const LATENCY: Duration = Duration::from_millis(50);

/// What stands before a registry.
pub(crate) struct Far {
    pub(crate) address: SocketAddr,
    calls: Arc<AtomicUsize>,
}

impl Far {
    pub(crate) fn before(registry: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let calls = Arc::new(AtomicUsize::new(0));
        let (registry, counted) = (registry.to_owned(), Arc::clone(&calls));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (registry, counted) = (registry.clone(), Arc::clone(&counted));
                // It ends where the client has no more to ask.
                thread::spawn(move || drop(pass(&client, &registry, &counted)));
            }
        });
        Self { address, calls }
    }

    /// Requests since the last time.
    pub(crate) fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::SeqCst)
    }
}

/// Reads requests without bodies, one after another, and passes each on.
fn pass(client: &TcpStream, registry: &str, counted: &AtomicUsize) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client);
    loop {
        let mut head = Vec::new();
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if line.trim_end().is_empty() {
                break;
            }
            head.push(line.trim_end().to_owned());
        }
        counted.fetch_add(1, Ordering::SeqCst);
        thread::sleep(LATENCY);
        let answer = asked(registry, &head)?;
        (&mut (&*client)).write_all(&answer)?;
    }
}

/// The answer, with its length: asked as HTTP/1.0, so that it ends with its connection.
fn asked(registry: &str, head: &[String]) -> std::io::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(registry)?;
    let is_kept = |line: &&String| !line.to_ascii_lowercase().starts_with("connection:");
    let lines: Vec<&str> = head.iter().filter(is_kept).map(String::as_str).collect();
    let request = lines.join("\r\n").replacen("HTTP/1.1", "HTTP/1.0", 1);
    connection.write_all(format!("{request}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    let end =
        answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or(std::io::ErrorKind::InvalidData)?;
    let (head, body) = answer.split_at(end);
    let head = String::from_utf8_lossy(head).replacen("HTTP/1.0", "HTTP/1.1", 1);
    let is_ours = |line: &&str| {
        let line = line.to_ascii_lowercase();
        line.starts_with("connection:") || line.starts_with("content-length:")
    };
    let lines: Vec<&str> = head.split("\r\n").filter(|line| !is_ours(line)).collect();
    let head = format!("{}\r\nContent-Length: {}\r\n\r\n", lines.join("\r\n"), body.len() - 4);
    Ok([head.as_bytes(), &body[4..]].concat())
}
