//! One question to the source after another, and what comes of an answer.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::Delivery;
use super::delivered::Origin;
use super::trial::{Trial, program};
use crate::activation::Step;
use crate::engine::Bundle;
use crate::events::Reason as Event;
use crate::policy::Tree;
use crate::source::{Floor, Past, Reason, Refusal, Trust, Verified, verify};

/// The longest wait after errors.
const LONGEST: Duration = Duration::from_secs(600);

impl Delivery {
    /// Asks once, and does what there is to do; how long to wait then.
    pub(super) fn round(&mut self) -> Duration {
        self.reread_trust();
        self.keep();
        let past = self.past();
        let oldest = past.oldest().map(str::to_owned);
        self.notes.asked();
        let began = Instant::now();
        let answer = self.git.update(self.judged.as_deref(), oldest.as_deref());
        self.around.metrics.bundle_stage("fetch", began.elapsed());
        let now = OffsetDateTime::now_utc();
        let wait = match answer {
            Ok(found) => {
                let result = if found.is_some() { "changed" } else { "unchanged" };
                self.around.metrics.source_polled(result, Some(now.unix_timestamp()));
                self.notes.answered();
                if let Some(id) = found {
                    self.judge(&id, &past, now);
                }
                self.settings.source.interval
            }
            Err(refusal) => {
                self.around.metrics.source_polled("failed", None);
                self.failed(&refusal)
            }
        };
        let wait = jittered(wait);
        self.notes.asks_again_in(wait);
        self.say();
        wait
    }

    /// What the next commit has to come after.
    fn past(&self) -> Past {
        let accepted = self.accepted.as_ref();
        let used = accepted.map(|accepted| accepted.rolled_back.as_slice()).unwrap_or_default();
        let back = self.settings.source.rollback.as_ref().filter(|back| !used.contains(&back.to));
        Past {
            floor: accepted.map(|accepted| Floor { id: accepted.id.clone(), time: accepted.time }),
            preset: self.settings.trust.floor.clone(),
            back_to: back.map(|back| back.to.clone()),
        }
    }

    /// The source did not answer; how long to wait.
    fn failed(&mut self, refusal: &Refusal) -> Duration {
        let message = &refusal.message;
        if refusal.reason == Reason::Fetch {
            self.around.metrics.bundle_failed("fetch", "fetch");
            if self.notes.fails(message) {
                tracing::warn!(why = message, "the source can't be asked; what is in force stays");
                self.around.events.tell(Event::SourceUnreachable, message);
            }
        } else {
            self.notes.answered();
            self.reject(None, stage(refusal.reason), message);
        }
        self.around.activation.lacks(&format!("there are no policies yet: {message}"));
        let wait = self.notes.wait_after_errors(self.settings.source.interval, LONGEST);
        wait.max(refusal.retry_after.unwrap_or_default().min(LONGEST))
    }

    /// Judges a commit that was not judged before.
    fn judge(&mut self, id: &str, past: &Past, now: OffsetDateTime) {
        self.judged = Some(id.to_owned());
        let is = |delivered: &super::Delivered| delivered.id() == id;
        if self.active.as_ref().is_some_and(is) && past.back_to.is_none() {
            // What was refused meanwhile is past.
            self.pending = None;
            return self.around.activation.confirm();
        }
        let shown = self.shown(id);
        let verified =
            self.timed("verify", |this| verify(&this.git, &this.settings.source, &this.trust, past, id, now));
        let verified = match verified {
            Ok(verified) => verified,
            Err(refusal) => return self.reject(Some(&shown), stage(refusal.reason), &refusal.message),
        };
        match self.tried(&verified.tree) {
            Ok(bundle) => self.accept(verified, bundle, past),
            Err((step, why)) => self.reject(Some(&shown), step, &why),
        }
    }

    fn tried(&self, tree: &Tree) -> Result<Bundle, (Step, String)> {
        let bundle =
            self.timed("gate", |this| (this.around.compile)(tree)).map_err(|why| (Step::GATE, why))?;
        let trial = Trial { program: &program(), limits: &self.settings.trials };
        let tested = self.timed("tests", |_| trial.run(tree));
        tested.map_err(|why| (Step { stage: "tests", reason: "tests" }, why))?;
        Ok(bundle)
    }

    fn accept(&mut self, verified: Verified, bundle: Bundle, past: &Past) {
        let id = &verified.snapshot.id;
        if let Some(back) = past.back_to.as_ref().and(self.settings.source.rollback.as_ref()) {
            let note = format!("{id} comes in force after {}: {}", back.to, back.reason);
            self.around.events.tell(Event::RolledBack, &note);
        } else if past.oldest().is_none() {
            let note =
                format!("{id} is the first commit that is accepted; nothing is known of what came before");
            self.around.events.tell(Event::FloorUnknown, &note);
        }
        self.deliver(verified, bundle, Origin::Source(past.back_to.clone()));
    }

    pub(super) fn reject(&self, revision: Option<&str>, step: Step, why: &str) {
        self.around.activation.refuse(revision, step, why);
    }

    fn timed<T>(&self, stage: &'static str, work: impl FnOnce(&Self) -> T) -> T {
        let began = Instant::now();
        let done = work(self);
        self.around.metrics.bundle_stage(stage, began.elapsed());
        done
    }

    /// The short form of a commit that is no revision yet.
    fn shown(&self, id: &str) -> String {
        let short: String = id.chars().take(12).collect();
        format!("{}@{short}", self.settings.source.name)
    }

    /// Reads the files of trust again. What can't be read changes nothing.
    fn reread_trust(&mut self) {
        match Trust::read(&self.settings.trust) {
            Ok(trust) => {
                self.notes.trust = None;
                if trust != self.trust {
                    self.trust = trust;
                    // Whoever was refused may be trusted now.
                    if self.active.as_ref().is_none_or(|active| Some(active.id()) != self.judged.as_deref()) {
                        self.judged = self.active.as_ref().map(|active| active.id().to_owned());
                    }
                    self.vouch();
                }
            }
            Err(faults) => {
                let message = format!("the files of trust can't be used, so the former ones count: {faults}");
                if self.notes.trust.as_ref() != Some(&message) {
                    self.around.metrics.bundle_failed("verify", "trust");
                    tracing::error!(%faults, "the files of trust can't be used; the former ones count");
                    self.around.events.tell(Event::TrustUnreadable, &message);
                }
                self.notes.trust = Some(message);
            }
        }
    }
}

/// Where a refusal belongs.
fn stage(reason: Reason) -> Step {
    let stage = if reason == Reason::Fetch { "fetch" } else { "verify" };
    Step { stage, reason: reason.as_str() }
}

/// A tenth more or less, so that replicas do not ask all at once.
fn jittered(wait: Duration) -> Duration {
    let nanoseconds = OffsetDateTime::now_utc().nanosecond().checked_rem(1000).unwrap_or(0);
    let factor = f64::from(nanoseconds) / 5000.0;
    wait.mul_f64(0.9 + factor)
}
