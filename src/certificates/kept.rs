//! What the Secret `meshgate-certificates` holds, and the next step of its renewal. Each step is safe to repeat, and
//! which one is next follows from what is kept: whoever leads goes on where another one stopped.
//!
//! 1. `next` is written beside `current`. 2. The API server is told to trust both. 3. `next` becomes `current`, and the
//!    former authority `previous`. 4. When every replica shows the new certificate, `previous` goes.

use std::collections::BTreeMap;
use std::time::Duration;

use time::OffsetDateTime;

use super::{CertificateError, Identity, Issued, issue};
use crate::registration::{CaBundle, NoCaBundle};

/// How long a certificate is in use before the next one is made: ten days are left to find out why none comes.
const RENEWED_AFTER: time::Duration = time::Duration::days(20);

/// A certificate, its key and its authority, as PEM, and as they are used.
#[derive(Clone, Debug)]
pub struct Leaf {
    identity: Identity,
    texts: [String; 3],
}

/// What the Secret holds. What is damaged, or does not fit together, is as good as gone.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// What is to be shown.
    pub current: Option<Leaf>,
    /// What is to be shown next.
    pub next: Option<Leaf>,
    /// Authorities of what was shown before.
    pub previous: Option<String>,
    /// From when on a new one is wanted, where that is said.
    pub renew_after: Option<OffsetDateTime>,
}

/// Where a renewal stands; also the annotation `meshgate.io/phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is under way.
    Stable,
    /// The next certificate is there, and the API server is told.
    Prepared,
    /// The new certificate is in use, the former authority is still trusted.
    Switched,
}

/// What decides which step is next, beside what is kept.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The time.
    pub now: OffsetDateTime,
    /// For how long the API server has been seen to trust all that is kept.
    pub trusted: Option<Duration>,
    /// For how long the current certificate has been seen to be the current one.
    pub in_use: Duration,
    /// Whether every replica shows it.
    pub is_everywhere: bool,
    /// What `trusted` must reach before the next certificate is used.
    pub settles: Duration,
    /// What `in_use` must reach before the former authority goes.
    pub lingers: Duration,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing yet.
    Wait,
    /// There is none that can be used: one is made and used at once.
    Begin,
    /// The next one is made.
    Prepare,
    /// The next one becomes the current one.
    Switch,
    /// The former authority goes.
    Forget,
}

impl Leaf {
    /// Issues one for a DNS name.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn issue(name: &str, now: OffsetDateTime) -> Result<Self, CertificateError> {
        let Issued { certificate, key, authority } = issue(name, now)?;
        let identity = Identity::from_pem("certificate", certificate.as_bytes(), key.as_bytes())?;
        Ok(Self { identity, texts: [certificate, key, authority] })
    }

    /// Certificate and key.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The authority that it leads to.
    ///
    /// # Errors
    /// Never: one without is not read.
    pub fn authorities(&self) -> Result<CaBundle, NoCaBundle> {
        CaBundle::read([self.authority()])
    }

    fn read(of: &str, data: &BTreeMap<String, Vec<u8>>) -> Option<Self> {
        let text = |member: &str| String::from_utf8(data.get(&format!("{of}.{member}"))?.clone()).ok();
        let texts = [text("crt")?, text("key")?, text("ca")?];
        let [certificate, key, authority] = &texts;
        let read = Identity::from_pem(of, certificate.as_bytes(), key.as_bytes());
        let identity =
            read.inspect_err(|error| tracing::warn!(%error, of, "a kept certificate can't be used")).ok()?;
        CaBundle::read([authority.as_str()]).ok()?;
        Some(Self { identity, texts })
    }

    fn holds(&self, name: &str, now: OffsetDateTime) -> bool {
        self.authorities().is_ok_and(|own| self.identity.leads_to(&own, name, now).is_ok())
    }

    fn authority(&self) -> &str {
        let [_, _, authority] = &self.texts;
        authority
    }
}

impl Kept {
    /// Reads the Secret's data. `renew_after` is what an annotation of it says.
    pub fn read(data: &BTreeMap<String, Vec<u8>>, renew_after: Option<OffsetDateTime>) -> Self {
        let previous = data.get("previous.ca").and_then(|bytes| String::from_utf8(bytes.clone()).ok());
        Self {
            current: Leaf::read("current", data),
            next: Leaf::read("next", data),
            previous: previous.filter(|text| CaBundle::read([text.as_str()]).is_ok()),
            renew_after,
        }
    }

