//! What is registered, and who keeps it so.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Metrics;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabels {
    phase: &'static str,
}

/// Of a series that is there at times only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoLabels {}

#[derive(Default)]
pub(super) struct Families {
    repairs: Counter,
    gaps: Counter<f64, std::sync::atomic::AtomicU64>,
    complete: Family<NoLabels, Gauge>,
    probe: Family<NoLabels, Gauge>,
    leader: Gauge,
    phase: Family<PhaseLabels, Gauge>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self::default();
        let help =
            "Webhook configurations that somebody else changed or deleted, and that were written again";
        registry.register("registration_repairs", help, families.repairs.clone());
        let help = "Seconds in which not all was sent that should have been";
        registry.register("registration_gap_seconds", help, families.gaps.clone());
        let help = "Whether the API server is told to send all that the policies in force want to see";
        registry.register("registration_complete", help, families.complete.clone());
        let help = "Whether the webhook answered through the API server when the leader last tried";
        registry.register("probe_success", help, families.probe.clone());
        registry.register("leader", "Whether this replica does the background work", families.leader.clone());
        let help = "Where the renewal of the serving certificate stands";
        registry.register("certificate_phase", help, families.phase.clone());
        families
    }
}

impl Metrics {
    /// A configuration was written again.
    pub fn registration_repaired(&self) {
        self.0.registration.repairs.inc();
    }

    /// For so many seconds not all was sent that should have been.
    pub fn registration_gap(&self, seconds: f64) {
        self.0.registration.gaps.inc_by(seconds.max(0.0));
    }

    /// Whether the API server is told to send what the policies in force want to see.
    pub fn registration_complete(&self, is_complete: bool) {
        self.0.registration.complete.get_or_create(&NoLabels {}).set(i64::from(is_complete));
    }

    /// Whether the webhook answers through the API server.
    pub fn probe(&self, answers: bool) {
        self.0.registration.probe.get_or_create(&NoLabels {}).set(i64::from(answers));
    }

    /// Whether this replica leads. What only a leader knows is told by the leader alone.
    pub fn leader(&self, leads: bool) {
        if !leads {
            self.0.registration.probe.clear();
            self.0.registration.phase.clear();
        }
        self.0.registration.leader.set(i64::from(leads));
    }

    /// Where the renewal of the certificate stands.
    pub fn certificate_phase(&self, phase: &'static str) {
        self.0.registration.phase.clear();
        self.0.registration.phase.get_or_create(&PhaseLabels { phase }).set(1);
    }
}
