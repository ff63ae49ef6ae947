//! What policies say. Their names are those of the policies' tree in force: what leaves it, leaves these families.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::Metrics;

/// The words of `result`.
const RESULTS: [&str; 4] = ["deny", "warn", "audit", "excused"];

/// The words of `cause`.
const CAUSES: [&str; 6] = ["fact", "policy", "mutation", "version", "shape", "powers"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    policy: String,
    binding: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    policy: String,
    cause: &'static str,
}

#[derive(Default)]
pub(super) struct Families {
    results: Family<ResultLabels, Counter>,
    errors: Family<ErrorLabels, Counter>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self::default();
        let help = "Findings, by what they did: deny, warn, audit, excused";
        registry.register("policy_results", help, families.results.clone());
        registry.register("policy_errors", "Policies that gave no answer", families.errors.clone());
        families
    }
}

impl Metrics {
    /// A binding of a policy found something.
    pub fn policy_result(&self, policy: &str, binding: &str, result: &'static str) {
        let labels = ResultLabels { policy: policy.to_owned(), binding: binding.to_owned(), result };
        self.0.policies.results.get_or_create(&labels).inc();
    }

    /// A policy gave no answer, and why.
    pub fn policy_error(&self, policy: &str, cause: &'static str) {
        self.0.policies.errors.get_or_create(&ErrorLabels { policy: policy.to_owned(), cause }).inc();
    }

    /// A binding is no longer in force.
    pub fn forget_binding(&self, policy: &str, binding: &str) {
        for result in RESULTS {
            let labels = ResultLabels { policy: policy.to_owned(), binding: binding.to_owned(), result };
            self.0.policies.results.remove(&labels);
        }
    }

    /// A policy is no longer in force.
    pub fn forget_policy(&self, policy: &str) {
        for cause in CAUSES {
            self.0.policies.errors.remove(&ErrorLabels { policy: policy.to_owned(), cause });
        }
    }
}
