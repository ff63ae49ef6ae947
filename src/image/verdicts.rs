//! What verification found, kept: the evidence about a digest is verified once for all who ask at the same time, and not
//! again for whoever asks soon after (R20). What it was verified by is part of the key (R18): keys, what has to vouch for
//! them, and the version of the trust root. A change of trust asks anew; a tag is nowhere in it.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::digest::Digest;
use super::evidence::Evidence;
use super::flights::{Flights, LONGEST};
use super::limits::Limits;
use super::reject::{Class, Reject};
use super::source::SourceError;
use super::trust::Trust;
use super::verifier::{SignatureVerifier, Sigstore, Verified};

/// How long a verdict is kept. Verification refuses what comes from the future, so a clock that was set back is noticed
/// after that time; nothing else of a verdict depends on when it was asked for.
const VERDICT: Duration = Duration::from_secs(300);
/// How long, where something was refused that can be right in a moment: it is of a time that has not come yet.
const TOO_EARLY: Duration = Duration::from_secs(15);

/// What a verdict weighs beside ten times its evidence, which is what JSON takes as a value.
const WEIGHT: u64 = 1024;

/// A piece of evidence, and by what it is verified.
pub(super) type Asked = (Digest, Arc<Trust>);
/// What verification found of each piece.
pub(super) type Verdicts = BTreeMap<Asked, Result<Arc<Verified>, Reject>>;

/// The image, and what is verified of it.
type Question = (Digest, Vec<Asked>);

/// A verifier that remembers. It outlives bundles: what they agree on is not verified again.
pub struct Remembered {
    verifier: Arc<dyn SignatureVerifier>,
    flights: Flights<Question, Landed>,
    /// Verifications at once.
    cores: Arc<Semaphore>,
}

struct Landed {
    /// None: the verifier failed, which says nothing of the evidence.
    verdicts: Option<Verdicts>,
    weight: u64,
}

/// Why nothing is known of evidence.
pub(super) enum Unverified {
    /// Not in time, or too many at once.
    Source(SourceError),
    /// The verifier failed.
    Fault,
}

impl Remembered {
    /// Remembers about so many bytes of what a verifier finds.
    pub fn new(verifier: Arc<dyn SignatureVerifier>, bytes: u64) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self { verifier, flights: Flights::new(bytes), cores: Arc::new(Semaphore::new(cores)) }
    }

    /// The same with Sigstore's rules.
    pub fn sigstore(limits: Limits, bytes: u64) -> Arc<Self> {
        Arc::new(Self::new(Arc::new(Sigstore::new(limits)), bytes))
    }

    /// What is found of each piece about an image: as many images at once as there are cores, and where that keeps
    /// nothing else waiting.
    pub(super) async fn verify(
        &self,
        pieces: BTreeMap<Asked, Evidence>,
        image: Digest,
        until: Instant,
    ) -> Result<Verdicts, Unverified> {
        let question = (image, pieces.keys().cloned().collect());
        let work = || {
            let (verifier, cores) = (Arc::clone(&self.verifier), Arc::clone(&self.cores));
            async move {
                let core = timeout(LONGEST, cores.acquire_owned()).await;
                let Ok(Ok(core)) = core else { return Err(SourceError::Deadline) };
                let work = tokio::task::spawn_blocking(move || {
                    let _core = core;
                    landed(&*verifier, pieces, &image)
                });
                Ok(work.await.unwrap_or(Landed { verdicts: None, weight: 0 }))
            }
        };
        let landed = self.flights.get(&question, until, keep, work).await.map_err(Unverified::Source)?;
        landed.verdicts.clone().ok_or(Unverified::Fault)
    }
}

fn landed(verifier: &dyn SignatureVerifier, pieces: BTreeMap<Asked, Evidence>, image: &Digest) -> Landed {
    let bytes = |piece: &Evidence| u64::try_from(piece.len()).unwrap_or(u64::MAX).saturating_mul(10);
    let weights = pieces.values().map(|piece| bytes(piece).saturating_add(WEIGHT));
    let weight = weights.fold(WEIGHT, u64::saturating_add);
    let verdict = |(asked, piece): (Asked, Evidence)| {
        let verified = verifier.verify(&piece, &asked.1, image).map(Arc::new);
        (asked, verified)
    };
    Landed { verdicts: Some(pieces.into_iter().map(verdict).collect()), weight }
}

fn keep(landing: &Result<Arc<Landed>, SourceError>) -> (Duration, u64) {
    let Ok(landed) = landing else { return (Duration::ZERO, 0) };
    let Some(verdicts) = &landed.verdicts else { return (Duration::ZERO, 0) };
    // The other classes are of the bytes alone.
    let is_of_its_time =
        |why: &Reject| matches!(why.class, Class::Certificate | Class::Sct | Class::Log | Class::Time);
    let can_change = verdicts.values().any(|verdict| verdict.as_ref().is_err_and(is_of_its_time));
    (if can_change { TOO_EARLY } else { VERDICT }, landed.weight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::trust::KeyTrust;

    fn kept(class: Option<Class>) -> Duration {
        let trust =
            Arc::new(Trust::Key(KeyTrust { keys: Vec::new(), log: false, timestamp: false, root: None }));
        let verdict = class.map(|class| Err(Reject::new(class, "")));
        let verdicts = verdict.map(|verdict| ((Digest::of(b"e"), trust), verdict)).into_iter().collect();
        keep(&Ok(Arc::new(Landed { verdicts: Some(verdicts), weight: 1 }))).0
    }

    #[test]
    fn what_can_be_right_in_a_moment_is_asked_again_soon() {
        assert_eq!(kept(None), VERDICT);
        let of_the_bytes = [
            Class::Malformed,
            Class::Unsupported,
            Class::Limit,
            Class::Kind,
            Class::Signature,
            Class::LogMismatch,
            Class::Binding,
            Class::Identity,
        ];
        assert!(of_the_bytes.iter().all(|class| kept(Some(*class)) == VERDICT));
        let of_its_time = [Class::Certificate, Class::Sct, Class::Log, Class::Time];
        assert!(of_its_time.iter().all(|class| kept(Some(*class)) == TOO_EARLY));
        assert_eq!(keep(&Err(SourceError::Deadline)).0, Duration::ZERO);
        let fault = Landed { verdicts: None, weight: 0 };
        assert_eq!(keep(&Ok(Arc::new(fault))).0, Duration::ZERO);
    }
}
