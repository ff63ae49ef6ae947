//! Who is asked about images under the policies in force: they say whom to trust, the process says which registries may be
//! asked. What is answered under a bundle is by its own authorities, also while another takes its place.

use std::collections::VecDeque;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::authority::Authorities;
use super::gather::{Asked, Gatherer};
use super::limits::Limits;
use super::pull_secrets::PullSecrets;
use super::source::EvidenceSource;
use super::verdicts::Remembered;
use crate::activation::Preparation;
use crate::context::{ContextSource, Fact, FactKey, Images};
use crate::engine::Bundle;
use crate::policy::{Digest, Faults};

/// Bundles that are answered for: the one in force, a candidate, and those whose requests still run.
const BUNDLES: usize = 4;

impl Gatherer {
    /// By the authorities of a bundle, for what its policies ask.
    ///
    /// # Errors
    /// Keys or trust roots that can't be used.
    pub fn of_bundle(
        bundle: &Bundle,
        source: Arc<dyn EvidenceSource>,
        verifier: Arc<Remembered>,
        limits: Limits,
    ) -> Result<Self, Faults> {
        let trust = bundle.image_trust.as_deref();
        let authorities = trust.map(Authorities::compile).transpose()?.unwrap_or_default();
        let asked = Asked {
            predicate_types: bundle.predicate_types(),
            authorities: bundle.image_authorities(),
            configs: bundle.image_configs(),
        };
        Ok(Self::new(Arc::new(authorities), source, verifier, asked, limits))
    }
}

/// Who is asked about images, bundle by bundle.
#[derive(Default)]
pub struct InForce {
    /// None: no registry may be asked.
    asked: Option<(Arc<dyn EvidenceSource>, Arc<Remembered>)>,
    limits: Limits,
    pull_secrets: Option<Arc<dyn PullSecrets>>,
    known: Mutex<Known>,
}

impl InForce {
    /// Evidence comes from `source`, and is verified by `verifier`. Without them (the default) nothing is known of any image.
    pub fn of(source: Arc<dyn EvidenceSource>, verifier: Arc<Remembered>, limits: Limits) -> Self {
        Self { asked: Some((source, verifier)), limits, ..Self::default() }
    }

    /// With the pull secrets of whom an image is pulled for.
    #[must_use]
    pub fn pulling(self, pull_secrets: Option<Arc<dyn PullSecrets>>) -> Self {
        Self { pull_secrets, ..self }
    }

    /// Whom to ask under a bundle that was prepared; of another one nobody answers.
    pub fn images(&self, bundle: &Bundle) -> Images {
        let known = self.known();
        let own = known.all.iter().find(|(digest, _)| *digest == bundle.revision.bundle);
        own.map(|(_, images)| images.clone()).unwrap_or_default()
    }

    fn learn(&self, bundle: &Bundle) -> Result<(), String> {
        let images = match &self.asked {
            None => Images::of(Arc::new(Nobody)),
            Some((source, verifier)) => {
                let (source, verifier) = (Arc::clone(source), Arc::clone(verifier));
                let gatherer = Gatherer::of_bundle(bundle, source, verifier, self.limits);
                let gatherer = gatherer.map_err(|faults| faults.to_string())?;
                Images::of(Arc::new(gatherer.pulling(self.pull_secrets.clone())))
            }
        };
        self.known().add(bundle.revision.bundle, images);
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bundles, the latest first.
#[derive(Default)]
struct Known {
    in_force: Option<Digest>,
    all: VecDeque<(Digest, Images)>,
}

impl Known {
    /// However many candidates come and are refused, the one in force stays.
    fn add(&mut self, bundle: Digest, images: Images) {
        self.all.retain(|(known, _)| *known != bundle);
        self.all.push_front((bundle, images));
        while self.all.len() > BUNDLES {
            let oldest = self.all.iter().rposition(|(known, _)| Some(*known) != self.in_force);
            oldest.and_then(|at| self.all.remove(at));
        }
    }
}

impl Preparation for InForce {
    fn prepare<'a>(
        &'a self,
        candidate: &'a Arc<Bundle>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(ready(self.learn(candidate)))
    }

    fn activated(&self, bundle: &Arc<Bundle>) {
        self.known().in_force = Some(bundle.revision.bundle);
    }
}

/// Nobody may be asked.
struct Nobody;

impl ContextSource for Nobody {
    fn fetch<'a>(&'a self, _: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let why = "no registry may be asked; write `images.registries` in the configuration";
        Box::pin(ready(Fact::Unknown(why.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundle_in_force_is_answered_for_however_many_are_refused() {
        let bundles: Vec<Digest> =
            ["a", "b", "c", "d", "e", "f", "g"].map(|one| Digest::of(one.as_bytes())).into();
        let mut known = Known::default();
        known.add(bundles[0], Images::default());
        known.in_force = Some(bundles[0]);
        bundles.iter().skip(1).for_each(|one| known.add(*one, Images::default()));
        let left: Vec<Digest> = known.all.iter().map(|(digest, _)| *digest).collect();
        assert_eq!(left, [bundles[6], bundles[5], bundles[4], bundles[0]]);
    }
}
