//! Who is asked for the facts of one request: registries for images, and for the rest who knows the cluster.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::context::{ContextSource, Fact, FactKey, Images};
use crate::metrics::Metrics;

/// What is left of a request's time when images are waited for no longer: enough to say so.
const REST: Duration = Duration::from_millis(500);

/// Who is asked.
pub(super) struct Asked<'a> {
    pub(super) source: &'a dyn ContextSource,
    pub(super) images: Images,
    /// When an answer has to be there.
    pub(super) deadline: Instant,
    pub(super) metrics: &'a Metrics,
}

impl ContextSource for Asked<'_> {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        if !matches!(key, FactKey::Image(_) | FactKey::Signatures(_)) {
            return self.source.fetch(key);
        }
        Box::pin(async move {
            let until = self.deadline.checked_sub(REST).unwrap_or(self.deadline);
            let fact = timeout_at(until, self.images.fetch(key)).await.unwrap_or_else(|_| {
                Fact::Unknown("its registry was not read in time, and goes on to be read; retry".to_owned())
            });
            if matches!(fact, Fact::Unknown(_)) {
                self.metrics.fact_missing("images");
            }
            fact
        })
    }
}
