//! What a source said, kept for a while: evidence by digest, never by tag (R18). What a tag means is asked anew each time,
//! and only those who ask at once share an answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::credentials::CredentialSet;
use super::digest::Digest;
use super::evidence::Repository;
use super::flights::{Flights, LONGEST};
use super::source::{Answer, EvidenceSource, Gathered, Resolved, SourceError, Wanted};
use super::stale::Last;
use crate::kubernetes::image_reference::ImageReference;
use crate::metrics::Metrics;

/// How long evidence is kept.
const EVIDENCE: Duration = Duration::from_secs(300);
/// How long it is kept that there is none: a signature often follows its image by seconds.
const NOTHING: Duration = Duration::from_secs(15);
/// How long an error is: enough for those who come with the one that met it.
const ERROR: Duration = Duration::from_secs(3);

/// What an answer weighs beside its evidence.
const WEIGHT: u64 = 1024;

/// A source that remembers.
pub struct Cached {
    source: Arc<dyn EvidenceSource>,
    tags: Flights<(ImageReference, CredentialSet), Resolved>,
    evidence: Flights<Key, Gathered>,
    /// None: what can't be read now is not known.
    last: Option<Arc<Last<Key>>>,
}

type Key = (Repository, Digest, Wanted, CredentialSet);

impl Cached {
    /// Remembers so many bytes of a source.
    pub fn new(source: Arc<dyn EvidenceSource>, bytes: u64) -> Self {
        Self { source, tags: Flights::new(0), evidence: Flights::new(bytes), last: None }
    }

    /// The same; while a registry is away, what was read of it no longer ago than that is used instead.
    #[must_use]
    pub fn or_stale(mut self, longest: Duration, bytes: u64, metrics: Metrics) -> Self {
        self.last = Some(Arc::new(Last::new(longest, bytes, metrics)));
        self
    }
}

fn of_tag(_: &Result<Arc<Resolved>, SourceError>) -> (Duration, u64) {
    (Duration::ZERO, 0)
}

fn of_evidence(answer: &Result<Arc<Gathered>, SourceError>) -> (Duration, u64) {
    match answer {
        Err(_) => (ERROR, WEIGHT),
        Ok(gathered) => {
            let weight = weight(gathered);
            match gathered {
                _ if !gathered.unread.is_empty() => (ERROR, weight),
                _ if gathered.evidence.is_empty() => (NOTHING, weight),
                _ => (EVIDENCE, weight),
            }
        }
    }
}

fn weight(gathered: &Gathered) -> u64 {
    let length = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
    let all = gathered.evidence.iter().map(|one| length(one.len()).saturating_add(WEIGHT));
    all.fold(WEIGHT, u64::saturating_add)
}

/// When a flight has to have landed.
fn landing() -> Instant {
    let now = Instant::now();
    now.checked_add(LONGEST).unwrap_or(now)
}

impl EvidenceSource for Cached {
    fn resolve<'a>(
        &'a self,
        image: &'a ImageReference,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Resolved> {
        Box::pin(async move {
            let key = (image.clone(), who.clone());
            let work = || {
                let (source, (image, who)) = (Arc::clone(&self.source), key.clone());
                async move { source.resolve(&image, &who, landing()).await }
            };
            self.tags.get(&key, until, of_tag, work).await.map(|resolved| (*resolved).clone())
        })
    }

    fn evidence<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        want: &'a Wanted,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Gathered> {
        Box::pin(async move {
            let key = (at.clone(), *digest, want.clone(), who.clone());
            let work = || {
                let (source, last, key) = (Arc::clone(&self.source), self.last.clone(), key.clone());
                async move {
                    let (at, digest, want, who) = &key;
                    let answer = source.evidence(at, digest, want, who, landing()).await;
                    // Here and not where it is used: what is kept ages from now on.
                    if let Some(last) = last {
                        last.answered(&key, &answer, answer.as_ref().map_or(0, weight));
                    }
                    answer
                }
            };
            let answer = self.evidence.get(&key, until, of_evidence, work).await;
            match (answer, &self.last) {
                (Ok(gathered), Some(last)) => {
                    // A part of it may be what was not read.
                    Ok(last.instead(&key, &gathered.unread).unwrap_or_else(|| (*gathered).clone()))
                }
                (Ok(gathered), None) => Ok((*gathered).clone()),
                (Err(why), last) => {
                    let unread = std::slice::from_ref(&why);
                    last.as_ref().and_then(|last| last.instead(&key, unread)).ok_or(why)
                }
            }
        })
    }
}
