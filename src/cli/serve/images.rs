//! Who is asked about images: the registries of the configuration, and nobody else.

use std::sync::Arc;

use crate::cli::registries::unusable;
use crate::config::Images;
use crate::image::{Cached, InForce, Limits, Registries, Remembered};
use crate::metrics::Metrics;

/// The registries that may be asked; what was read of them is kept for a while.
///
/// # Errors
/// A file of a registry can't be used.
pub(super) fn in_force(images: &Images, metrics: &Metrics) -> anyhow::Result<Arc<InForce>> {
    if images.registries.is_empty() {
        return Ok(Arc::default());
    }
    let registries = Registries::new(images).map_err(|errors| unusable(&errors))?;
    let cached = Cached::new(Arc::new(registries), images.limits.cache_bytes);
    let cached = match images.stale_if_error {
        Some(longest) => cached.or_stale(longest, images.limits.cache_bytes, metrics.clone()),
        None => cached,
    };
    let limits = Limits {
        evidence_bytes: images.limits.evidence_bytes,
        predicate_bytes: images.limits.predicate_bytes,
    };
    let verifier = Remembered::sigstore(limits, images.limits.cache_bytes);
    Ok(Arc::new(InForce::of(Arc::new(cached), verifier, limits)))
}
