//! The server around the answers.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Metrics, seconds};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

/// What a server holds at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerState {
    /// Requests that wait for a worker.
    pub queued: usize,
    /// Workers that review.
    pub busy_workers: usize,
    /// Workers that wait for a review.
    pub free_workers: usize,
    /// Reviews that were left behind.
    pub stuck_workers: usize,
    /// Bytes of bodies.
    pub body_bytes: usize,
    /// Connections that never completed a request.
    pub new_connections: usize,
    /// Connections between two requests.
    pub idle_connections: usize,
    /// Connections with a request.
    pub busy_connections: usize,
}

pub(super) struct Families {
    queue_depth: Gauge,
    queue_wait: Histogram,
    workers: Family<State, Gauge>,
    body_bytes: Gauge,
    connections: Family<State, Gauge>,
    tls_failures: Family<Reason, Counter>,
    panics: Counter,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self {
            queue_depth: Gauge::default(),
            queue_wait: seconds(),
            workers: Family::default(),
            body_bytes: Gauge::default(),
            connections: Family::default(),
            tls_failures: Family::default(),
            panics: Counter::default(),
        };
        registry.register("queue_depth", "Requests that wait for a worker", families.queue_depth.clone());
        registry.register("queue_wait_seconds", "How long they waited", families.queue_wait.clone());
        registry.register("workers", "Workers: busy, free, stuck", families.workers.clone());
        registry.register("body_bytes", "Bytes of bodies that are held", families.body_bytes.clone());
        let help = "Connections: new, which never completed a request, idle, busy";
        registry.register("connections", help, families.connections.clone());
        let help = "TLS handshakes that failed: timeout, refused";
        registry.register("tls_failures", help, families.tls_failures.clone());
        registry.register("panics", "Reviews that panicked", families.panics.clone());
        families
    }
}

impl Metrics {
    /// What the server holds now.
    pub fn server(&self, state: ServerState) {
        let families = &self.0.server;
        let set = |gauge: &Gauge, count: usize| gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        set(&families.queue_depth, state.queued);
        set(&families.body_bytes, state.body_bytes);
        for (word, count) in
            [("busy", state.busy_workers), ("free", state.free_workers), ("stuck", state.stuck_workers)]
        {
            set(&families.workers.get_or_create(&State { state: word }), count);
        }
        for (word, count) in [
            ("new", state.new_connections),
            ("idle", state.idle_connections),
            ("busy", state.busy_connections),
        ] {
            set(&families.connections.get_or_create(&State { state: word }), count);
        }
    }

    /// A request got a worker, or gave up.
    pub fn queue_wait(&self, waited: Duration) {
        self.0.server.queue_wait.observe(waited.as_secs_f64());
    }

    /// A TLS handshake failed.
    pub fn tls_failure(&self, reason: &'static str) {
        self.0.server.tls_failures.get_or_create(&Reason { reason }).inc();
    }

    /// A review panicked.
    pub fn panicked(&self) {
        self.0.server.panics.inc();
    }
}
