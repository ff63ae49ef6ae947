//! Every metric family, in one place (cluster: observability).
//!
//! Called by whoever counts something; `webhook` serves the text. Nothing global: who counts is handed a [`Metrics`].
//! A label that says something of a request is a `&'static str`, a word of this program, so that no name in a request
//! ever makes a series (R48). The other labels come from the policies and the configuration.

mod bundles;
mod certificates;
mod decisions;
mod facts;
mod policies;
mod registration;
mod requests;
mod server;

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use bundles::BundleLabels;
pub use requests::RequestLabels;
pub use server::ServerState;

/// The Content-Type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Before each family's name.
const PREFIX: &str = "meshgate";

/// Bounds in seconds, from half a millisecond, which the simplest review takes, to 10 s, the default timeoutSeconds.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// All families. A clone counts in the same ones.
#[derive(Clone)]
pub struct Metrics(Arc<Families>);

struct Families {
    registry: Registry,
    requests: requests::Families,
    policies: policies::Families,
    server: server::Families,
    bundles: bundles::Families,
    certificates: certificates::Families,
    decisions: decisions::Families,
    registration: registration::Families,
    facts: facts::Families,
}

impl Metrics {
    /// All families, at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        Self(Arc::new(Families {
            requests: requests::Families::new(&mut registry),
            policies: policies::Families::new(&mut registry),
            server: server::Families::new(&mut registry),
            bundles: bundles::Families::new(&mut registry),
            certificates: certificates::Families::new(&mut registry),
            decisions: decisions::Families::new(&mut registry),
            registration: registration::Families::new(&mut registry),
            facts: facts::Families::new(&mut registry),
            registry,
        }))
    }

    /// What Prometheus reads, in its text format 0.0.4. `now`: seconds since 1970, which levels below the edge don't know.
    ///
    /// # Errors
    /// Never, unless the format can't be written to memory.
    pub fn text(&self, now: i64) -> Result<String, fmt::Error> {
        self.0.certificates.age(now);
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_counts_in_the_same_families() {
        let metrics = Metrics::new();
        metrics.clone().panicked();
        assert!(metrics.text(0).unwrap().contains("\nmeshgate_panics_total 1\n"));
    }

    #[test]
    fn what_is_left_of_a_certificate_is_told_at_the_time_of_the_question() {
        let metrics = Metrics::new();
        metrics.certificate_expiry("serving", 1_000);
        let line = |now| {
            let text = metrics.text(now).unwrap();
            text.lines()
                .find(|line| line.starts_with("meshgate_certificate_expiry_seconds{"))
                .unwrap()
                .to_owned()
        };
        assert_eq!(line(400), "meshgate_certificate_expiry_seconds{use=\"serving\"} 600");
        assert_eq!(line(1_001), "meshgate_certificate_expiry_seconds{use=\"serving\"} -1");
    }
}
