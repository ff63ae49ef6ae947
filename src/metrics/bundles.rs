//! The bundle in force, those that would be, and where they come from.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::Metrics;

/// A revision that plays a part.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct BundleLabels {
    /// Which part: active, candidate.
    pub state: &'static str,
    /// The source's name.
    pub source: String,
    /// The short form.
    pub revision: String,
    /// The first digits of the tree's digest.
    pub tree: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RejectedLabels {
    stage: &'static str,
    reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

/// Of a series that is there at times only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoLabels {}

pub(super) struct Families {
    info: Family<BundleLabels, ConstGauge>,
    activations: Family<ResultLabels, Counter>,
    rejected: Family<RejectedLabels, Counter>,
    committed: Family<NoLabels, Gauge>,
    activated: Family<NoLabels, Gauge>,
    stages: Family<StageLabels, Gauge<f64, AtomicU64>>,
    trust: Family<StateLabels, ConstGauge>,
    succeeded: Family<NoLabels, Gauge>,
    polls: Family<ResultLabels, Counter>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self {
            info: Family::new_with_constructor(|| ConstGauge::new(1)),
            activations: Family::default(),
            rejected: Family::default(),
            committed: Family::default(),
            activated: Family::default(),
            stages: Family::default(),
            trust: Family::new_with_constructor(|| ConstGauge::new(1)),
            succeeded: Family::default(),
            polls: Family::default(),
        };
        registry.register("bundle_info", "Revisions: active, candidate", families.info.clone());
        let help = "Candidates: activated, or refused, so that the last good one stays";
        registry.register("bundle_activations", help, families.activations.clone());
        let help = "Candidates that were refused, and fetches that failed, by where and why";
        registry.register("bundle_rejected", help, families.rejected.clone());
        let help = "When the commit in force was made, in seconds since 1970";
        registry.register("bundle_commit_timestamp_seconds", help, families.committed.clone());
        let help = "When the bundle in force came in force, in seconds since 1970";
        registry.register("bundle_activated_timestamp_seconds", help, families.activated.clone());
        let help = "How long each step of the last candidate took";
        registry.register("bundle_stage_seconds", help, families.stages.clone());
        let help = "Whether somebody who is trusted vouches for the bundle in force: verified, none, stale";
        registry.register("bundle_trust", help, families.trust.clone());
        let help = "When the source answered last, in seconds since 1970";
        registry.register("source_last_success_timestamp_seconds", help, families.succeeded.clone());
        let help = "Questions to the source: unchanged, changed, failed";
        registry.register("source_polls", help, families.polls.clone());
        families
    }
}

impl Metrics {
    /// These revisions are in force, and about to be.
    pub fn bundles(&self, rows: Vec<BundleLabels>) {
        let info = &self.0.bundles.info;
        info.clear();
        for row in rows {
            drop(info.get_or_create(&row));
        }
    }

    /// A candidate is in force since `now`; `committed`: when its commit was made. In seconds since 1970.
    pub fn bundle_activated(&self, committed: Option<i64>, now: i64) {
        let bundles = &self.0.bundles;
        bundles.activations.get_or_create(&ResultLabels { result: "activated" }).inc();
        bundles.activated.get_or_create(&NoLabels {}).set(now);
        match committed {
            Some(time) => drop(bundles.committed.get_or_create(&NoLabels {}).set(time)),
            None => bundles.committed.clear(),
        }
    }

    /// A candidate is not put in force.
    pub fn bundle_refused(&self, stage: &'static str, reason: &'static str) {
        self.0.bundles.activations.get_or_create(&ResultLabels { result: "refused" }).inc();
        self.bundle_failed(stage, reason);
    }

    /// Something failed that is no candidate's fault.
    pub fn bundle_failed(&self, stage: &'static str, reason: &'static str) {
        self.0.bundles.rejected.get_or_create(&RejectedLabels { stage, reason }).inc();
    }

    /// A step took so long.
    pub fn bundle_stage(&self, stage: &'static str, took: Duration) {
        self.0.bundles.stages.get_or_create(&StageLabels { stage }).set(took.as_secs_f64());
    }

    /// Who vouches for the bundle in force.
    pub fn bundle_trust(&self, state: &'static str) {
        let trust = &self.0.bundles.trust;
        trust.clear();
        drop(trust.get_or_create(&StateLabels { state }));
    }

    /// The source was asked; `now`, in seconds since 1970, where it answered.
    pub fn source_polled(&self, result: &'static str, now: Option<i64>) {
        self.0.bundles.polls.get_or_create(&ResultLabels { result }).inc();
        if let Some(now) = now {
            self.0.bundles.succeeded.get_or_create(&NoLabels {}).set(now);
        }
    }
}
