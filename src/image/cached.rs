//! What a source said, kept for a while: evidence by digest, never by tag (R18). What a tag means is asked anew each time,
//! and only those who ask at once share an answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::credentials::{CredentialId, CredentialSet};
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

/// Bytes of what is kept of images' configurations.
const USERS: u64 = 1 << 20;

/// What an answer weighs beside its evidence.
const WEIGHT: u64 = 1024;

/// A source that remembers.
pub struct Cached {
    source: Arc<dyn EvidenceSource>,
    tags: Flights<(ImageReference, CredentialId), Resolved>,
    evidence: Flights<Key, Gathered>,
    users: Flights<(Repository, Digest, CredentialId), Option<String>>,
    /// None: what can't be read now is not known.
    last: Option<Arc<Last<Key>>>,
}

/// The credentials themselves are held as long as somebody asks with them.
type Key = (Repository, Digest, Wanted, CredentialId);

impl Cached {
    /// Remembers so many bytes of a source.
    pub fn new(source: Arc<dyn EvidenceSource>, bytes: u64) -> Self {
        Self {
            source,
            tags: Flights::new(0),
            evidence: Flights::new(bytes),
            users: Flights::new(USERS),
            last: None,
        }
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
        Ok(gathered) if !gathered.unread.is_empty() => (ERROR, weight(gathered)),
        Ok(gathered) if gathered.evidence.is_empty() => (NOTHING, weight(gathered)),
        Ok(gathered) => (EVIDENCE, weight(gathered)),
    }
}

fn of_user(answer: &Result<Arc<Option<String>>, SourceError>) -> (Duration, u64) {
    let length = |user: &Option<String>| user.as_ref().map_or(0, String::len);
    match answer {
        Err(_) => (ERROR, WEIGHT),
        Ok(user) => (EVIDENCE, u64::try_from(length(user)).unwrap_or(u64::MAX).saturating_add(WEIGHT)),
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
            let who = self.source.counting(&Repository::of(image), who);
            let key = (image.clone(), who.id());
            let work = || {
                let (source, image) = (Arc::clone(&self.source), image.clone());
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
            let who = self.source.counting(at, who);
            let key = (at.clone(), *digest, want.clone(), who.id());
            let work = || {
                let (source, last, key) = (Arc::clone(&self.source), self.last.clone(), key.clone());
                async move {
                    let (at, digest, want, _) = &key;
                    let answer = source.evidence(at, digest, want, &who, landing()).await;
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

    fn user<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let who = self.source.counting(at, who);
            let key = (at.clone(), *digest, who.id());
            let work = || {
                let (source, at, digest) = (Arc::clone(&self.source), at.clone(), *digest);
                async move { source.user(&at, &digest, &who, landing()).await }
            };
            self.users.get(&key, until, of_user, work).await.map(|user| (*user).clone())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use tokio::time::sleep;

    use super::*;
    use crate::image::evidence::{Evidence, Origin};

    /// A registry with something about everything, or away.
    #[derive(Default)]
    struct Shelf {
        is_away: AtomicBool,
        asked: AtomicUsize,
    }

    impl EvidenceSource for Shelf {
        fn resolve<'a>(
            &'a self,
            _: &'a ImageReference,
            _: &'a CredentialSet,
            _: Instant,
        ) -> Answer<'a, Resolved> {
            Box::pin(ready(Err(SourceError::NotFound)))
        }

        fn evidence<'a>(
            &'a self,
            at: &'a Repository,
            digest: &'a Digest,
            _: &'a Wanted,
            _: &'a CredentialSet,
            _: Instant,
        ) -> Answer<'a, Gathered> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let origin = Origin { repository: at.clone(), manifest: *digest, layer: *digest };
            let evidence = vec![Evidence::bundle(origin, b"{}".to_vec().into())];
            let answer = Gathered { evidence, unread: Vec::new(), stale: None };
            let is_away = self.is_away.load(Ordering::SeqCst);
            Box::pin(ready(if is_away { Err(SourceError::Unavailable) } else { Ok(answer) }))
        }

        fn user<'a>(
            &'a self,
            _: &'a Repository,
            _: &'a Digest,
            _: &'a CredentialSet,
            _: Instant,
        ) -> Answer<'a, Option<String>> {
            Box::pin(ready(Err(SourceError::NotFound)))
        }
    }

    async fn asked(cached: &Cached, digest: &Digest) -> Result<Option<Duration>, SourceError> {
        let at = Repository::of(&ImageReference::parse("registry.example/app").unwrap());
        let want = Wanted::default();
        let answer = cached.evidence(&at, digest, &want, &CredentialSet::none(), landing()).await;
        answer.map(|gathered| gathered.stale)
    }

    #[tokio::test]
    async fn an_answer_is_for_that_very_question() {
        let shelf = Arc::new(Shelf::default());
        let cached = Cached::new(shelf.clone(), 1 << 20);
        let at = |name| Repository::of(&ImageReference::parse(name).unwrap());
        let wants = |kind: &str| Wanted { predicate_types: [kind.to_owned()].into(), ..Wanted::default() };
        let login = br#"{"auths": {"registry.example": {"auth": "YTpi"}}}"#;
        let (none, some) = (CredentialSet::none(), CredentialSet::of_docker_config(login).unwrap());
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let app = at("registry.example/app");
        let questions = [
            (app.clone(), one, wants("a"), none.clone()),
            (at("registry.example/copy"), one, wants("a"), none.clone()),
            (app.clone(), other, wants("a"), none.clone()),
            (app.clone(), one, wants("b"), none),
            (app, one, wants("a"), some),
        ];
        for round in 0..2 {
            for (index, (at, digest, want, who)) in questions.iter().enumerate() {
                cached.evidence(at, digest, want, who, landing()).await.unwrap();
                let expected = if round == 0 { index + 1 } else { questions.len() };
                assert_eq!(shelf.asked.load(Ordering::SeqCst), expected);
            }
        }
    }

    /// What is said of what was read, used, and forgotten for another one before its registry went away; and how long
    /// before it was read, at the least.
    async fn aged(longest: Duration) -> (Result<Option<Duration>, SourceError>, Duration) {
        let (shelf, pause) = (Arc::new(Shelf::default()), Duration::from_millis(200));
        // Room for one answer.
        let cached = Cached::new(shelf.clone(), 2 * WEIGHT + 10);
        let cached = cached.or_stale(longest, 1 << 20, Metrics::new());
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        assert_eq!(asked(&cached, &one).await, Ok(None));
        let read = Instant::now();
        sleep(pause).await;
        assert_eq!(asked(&cached, &one).await, Ok(None));
        assert_eq!(shelf.asked.load(Ordering::SeqCst), 1, "it was kept");
        assert_eq!(asked(&cached, &other).await, Ok(None));
        shelf.is_away.store(true, Ordering::SeqCst);
        let least = read.elapsed();
        let answer = asked(&cached, &one).await;
        assert_eq!(shelf.asked.load(Ordering::SeqCst), 3, "it was forgotten");
        (answer, least)
    }

    #[tokio::test]
    async fn stale_evidence_ages_from_its_reading_and_not_from_its_use() {
        let (answer, least) = aged(Duration::from_secs(60)).await;
        let age = answer.unwrap().expect("the registry is away");
        assert!(age >= least, "{age:?} {least:?}");
        // It was used less long ago than it may be old.
        let (answer, _) = aged(Duration::from_millis(190)).await;
        assert_eq!(answer, Err(SourceError::Unavailable));
    }
}
