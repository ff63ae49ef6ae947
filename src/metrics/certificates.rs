//! Certificates and when they end.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Metrics;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UseLabels {
    r#use: &'static str,
}

#[derive(Default)]
pub(super) struct Families {
    expiry: Family<UseLabels, Gauge>,
    /// By use, in seconds since 1970.
    ends: Mutex<BTreeMap<&'static str, i64>>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let families = Self::default();
        let help = "Seconds until a certificate ends";
        registry.register("certificate_expiry_seconds", help, families.expiry.clone());
        families
    }

    /// Sets what is left at `now`.
    pub(super) fn age(&self, now: i64) {
        for (r#use, end) in self.ends.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            self.expiry.get_or_create(&UseLabels { r#use }).set(end.saturating_sub(now));
        }
    }
}

impl Metrics {
    /// The certificate in use for something ends at `end`, in seconds since 1970.
    pub fn certificate_expiry(&self, r#use: &'static str, end: i64) {
        self.0.certificates.ends.lock().unwrap_or_else(PoisonError::into_inner).insert(r#use, end);
    }
}
