//! What is kept of the cluster, how old it is, and what could not be learnt.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Metrics;

/// Of the policies' kinds, not of requests.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FactLabels {
    fact: &'static str,
}

#[derive(Default)]
pub(super) struct Families {
    age: Family<KindLabels, Gauge>,
    bytes: Family<KindLabels, Gauge>,
    missing: Family<FactLabels, Counter>,
    stale: Counter,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self::default();
        let help = "Seconds since the API server last said how the objects of a kind are";
        registry.register("facts_age_seconds", help, families.age.clone());
        registry.register(
            "cache_bytes",
            "What the objects of a kind take, estimated",
            families.bytes.clone(),
        );
        registry.register("facts_missing", "Facts that could not be learnt", families.missing.clone());
        let help = "Times that evidence of images read before was used because a registry was away";
        registry.register("image_stale_evidence", help, families.stale.clone());
        families
    }
}

impl Metrics {
    /// These kinds are kept and no others: name, age in seconds, bytes.
    pub fn kept(&self, kinds: impl Iterator<Item = (String, i64, i64)>) {
        let families = &self.0.facts;
        families.age.clear();
        families.bytes.clear();
        for (kind, age, bytes) in kinds {
            families.age.get_or_create(&KindLabels { kind: kind.clone() }).set(age);
            families.bytes.get_or_create(&KindLabels { kind }).set(bytes);
        }
    }

    /// What was read of an image before is used, because its registry is away.
    pub fn stale_evidence(&self) {
        self.0.facts.stale.inc();
    }

    /// A fact could not be learnt.
    pub fn fact_missing(&self, fact: &'static str) {
        self.0.facts.missing.get_or_create(&FactLabels { fact }).inc();
    }
}
