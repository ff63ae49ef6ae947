//! How much of anything one client, or all together, can take.

use std::time::Duration;

/// Connections of the admin port at a time.
const ADMIN_CONNECTIONS: usize = 64;

/// The limits of a server. The defaults suit an API server as the client; tests lower them.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of one body; beyond it 413. An API server takes objects of 3 MiB, a review holds two, and an envelope.
    pub body_bytes: usize,
    /// Bytes of all bodies together; where there is no room within [`Limits::wait`], 503.
    pub held_bytes: usize,
    /// Time for a body to come; beyond it 408.
    pub body: Duration,
    /// Time for a TLS handshake.
    pub handshake: Duration,
    /// Time for a request's head, from its first byte.
    pub head: Duration,
    /// Bytes of a request's head; beyond it 431.
    pub head_bytes: usize,
    /// Lines of a request's head; beyond it 431.
    pub head_lines: usize,
    /// How long a connection may stay between requests. Longer than the API server's 90 s, so that it is the one who
    /// closes: a POST that meets a closing connection is not sent again.
    pub idle: Duration,
    /// Age at which a connection is closed with an answer (± 10 %), so that load spreads over replicas.
    pub age: Duration,
    /// Connections at a time: three API servers with 600 requests in flight each. A new one beyond them takes the
    /// place of the oldest that never completed a request, or else of the longest idle.
    pub connections: usize,
    /// Reviews that run at a time.
    pub workers: usize,
    /// Requests that wait, for each worker; beyond it 503.
    pub queue: usize,
    /// How long a request waits for a worker, or for room for its body; beyond it 503.
    pub wait: Duration,
    /// How long after its deadline a review may go on before it is taken for stuck: the policies' own budget of a second
    /// ends most that run away.
    pub grace: Duration,
    /// How long a server that is told to stop goes on taking connections: EndpointSlices and kube-proxy need that to send
    /// no more.
    pub leave: Duration,
    /// How long a connection must have been idle then to be closed: longer than the API server's 90 s (client-go,
    /// IdleConnTimeout), so that it is the one who closes.
    pub linger: Duration,
    /// The same for a server that is told to stop at once: a request may be on its way to one that was idle for less.
    pub quiet: Duration,
    /// How long requests in flight may take to finish then.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            body_bytes: 7 * 1024 * 1024,
            held_bytes: 64 * 1024 * 1024,
            body: Duration::from_secs(10),
            handshake: Duration::from_secs(5),
            head: Duration::from_secs(5),
            head_bytes: 16 * 1024,
            head_lines: 64,
            idle: Duration::from_secs(120),
            age: Duration::from_secs(5 * 60),
            connections: 2_048,
            workers: cpus.clamp(2, 8),
            queue: 128,
            wait: Duration::from_secs(1),
            grace: Duration::from_secs(2),
            leave: Duration::from_secs(15),
            linger: Duration::from_secs(95),
            quiet: Duration::from_secs(1),
            drain: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The same for the admin port: probes and a scraper or two, whose connections must find a place whatever happens on
    /// the webhook's port.
    pub(super) fn of_admin(&self) -> Self {
        Self { connections: ADMIN_CONNECTIONS, ..self.clone() }
    }
}
