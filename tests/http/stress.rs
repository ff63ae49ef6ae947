//! Five hundred connections that want nothing good, of each kind: good traffic does not notice. benches/load/run does it
//! with five thousand.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use meshgate::webhook::Limits;

use crate::client::{good_spec, head, review};
use crate::server::Server;

const BAD: usize = 500;
/// A connection on which bytes go on to come, one by one.
const SLOW: Duration = Duration::from_millis(300);

#[test]
fn five_hundred_idle_slow_and_endless_clients_harm_nobody() {
    // The queue is as long as elsewhere; a machine that is busy with other tests may take a second for an answer.
    let server = Server::plain(Limits { wait: Duration::from_secs(5), ..Limits::default() });
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let bad = scope.spawn(|| {
            let mut sockets: Vec<TcpStream> =
                (0..BAD).map(|_| TcpStream::connect(server.address).unwrap()).collect();
            // A third says nothing, one begins a handshake, one says what is none.
            for (number, socket) in sockets.iter_mut().enumerate() {
                let bytes: &[u8] = match number % 3 {
                    0 => b"",
                    1 => b"\x16\x03\x01\x02\x00\x01",
                    _ => b"GET / HTTP/1.1\r\n\r\n",
                };
                socket.write_all(bytes).unwrap_or_default();
            }
            while !done.load(Ordering::Relaxed) {
                for socket in &mut sockets {
                    socket.write_all(b"\x00").unwrap_or_default();
                }
                thread::sleep(SLOW);
            }
        });
        let endless = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let mut client = server.client();
                client
                    .send(&head("POST", "/validate", &[("Content-Type", "application/json")], None))
                    .unwrap();
                let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, " ".repeat(64 * 1024));
                client.send_until_answered(chunk.as_bytes(), Duration::from_millis(1));
            }
        });
        let good = review("1", "shop", &good_spec());
        let (began, mut answered) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(3) {
            // On a connection that is kept, as the API server does it, and on new ones.
            let mut client = server.client();
            for _ in 0..5 {
                let response = client.review("/validate?timeout=10s", &good);
                assert_eq!(response.status, 200, "after {answered}: {}", response.text());
                answered += 1;
            }
        }
        done.store(true, Ordering::Relaxed);
        bad.join().unwrap();
        endless.join().unwrap();
        println!("{answered} good requests beside {BAD} bad connections, none failed");
        assert!(answered > 20);
    });
}
