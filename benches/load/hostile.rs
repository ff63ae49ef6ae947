//! Five thousand connections that want nothing good, and good traffic beside them.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::load;
use crate::server::Server;

const BAD: usize = 5_000;
/// As an API server that has little to do.
const GOOD: usize = 4;

/// Counts what fails of good traffic: nothing should.
pub(crate) fn run(server: &Server, review: &Arc<Vec<u8>>, time: Duration) {
    let before = server.rss_kib();
    let done = Arc::new(AtomicBool::new(false));
    let slow = {
        let (target, done) = (server.target(), Arc::clone(&done));
        thread::spawn(move || slow(&target.address, &done))
    };
    let endless = {
        let (target, done) = (server.target(), Arc::clone(&done));
        thread::spawn(move || {
            let body = vec![b' '; 16 << 20];
            while !done.load(Ordering::Relaxed) {
                // Refused at 7 MiB, again and again.
                drop(Client::ask_until(
                    &target,
                    "/validate",
                    &body,
                    Instant::now() + Duration::from_millis(1),
                ));
            }
        })
    };
    let (cpu, began) = (server.cpu(), Instant::now());
    let tally = load(server, "/validate?timeout=10s", review, GOOD, time);
    let line = tally.line(began.elapsed(), server.cpu() - cpu);
    let during = server.rss_kib();
    done.store(true, Ordering::Relaxed);
    slow.join().expect("it ends");
    endless.join().expect("it ends");
    let (shed, failed) = (tally.shed, tally.failed);
    println!(
        "{BAD} idle and slow connections, endless bodies beside {GOOD} good ones: {line}; 503 {shed}, failed {failed}"
    );
    println!("RSS {before} KiB before, {during} KiB during, {} KiB after", server.rss_kib());
}

/// Connections that say nothing, begin a handshake and never end it, or go on byte by byte. Those that are closed are
/// opened again.
fn slow(address: &std::net::SocketAddr, done: &AtomicBool) {
    let mut sockets: Vec<Option<TcpStream>> = (0..BAD).map(|_| None).collect();
    while !done.load(Ordering::Relaxed) {
        for (number, socket) in sockets.iter_mut().enumerate() {
            let bytes: &[u8] = match number % 3 {
                0 => b"",
                1 => b"\x16\x03\x01\x02\x00\x01",
                _ => b"\x16",
            };
            let goes_on = socket.as_mut().is_some_and(|socket| socket.write_all(bytes).is_ok());
            if !goes_on {
                *socket = TcpStream::connect(address).ok();
            }
        }
        thread::sleep(Duration::from_millis(200));
    }
}