    /// The Secret's data; what is not there is null, so that a merge takes it away.
    pub fn data(&self) -> BTreeMap<String, Option<String>> {
        let mut data = BTreeMap::from([("previous.ca".to_owned(), self.previous.clone())]);
        for (of, leaf) in [("current", &self.current), ("next", &self.next)] {
            for (member, place) in [("crt", 0), ("key", 1), ("ca", 2)] {
                let text = leaf.as_ref().and_then(|leaf| leaf.texts.get(place).cloned());
                data.insert(format!("{of}.{member}"), text);
            }
        }
        data
    }

    /// What the API server is to trust.
    ///
    /// # Errors
    /// Nothing is kept.
    pub fn authorities(&self) -> Result<CaBundle, NoCaBundle> {
        let leaves = [&self.current, &self.next].into_iter().flatten().map(Leaf::authority);
        CaBundle::read(leaves.chain(self.previous.as_deref()))
    }

    /// Where the renewal stands.
    pub fn phase(&self) -> Phase {
        match (&self.next, &self.previous) {
            (Some(_), _) => Phase::Prepared,
            (None, Some(_)) => Phase::Switched,
            (None, None) => Phase::Stable,
        }
    }

    /// The next step.
    pub fn step(&self, name: &str, progress: &Progress) -> Step {
        let usable = |leaf: &Option<Leaf>| leaf.as_ref().is_some_and(|leaf| leaf.holds(name, progress.now));
        if !usable(&self.current) {
            Step::Begin
        } else if usable(&self.next) {
            let settled = progress.trusted.is_some_and(|trusted| trusted >= progress.settles);
            if settled { Step::Switch } else { Step::Wait }
        } else if self.renew_after().is_none_or(|moment| moment <= progress.now) {
            Step::Prepare
        } else if self.previous.is_some() && progress.in_use >= progress.lingers && progress.is_everywhere {
            Step::Forget
        } else {
            Step::Wait
        }
    }

    /// Does a step. `trusted`: what the API server trusts already, whatever is kept.
    ///
    /// # Errors
    /// There is no randomness.
    pub fn take(
        self,
        step: Step,
        name: &str,
        now: OffsetDateTime,
        trusted: Option<&CaBundle>,
    ) -> Result<Self, CertificateError> {
        let (trusted, due) =
            (trusted.map(|bundle| bundle.as_pem().to_owned()), now.checked_add(RENEWED_AFTER));
        Ok(match step {
            Step::Wait => self,
            // Who shows what was kept before goes on to be trusted: it ends with its own dates.
            Step::Begin => {
                let current = Some(Leaf::issue(name, now)?);
                Self { current, next: None, previous: trusted, renew_after: due }
            }
            Step::Prepare => Self { next: Some(Leaf::issue(name, now)?), ..self },
            Step::Switch => {
                let previous = self.current.map(|leaf| leaf.authority().to_owned());
                Self { current: self.next, next: None, previous, renew_after: due }
            }
            Step::Forget => Self { previous: None, ..self },
        })
    }

    fn renew_after(&self) -> Option<OffsetDateTime> {
        let begins = || self.current.as_ref()?.identity.validity().map(|(begins, _)| begins);
        self.renew_after.or_else(|| begins()?.checked_add(RENEWED_AFTER))
    }
}

impl Phase {
    /// The word that is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Prepared => "prepared",
            Self::Switched => "switched",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "meshgate.meshgate-system.svc";

