//! Asking for an image: what its text means now, what lies about it and where, and what of that counts.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::authority::{Authorities, Authority};
use super::credentials::CredentialSet;
use super::digest::Digest;
use super::evidence::{Evidence, Repository};
use super::facts::{Found, Known, entry, judge};
use super::limits::Limits;
use super::source::{EvidenceSource, Resolved, SourceError, Wanted};
use super::verifier::SignatureVerifier;
use crate::context::{ContextSource, Fact, FactKey};
use crate::kubernetes::image_reference::ImageReference;

/// How long one image may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who can be asked for images: authorities, and a source of what was said.
#[derive(Clone)]
pub struct Gatherer {
    authorities: Arc<Authorities>,
    source: Arc<dyn EvidenceSource>,
    verifier: Arc<dyn SignatureVerifier>,
    predicate_types: BTreeSet<String>,
    limits: Limits,
}

/// What lies somewhere about an image, for the authorities that look there.
type Lying<'a> = (Vec<&'a Authority>, Result<Vec<Evidence>, SourceError>, Vec<SourceError>);

impl Gatherer {
    /// With the predicate types that somebody asks for.
    pub fn new(
        authorities: Arc<Authorities>,
        source: Arc<dyn EvidenceSource>,
        verifier: Arc<dyn SignatureVerifier>,
        predicate_types: BTreeSet<String>,
        limits: Limits,
    ) -> Self {
        Self { authorities, source, verifier, predicate_types, limits }
    }

    async fn fact(&self, key: &FactKey) -> Fact {
        let (who, until) = (CredentialSet::none(), Instant::now().checked_add(PATIENCE));
        let Some(until) = until else { return Fact::Unknown("the clock is at its end".to_owned()) };
        match key {
            FactKey::Image(image) => {
                self.digest(&image.text, &who, until).await.map_or_else(Fact::Unknown, Fact::Known)
            }
            FactKey::Signatures(image) => Fact::Known(self.entry(&image.text, &who, until).await),
            _ => Fact::Unknown("only images are asked for here".to_owned()),
        }
    }

    /// `{digest}` of an image: which bytes its text means now.
    ///
    /// # Errors
    /// Why that is not known, in our words.
    pub async fn digest(&self, text: &str, who: &CredentialSet, until: Instant) -> Result<Value, String> {
        let resolved = self.resolved(text, who, until).await.map_err(|why| why.to_string())?;
        Ok(json!({ "digest": resolved.digest.to_string() }))
    }

    /// The entry of an image, but for what only the object says.
    pub async fn entry(&self, text: &str, who: &CredentialSet, until: Instant) -> Value {
        match self.resolved(text, who, until).await {
            Ok(resolved) => {
                let (found, errors) = self.found(text, &resolved.digest, who, until).await;
                let errors: Vec<_> = errors.into_iter().map(|error| ("evidence", error)).collect();
                let known = Known { text, resolved: Some(&resolved), found: &found, errors: &errors };
                entry(&known, &self.authorities, &self.limits)
            }
            Err(error) => {
                let errors = [("resolve", error)];
                let known = Known { text, resolved: None, found: &Found::default(), errors: &errors };
                entry(&known, &self.authorities, &self.limits)
            }
        }
    }

    async fn resolved(
        &self,
        text: &str,
        who: &CredentialSet,
        until: Instant,
    ) -> Result<Resolved, SourceError> {
        let image =
            ImageReference::parse(text).map_err(|_| SourceError::Corrupt("it is no image reference"))?;
        // The tag beside a digest is decoration.
        if let Some(digest) = image.digest() {
            let digest =
                digest.parse().map_err(|_| SourceError::Corrupt("only digests of SHA-256 are verified"))?;
            return Ok(Resolved { digest, media_type: String::new() });
        }
        self.source.resolve(&image, who, until).await
    }

    /// What counts, and what could not be read.
    async fn found(
        &self,
        text: &str,
        digest: &Digest,
        who: &CredentialSet,
        until: Instant,
    ) -> (Found, Vec<SourceError>) {
        let Ok(image) = ImageReference::parse(text) else { return (Found::default(), Vec::new()) };
        let beside = Repository::of(&image);
        let mut places: Vec<((Repository, String), Vec<&Authority>)> = Vec::new();
        for authority in self.authorities.iter().filter(|one| one.trust().is_some()) {
            let place = authority.source.clone().unwrap_or_else(|| (beside.clone(), String::new()));
            match places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, all)) => all.push(authority),
                None => places.push((place, vec![authority])),
            }
        }
        let asked = places.into_iter().map(|((at, tag_prefix), authorities)| async move {
            self.lying(&at, tag_prefix, authorities, digest, who, until).await
        });
        let answers: Vec<Lying<'_>> = futures_util::future::join_all(asked).await;
        let mut errors = Vec::new();
        let mut pairs: Vec<(&Authority, &Evidence)> = Vec::new();
        for (authorities, evidence, unread) in &answers {
            errors.extend(unread.iter().cloned());
            match evidence {
                Ok(pieces) => pairs
                    .extend(authorities.iter().flat_map(|one| pieces.iter().map(move |piece| (*one, piece)))),
                Err(why) => errors.push(why.clone()),
            }
        }
        (judge(&self.authorities, &*self.verifier, &pairs, digest), errors)
    }

    async fn lying<'a>(
        &self,
        at: &Repository,
        tag_prefix: String,
        authorities: Vec<&'a Authority>,
        digest: &Digest,
        who: &CredentialSet,
        until: Instant,
    ) -> Lying<'a> {
        let want = Wanted {
            legacy: authorities.iter().any(|one| one.legacy),
            bundles: authorities.iter().any(|one| one.bundles),
            predicate_types: self.predicate_types.clone(),
            tag_prefix,
        };
        match self.source.evidence(at, digest, &want, who, until).await {
            Ok(gathered) => (authorities, Ok(gathered.evidence), gathered.unread),
            // That nothing lies there is no error: most images have no signatures.
            Err(SourceError::NotFound) => (authorities, Ok(Vec::new()), Vec::new()),
            Err(why) => (authorities, Err(why), Vec::new()),
        }
    }
}

impl ContextSource for Gatherer {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        Box::pin(self.fact(key))
    }
}
