//! Requests, and the steps of their answers.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Metrics, seconds};

/// What a request was, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// `mutate` or `validate`.
    pub phase: &'static str,
    /// The entry of the registration that it is for: `workloads`, `guard` or `own`.
    pub entry: &'static str,
    /// A kind of Kubernetes' own, or `other`.
    pub kind: &'static str,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`.
    pub operation: &'static str,
    /// `allowed`, `denied`, `warned`, `error`, `shed`.
    pub outcome: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    phase: &'static str,
    step: &'static str,
}

pub(super) struct Families {
    requests: Family<RequestLabels, Counter>,
    duration: Family<RequestLabels, Histogram>,
    step: Family<StepLabels, Histogram>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(seconds),
            step: Family::new_with_constructor(seconds),
        };
        registry.register("requests", "Requests, by what became of them", families.requests.clone());
        let duration = families.duration.clone();
        registry.register("request_duration_seconds", "From a request's head to its answer", duration);
        let help = "What a request's steps take: body, decode, review, gather, respond";
        registry.register("step_duration_seconds", help, families.step.clone());
        families
    }
}

impl Metrics {
    /// A request is answered, or refused.
    pub fn request(&self, labels: RequestLabels, took: Duration) {
        self.0.requests.requests.get_or_create(&labels).inc();
        self.0.requests.duration.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A step of an answer is done.
    pub fn step(&self, phase: &'static str, step: &'static str, took: Duration) {
        self.0.requests.step.get_or_create(&StepLabels { phase, step }).observe(took.as_secs_f64());
    }
}