    fn at(days: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_800_000_000_i64.saturating_add(days.saturating_mul(86_400)))
            .unwrap()
    }

    fn progress(now: OffsetDateTime) -> Progress {
        let (settles, lingers) = (Duration::from_secs(60), Duration::from_secs(360));
        Progress { now, trusted: None, in_use: Duration::ZERO, is_everywhere: false, settles, lingers }
    }

    /// As another leader would read it.
    fn again(kept: &Kept) -> Kept {
        let data = kept.data().into_iter().filter_map(|(key, text)| Some((key, text?.into_bytes())));
        Kept::read(&data.collect(), kept.renew_after)
    }

    fn taken(kept: Kept, step: Step, now: OffsetDateTime) -> Kept {
        let trusted = kept.authorities().ok();
        again(&kept.take(step, NAME, now, trusted.as_ref()).unwrap())
    }

    fn count(kept: &Kept) -> usize {
        kept.authorities().unwrap().as_pem().matches("BEGIN").count()
    }

    /// A whole life, by the calendar; each step is read again from what was kept, as a new leader would.
    #[test]
    fn a_renewal_goes_its_four_steps_and_trust_always_overlaps() {
        let kept = Kept::default();
        assert_eq!(kept.step(NAME, &progress(at(0))), Step::Begin);
        assert!(kept.authorities().is_err(), "nothing is never registered");
        let kept = taken(kept, Step::Begin, at(0));
        assert_eq!((kept.phase(), count(&kept)), (Phase::Stable, 1));
        assert_eq!(kept.step(NAME, &progress(at(19))), Step::Wait);
        assert_eq!(kept.step(NAME, &progress(at(20))), Step::Prepare);

        let kept = taken(kept, Step::Prepare, at(20));
        assert_eq!((kept.phase(), count(&kept)), (Phase::Prepared, 2));
        let seconds = |trusted| Progress { trusted: Some(Duration::from_secs(trusted)), ..progress(at(20)) };
        assert_eq!(kept.step(NAME, &progress(at(20))), Step::Wait, "the API server does not know yet");
        assert_eq!(kept.step(NAME, &seconds(59)), Step::Wait);
        assert_eq!(kept.step(NAME, &seconds(60)), Step::Switch);

        let both = kept.authorities().unwrap();
        let (old, next) = (kept.current.clone().unwrap(), kept.next.clone().unwrap());
        let kept = taken(kept, Step::Switch, at(20));
        assert_eq!((kept.phase(), count(&kept)), (Phase::Switched, 2));
        let current = kept.current.clone().unwrap();
        assert!(current.identity().is(next.identity()));
        for leaf in [&old, &current] {
            for authorities in [&both, &kept.authorities().unwrap()] {
                assert_eq!(leaf.identity().leads_to(authorities, NAME, at(20)), Ok(()));
            }
        }
        let in_use = |seconds, is_everywhere| Progress {
            in_use: Duration::from_secs(seconds),
            is_everywhere,
            ..progress(at(20))
        };
        assert_eq!(kept.step(NAME, &in_use(359, true)), Step::Wait);
        assert_eq!(kept.step(NAME, &in_use(360, false)), Step::Wait, "somebody still shows the old one");
        assert_eq!(kept.step(NAME, &in_use(360, true)), Step::Forget);
        // Somebody who never shows it does not keep the next renewal away.
        let late = Progress { now: at(40), ..in_use(360, false) };
        assert_eq!(kept.step(NAME, &late), Step::Prepare);

        let kept = taken(kept, Step::Forget, at(20));
        assert_eq!((kept.phase(), count(&kept)), (Phase::Stable, 1));
        assert_eq!(kept.step(NAME, &progress(at(39))), Step::Wait);
    }

    #[test]
    fn what_ended_or_is_damaged_is_made_anew_beside_what_is_trusted() {
        let kept = taken(Kept::default(), Step::Begin, at(0));
        assert_eq!(kept.step(NAME, &progress(at(31))), Step::Begin, "it ended");
        let mut data: BTreeMap<String, Vec<u8>> =
            kept.data().into_iter().filter_map(|(key, text)| Some((key, text?.into_bytes()))).collect();
        data.insert("current.key".to_owned(), b"x".to_vec());
        let damaged = Kept::read(&data, kept.renew_after);
        assert_eq!(damaged.step(NAME, &progress(at(1))), Step::Begin, "it is damaged");
        let trusted = kept.authorities().unwrap();
        let made = again(&damaged.take(Step::Begin, NAME, at(1), Some(&trusted)).unwrap());
        let old = kept.current.unwrap();
        assert_eq!(old.identity().leads_to(&made.authorities().unwrap(), NAME, at(1)), Ok(()));
        assert_eq!((made.phase(), count(&made)), (Phase::Switched, 2));
    }

    #[test]
    fn a_next_one_that_ended_is_made_again_and_one_can_be_wanted_at_once() {
        let kept = taken(taken(Kept::default(), Step::Begin, at(0)), Step::Prepare, at(0));
        let current = Leaf::issue(NAME, at(31)).unwrap();
        let kept = again(&Kept { current: Some(current), renew_after: None, ..kept });
        assert_eq!(kept.step(NAME, &progress(at(31))), Step::Wait);
        let wanted = Kept { renew_after: Some(at(31)), next: None, ..kept };
        assert_eq!(wanted.step(NAME, &progress(at(31))), Step::Prepare);
    }
}
