//! Asking for an image: what its text means now, what lies about it and where, and what of that counts.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::authority::{Authorities, Authority};
use super::compliance::Time;
use super::credentials::CredentialSet;
use super::digest::Digest;
use super::evidence::{Evidence, Repository};
use super::facts::{Found, Known, entry, judge, questions};
use super::limits::{CONFIGURATION, Limits};
use super::pull_secrets::{PullSecrets, Pulled, pulled};
use super::source::{EvidenceSource, Gathered, Resolved, SourceError, Wanted};
use super::verdicts::{Remembered, Unverified};
use crate::context::{ContextSource, Fact, FactKey};
use crate::kubernetes::image_reference::ImageReference;

/// How long one image may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Who can be asked for images: authorities, and a source of what was said.
#[derive(Clone)]
pub struct Gatherer {
    authorities: Arc<Authorities>,
    source: Arc<dyn EvidenceSource>,
    verifier: Arc<Remembered>,
    asked: Asked,
    limits: Limits,
    /// None: whoever pulls an image has no credentials of its own here.
    pull_secrets: Option<Arc<dyn PullSecrets>>,
}

/// What policies ask for beside what the rules demand of an image.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// The predicate types that somebody sees.
    pub predicate_types: BTreeSet<String>,
    /// The authorities that somebody sees; None: all.
    pub authorities: Option<BTreeSet<String>>,
    /// Whether somebody sees who images run as by their own configurations.
    pub configs: bool,
}

/// What was learnt of an image.
struct Learnt {
    /// None where that could not be learnt, or nobody looks at its bytes.
    resolved: Option<Resolved>,
    /// `{user}`; null where nobody asks.
    config: Value,
    found: Found,
    errors: Vec<(&'static str, SourceError)>,
}

/// What lies somewhere about an image, for the authorities that look there.
type Lying<'a> = (Vec<&'a Authority>, Result<Gathered, SourceError>);

impl Gatherer {
    /// With what is asked for.
    pub fn new(
        authorities: Arc<Authorities>,
        source: Arc<dyn EvidenceSource>,
        verifier: Arc<Remembered>,
        asked: Asked,
        limits: Limits,
    ) -> Self {
        Self { authorities, source, verifier, asked, limits, pull_secrets: None }
    }

    /// On behalf of whom an image is pulled, with the pull secrets that are found here.
    #[must_use]
    pub fn pulling(self, pull_secrets: Option<Arc<dyn PullSecrets>>) -> Self {
        Self { pull_secrets, ..self }
    }

    async fn fact(&self, key: &FactKey) -> Fact {
        let until = Instant::now().checked_add(PATIENCE);
        let Some(until) = until else { return Fact::Unknown("the clock is at its end".to_owned()) };
        let (FactKey::Image(image) | FactKey::Signatures(image)) = key else {
            return Fact::Unknown("only images are asked for here".to_owned());
        };
        let pulled = match &self.pull_secrets {
            Some(of) => pulled(of.as_ref(), &image.puller, until).await,
            None => Pulled::default(),
        };
        let who = &pulled.credentials;
        let learnt = match key {
            FactKey::Image(_) => self.digest(&image.text, who, until).await,
            _ => self.entry_of(&image.text, &pulled, until).await,
        };
        pulled.told(learnt.map_or_else(Fact::Unknown, Fact::Known))
    }

    /// `{digest}` of an image: which bytes its text means now.
    ///
    /// # Errors
    /// Why that is not known, in our words.
    pub async fn digest(&self, text: &str, who: &CredentialSet, until: Instant) -> Result<Value, String> {
        let resolved = self.resolved(text, who, until).await.map_err(|why| why.to_string())?;
        Ok(json!({ "digest": resolved.digest.to_string() }))
    }

    /// The entry of an image, but for what only the object says. Where nobody looks at its bytes, nobody is asked.
    ///
    /// # Errors
    /// Verification failed as a whole, which says nothing of the image.
    pub async fn entry(&self, text: &str, who: &CredentialSet, until: Instant) -> Result<Value, String> {
        self.entry_of(text, &Pulled::with(who.clone()), until).await
    }

    async fn entry_of(&self, text: &str, who: &Pulled, until: Instant) -> Result<Value, String> {
        let asked = self.asked(text);
        let is_tag = ImageReference::parse(text).is_ok_and(|image| image.digest().is_none());
        let config = if self.asked.configs { json!({ "user": null }) } else { Value::Null };
        let nothing = Learnt { resolved: None, config, found: Found::default(), errors: Vec::new() };
        if asked.is_empty() && is_tag {
            return self.written(text, nothing, until).await;
        }
        let learnt = match self.resolved(text, &who.credentials, until).await {
            Ok(resolved) => {
                let digest = resolved.digest;
                let (found, config) =
                    tokio::join!(self.found(text, asked, &digest, who, until), self.config(text, who, until));
                let (found, errors) = found?;
                let errors = errors.into_iter().map(|error| ("evidence", error)).collect();
                Learnt { resolved: Some(resolved), config, found, errors }
            }
            Err(error) => Learnt { errors: vec![("resolve", error)], ..nothing },
        };
        self.written(text, learnt, until).await
    }

