//! The decision log.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Metrics;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Default)]
pub(super) struct Families {
    lines: Family<ResultLabels, Counter>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self::default();
        registry.register(
            "decision_log_lines",
            "Lines of the decision log: written, lost",
            families.lines.clone(),
        );
        families
    }
}

impl Metrics {
    /// A decision is written down.
    pub fn decision_written(&self) {
        self.0.decisions.lines.get_or_create(&ResultLabels { result: "written" }).inc();
    }

    /// A decision is not written down.
    pub fn decision_lost(&self) {
        self.0.decisions.lines.get_or_create(&ResultLabels { result: "lost" }).inc();
    }
}
