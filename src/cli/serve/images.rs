//! Who is asked about images: the registries of the configuration, and nobody else.

use std::sync::Arc;

use super::knowledge::Knowledge;
use crate::cli::registries::unusable;
use crate::config::{Images, PullFrom};
use crate::image::{Cached, InForce, Limits, Registries, Remembered};
use crate::metrics::Metrics;

/// The registries that may be asked; what was read of them is kept for a while.
///
/// # Errors
/// A file of a registry can't be used.
pub(super) fn in_force(
    images: &Images,
    knowledge: &Knowledge,
    metrics: &Metrics,
) -> anyhow::Result<Arc<InForce>> {
    if images.registries.is_empty() {
        return Ok(Arc::default());
    }
    let registries = Registries::new(images).map_err(|errors| unusable(&errors))?;
    let shares = Shares::of(images.limits.cache_bytes, images.stale_if_error.is_some());
    let cached = Cached::new(Arc::new(registries), shares.evidence);
    let cached = match images.stale_if_error {
        Some(longest) => cached.or_stale(longest, shares.last, metrics.clone()),
        None => cached,
    };
    let limits = Limits {
        evidence_bytes: images.limits.evidence_bytes,
        predicate_bytes: images.limits.predicate_bytes,
    };
    let verifier = Remembered::sigstore(limits, shares.verdicts);
    let pulled = (images.pull_secrets == PullFrom::Pod).then(|| knowledge.pull_secrets());
    Ok(Arc::new(InForce::of(Arc::new(cached), verifier, limits).pulling(pulled)))
}

/// What each of the stores may take of `images.limits.cacheBytes`.
#[derive(Debug, PartialEq)]
struct Shares {
    /// What verification found: the most dear to make anew, and the largest.
    verdicts: u64,
    /// What registries said.
    evidence: u64,
    /// What they said last, for when they are away.
    last: u64,
}

impl Shares {
    fn of(bytes: u64, keeps_last: bool) -> Self {
        let verdicts = bytes / 2;
        let rest = bytes.saturating_sub(verdicts);
        let last = if keeps_last { rest / 2 } else { 0 };
        Self { verdicts, evidence: rest.saturating_sub(last), last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stores_together_take_what_is_granted() {
        let shares = |bytes, keeps_last| {
            let Shares { verdicts, evidence, last } = Shares::of(bytes, keeps_last);
            (verdicts, evidence, last)
        };
        assert_eq!(shares(64 << 20, false), (32 << 20, 32 << 20, 0));
        assert_eq!(shares(64 << 20, true), (32 << 20, 16 << 20, 16 << 20));
        for bytes in [0, 1, 2, 3, 5, 1023, u64::MAX] {
            for keeps_last in [false, true] {
                let (verdicts, evidence, last) = shares(bytes, keeps_last);
                assert_eq!(u128::from(verdicts) + u128::from(evidence) + u128::from(last), u128::from(bytes));
            }
        }
    }
}