    /// Who an image runs as by its own configuration, where its text has a digest: what a tag means is asked again by whoever
    /// pulls it. That it can't be read is no error of the image: who is null is nobody that a policy could rely on.
    async fn config(&self, text: &str, who: &Pulled, until: Instant) -> Value {
        let image = ImageReference::parse(text).ok().filter(|_| self.asked.configs);
        let Some(image) = image else { return Value::Null };
        let until = Instant::now().checked_add(CONFIGURATION).map_or(until, |own| own.min(until));
        let digest = image.digest().and_then(|digest| digest.parse().ok());
        let Some(digest) = digest else { return json!({ "user": null }) };
        let user = self.source.user(&Repository::of(&image), &digest, &who.credentials, until).await;
        let user = user.unwrap_or_else(|why| {
            tracing::debug!(image = text, why = %why, "an image's configuration is not read");
            None
        });
        json!({ "user": user })
    }

    /// The entry, written where policies of others that count for it keep nothing waiting.
    async fn written(&self, text: &str, learnt: Learnt, until: Instant) -> Result<Value, String> {
        let (authorities, limits, text) = (Arc::clone(&self.authorities), self.limits, text.to_owned());
        let is_quick = authorities.compliance.is_empty();
        let slow = || "the policies in Rego of its rules take too long".to_owned();
        let write = move || {
            let time = Time::within(until.saturating_duration_since(Instant::now()));
            let Learnt { resolved, config, found, errors } = &learnt;
            let resolved = resolved.as_ref();
            let known = Known { text: &text, resolved, config, found, errors, time: &time };
            let entry = entry(&known, &authorities, &limits);
            if time.is_over() { Err(slow()) } else { Ok(entry) }
        };
        if is_quick {
            return write();
        }
        let work = timeout_at(until, tokio::task::spawn_blocking(write)).await.map_err(|_| slow())?;
        work.map_err(|_| "verification failed; it is a fault of this program".to_owned())?
    }

    /// Whose evidence is looked for: of those whom the rules name for the image, and of those whom policies see.
    fn asked(&self, text: &str) -> Vec<&Authority> {
        let demanded = self.authorities.demanded(text);
        let is_asked = |one: &&Authority| {
            let is_seen = self.asked.authorities.as_ref().is_none_or(|names| names.contains(one.name()));
            one.trust().is_some() && (is_seen || demanded.contains(one.name()))
        };
        self.authorities.iter().filter(is_asked).collect()
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

    /// What is wanted of a place for the authorities that look there.
    fn wanted(&self, authorities: &[&Authority], tag_prefix: String) -> Wanted {
        Wanted {
            legacy: authorities.iter().any(|one| one.legacy),
            bundles: authorities.iter().any(|one| one.bundles),
            predicate_types: self.asked.predicate_types.clone(),
            tag_prefix,
        }
    }

    /// What counts, and what could not be read.
    async fn found(
        &self,
        text: &str,
        asked: Vec<&Authority>,
        digest: &Digest,
        who: &Pulled,
        until: Instant,
    ) -> Result<(Found, Vec<SourceError>), String> {
        let Ok(image) = ImageReference::parse(text) else { return Ok((Found::default(), Vec::new())) };
        let beside = Repository::of(&image);
        let mut places: Vec<((Repository, String), Vec<&Authority>)> = Vec::new();
        for authority in asked {
            let place = authority.source.clone().unwrap_or_else(|| (beside.clone(), String::new()));
            match places.iter_mut().find(|(known, _)| *known == place) {
                Some((_, all)) => all.push(authority),
                None => places.push((place, vec![authority])),
            }
        }
        let beside = &beside;
        let asked = places.into_iter().map(|((at, tag_prefix), authorities)| async move {
            let want = self.wanted(&authorities, tag_prefix);
            let answer = if at == *beside {
                who.found(self.source.evidence(&at, digest, &want, &who.credentials, until).await)
            } else {
                self.source.evidence(&at, digest, &want, &who.elsewhere, until).await
            };
            (authorities, answer)
        });
        let answers: Vec<Lying<'_>> = futures_util::future::join_all(asked).await;
        let mut errors = Vec::new();
        let mut pairs: Vec<(&Authority, Evidence)> = Vec::new();
        let mut stale = Vec::new();
        for (authorities, gathered) in answers {
            match gathered {
                Ok(gathered) => {
                    for one in authorities {
                        pairs.extend(gathered.evidence.iter().map(|piece| (one, piece.clone())));
                    }
                    let unread = if gathered.stale.is_some() { &mut stale } else { &mut errors };
                    unread.extend(gathered.unread);
                }
                Err(why) => errors.push(why),
            }
        }
        // What was read before stands in for what is away, and not for what could not be read for another reason.
        let is_stale = errors.is_empty() && !stale.is_empty();
        errors.extend(stale);
        if pairs.is_empty() || (!errors.is_empty() && !is_stale) {
            return Ok((Found::default(), errors));
        }
        match self.verifier.verify(questions(&pairs), *digest, until).await {
            Ok(verdicts) => Ok((Found { is_stale, ..judge(&pairs, &verdicts) }, errors)),
            Err(Unverified::Source(why)) => Ok((Found::default(), vec![why])),
            Err(Unverified::Fault) => Err("verification failed; it is a fault of this program".to_owned()),
        }
    }
}

impl ContextSource for Gatherer {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        Box::pin(self.fact(key))
    }
}
