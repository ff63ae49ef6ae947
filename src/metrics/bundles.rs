//! The bundle in force, and those that would be.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::Metrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InfoLabels {
    revision: String,
    state: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

pub(super) struct Families {
    info: Family<InfoLabels, ConstGauge>,
    activations: Family<ResultLabels, Counter>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self {
            info: Family::new_with_constructor(|| ConstGauge::new(1)),
            activations: Family::default(),
        };
        registry.register("bundle_info", "Revisions: active, candidate", families.info.clone());
        let help = "Candidates: activated, or refused, so that the last good one stays";
        registry.register("bundle_activations", help, families.activations.clone());
        families
    }
}

impl Metrics {
    /// These revisions are in force, and about to be.
    pub fn bundles(&self, active: Option<&str>, candidate: Option<&str>) {
        let info = &self.0.bundles.info;
        info.clear();
        for (revision, state) in [(active, "active"), (candidate, "candidate")] {
            if let Some(revision) = revision {
                drop(info.get_or_create(&InfoLabels { revision: revision.to_owned(), state }));
            }
        }
    }

    /// A candidate is in force.
    pub fn bundle_activated(&self) {
        self.0.bundles.activations.get_or_create(&ResultLabels { result: "activated" }).inc();
    }

    /// A candidate is not put in force.
    pub fn bundle_refused(&self) {
        self.0.bundles.activations.get_or_create(&ResultLabels { result: "refused" }).inc();
    }
}
