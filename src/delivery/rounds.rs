//! One question to the source after another, and what comes of an answer.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::Delivery;
use super::delivered::Origin;
use super::state::Accepted;
use super::trial::Trial;
use crate::activation::Step;
use crate::engine::Bundle;
use crate::events::Reason as Event;
use crate::policy::Tree;
use crate::source::{Floor, Past, Reason, Refusal, Verified, named, verify, verify_kept};

/// The longest wait after errors.
const LONGEST: Duration = Duration::from_secs(600);

impl Delivery {
    /// Asks once, and does what there is to do; how long to wait then.
    pub(super) fn round(&mut self) -> Duration {
        self.hear();
        self.reread_trust();
        self.keep();
        self.look_around();
        self.tell_floor();
        self.keep_for_others();
        let past = self.past();
        // What is on its way may be in force by then, and come before what is found.
        let pending = self.pending.as_ref().map(|pending| pending.delivered.id());
        let oldest = past.oldest().or(pending).map(str::to_owned);
        self.notes.asked();
        let began = Instant::now();
        let answer = self.git.update(self.judged.as_deref(), oldest.as_deref());
        self.mended();
        self.around.metrics.bundle_stage("fetch", began.elapsed());
        let now = OffsetDateTime::now_utc();
        let wait = match answer {
            Ok(found) => {
                let result = if found.is_some() { "changed" } else { "unchanged" };
                self.around.metrics.source_polled(result, Some(now.unix_timestamp()));
                self.notes.answered();
                // Unchanged, it is what was judged last, also before a restart.
                self.notes.head = found.as_deref().or(self.judged.as_deref()).map(named);
                self.take(found.as_deref(), now);
                self.notes.wait_while_busy(self.settings.source.interval, LONGEST)
            }
            Err(refusal) => {
                self.around.metrics.source_polled("failed", None);
                self.look_at_others_again();
                self.failed(&refusal)
            }
        };
        let wait = jittered(wait);
        self.notes.asks_again_in(wait);
        self.say();
        wait
    }

    /// Judges what the source has, or goes on where that was judged last.
    pub(super) fn take(&mut self, found: Option<&str>, now: OffsetDateTime) {
        if let Some(id) = found {
            // Others need not wait for what comes of it here.
            self.say();
            self.judge(id, now);
            return self.mended();
        }
        self.notes.judged(false);
        // What was to be tried again, or is on its way, may not be what the source has any more.
        if let Some(id) = self.judged.clone() {
            self.settles(&id);
        }
    }

    /// Whether what the source has is in force: what was refused or on its way meanwhile is past then.
    fn settles(&mut self, id: &str) -> bool {
        if !self.is_active(id) || self.past().back_to.is_some() {
            return false;
        }
        self.stop();
        let settles = self.is_active(id);
        if settles {
            self.notes.judged(false);
            self.around.activation.confirm();
        }
        settles
    }

    /// What the next commit has to come after.
    pub(super) fn past(&self) -> Past {
        let accepted = self.accepted.as_ref();
        let back = self.settings.source.rollback.as_ref().filter(|back| !self.has_gone_back_to(&back.to));
        let floor = |accepted: &Accepted| Floor { id: accepted.id.clone(), time: accepted.time };
        Past {
            floor: accepted.map(floor),
            elsewhere: self.counts_elsewhere(back.map(|back| back.to.as_str())).map(floor),
            preset: self.settings.trust.floor.clone(),
            back_to: back.map(|back| back.to.clone()),
        }
    }

    /// Whether it was gone back to a commit before, here or where another replica did and what was accepted here comes after
    /// that. What was accepted here before others went back still has to.
    fn has_gone_back_to(&self, id: &String) -> bool {
        let did = |accepted: &Accepted| accepted.rolled_back.contains(id);
        let Some(ours) = &self.accepted else { return self.elsewhere.as_ref().is_some_and(did) };
        let comes_after = |theirs: &&Accepted| {
            ours.id == theirs.id || self.git.descends(&ours.id, &theirs.id).unwrap_or(false)
        };
        did(ours) || self.elsewhere.as_ref().filter(|theirs| did(theirs)).filter(comes_after).is_some()
    }

    /// Says where what is kept of the repository had to be fetched anew.
    fn mended(&mut self) {
        if let Some(why) = self.git.damage() {
            tracing::warn!(why, "what is kept of the repository was damaged; it is fetched anew");
            Step::CopyDamaged.count(&self.around.metrics);
        }
    }

    /// The source did not answer; how long to wait.
    fn failed(&mut self, refusal: &Refusal) -> Duration {
        let message = &refusal.message;
        if refusal.reason == Reason::Fetch {
            Step::Fetch.count(&self.around.metrics);
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

    /// A round ended in a fault of our own: what is kept of the repository may be half made, so it is made anew, and
    /// the commit is judged once more. How long to wait.
    pub(super) fn fell(&mut self) -> Duration {
        self.git.forget();
        self.judged = self.active.as_ref().map(|active| active.id().to_owned());
        let message = "asking it failed inside meshgate, whose log says where; report that".to_owned();
        let refusal = Refusal { reason: Reason::Fetch, message, retry_after: None };
        self.around.metrics.source_polled("failed", None);
        let wait = self.failed(&refusal);
        self.notes.asks_again_in(wait);
        self.say();
        wait
    }

    /// Judges a commit that was not judged before.
    pub(super) fn judge(&mut self, id: &str, now: OffsetDateTime) {
        self.judged = Some(id.to_owned());
        self.hear();
        if self.settles(id) {
            return;
        }
        let tried = self.try_commit(id, now);
        self.notes.judged(matches!(tried, Err((Step::Busy, _))));
        if let Err((step, why)) = tried {
            let is_it = |pending: &super::Pending| pending.delivered.id() == id;
            if self.pending.as_ref().is_some_and(is_it) {
                self.stop();
            }
            if step.is_tried_again() {
                // Nothing is said of the commit itself.
                self.judged = self.active.as_ref().map(|active| active.id().to_owned());
            }
            self.reject(Some(&self.shown(id)), step, &why);
        }
    }

    pub(super) fn is_active(&self, id: &str) -> bool {
        self.active.as_ref().is_some_and(|active| active.id() == id)
    }

    /// Verifies and tries a commit, and begins to put it in force.
    fn try_commit(&mut self, id: &str, now: OffsetDateTime) -> Result<(), (Step, String)> {
        let refused = |refusal: Refusal| (stage(refusal.reason), refusal.message);
        let before = self.past();
        if let Some(why) = self.lost_floor.as_ref().filter(|_| before.oldest().is_none()) {
            return Err((Step::FloorDamaged, why.clone()));
        }
        self.knows_others()?;
        let began = Instant::now();
        let verified =
            verify(&mut self.git, &self.settings.source, &self.trust, &before, id, now).map_err(refused);
        self.around.metrics.bundle_stage("verify", began.elapsed());
        let verified = verified?;
        let bundle = self.tried(&verified.tree)?;
        // Tests take their time: something else may have come in force meanwhile, and from here on nothing does.
        self.stop();
        self.look_around();
        self.knows_others()?;
        let past = self.past();
        if past != before {
            past.permits(&mut self.git, &self.settings.source, &verified).map_err(refused)?;
        }
        self.accept(verified, bundle, &past);
        Ok(())
    }

    /// Without a commit accepted here nothing is accepted that others may be past. What they tell and can't be read is
    /// no obstacle where the configuration names what all commits come after.
    fn knows_others(&self) -> Result<(), (Step, String)> {
        let Some(unknown) = self.unknown.as_ref().filter(|_| self.accepted.is_none()) else { return Ok(()) };
        if unknown.is_shown && self.settings.trust.floor.is_some() {
            return Ok(());
        }
        Err((Step::Coordination, unknown.why.clone()))
    }

    /// The bundle of a tree that loads and passes its tests in a process of its own.
    pub(super) fn tried(&self, tree: &Tree) -> Result<Bundle, (Step, String)> {
        let trial = Trial { program: &self.program, limits: &self.settings.trials };
        self.timed("tests", |_| trial.run(tree))?;
        self.timed("gate", |this| (this.around.compile)(tree)).map_err(|why| (Step::Gate, why))
    }

    pub(super) fn accept(&mut self, verified: Verified, bundle: Bundle, past: &Past) {
        let id = &verified.snapshot.id;
        if let Some(back) = past.back_to.as_ref().and(self.settings.source.rollback.as_ref()) {
            let note = format!("{id} comes in force after {}: {}", back.to, back.reason);
            self.around.events.tell(Event::RolledBack, &note);
        } else if past.oldest().is_none() {
            let note =
                format!("{id} is the first commit that is accepted; nothing is known of what came before");
            self.around.events.tell(Event::FloorUnknown, &note);
        }
        self.came_after = past.elsewhere.as_ref().map(|floor| floor.id.clone());
        // What others went back to is used here as well, where this commit was held against theirs.
        let is_held = |theirs: &&Accepted| {
            let is_ours = |ours: &Accepted| ours.id == theirs.id;
            past.elsewhere.is_some() || self.accepted.as_ref().is_some_and(is_ours)
        };
        let theirs = self.elsewhere.as_ref().filter(is_held);
        let mut back = theirs.map(|theirs| theirs.rolled_back.clone()).unwrap_or_default();
        back.extend(past.back_to.clone());
        self.deliver(verified, bundle, Origin::Source(back));
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

    /// Stops what is on its way where who signed it is not trusted any more.
    fn vouch_for_pending(&mut self) {
        let Some(pending) = &self.pending else { return };
        let shown = self.shown(pending.delivered.id());
        let snapshot = pending.delivered.verified.snapshot.clone();
        let now = OffsetDateTime::now_utc();
        if let Err(refusal) = verify_kept(snapshot, &self.settings.source, &self.trust, now) {
            self.stop();
            self.reject(Some(&shown), stage(refusal.reason), &refusal.message);
        }
    }

    /// Reads the files of trust again. What can't be read changes nothing.
    fn reread_trust(&mut self) {
        match self.trust.reread(&self.settings.trust) {
            Ok(changed) => {
                self.notes.trust = None;
                if let Some(trust) = changed {
                    self.trust = trust;
                    // Whoever was refused may be trusted now.
                    if self.active.as_ref().is_none_or(|active| Some(active.id()) != self.judged.as_deref()) {
                        self.judged = self.active.as_ref().map(|active| active.id().to_owned());
                    }
                    self.vouch();
                    self.vouch_for_pending();
                }
            }
            Err(faults) => {
                let message = format!("the files of trust can't be used, so the former ones count: {faults}");
                if self.notes.trust.as_ref() != Some(&message) {
                    Step::Trust.count(&self.around.metrics);
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
    match reason {
        Reason::Fetch => Step::Fetch,
        Reason::Unsigned => Step::Unsigned,
        Reason::Untrusted => Step::Untrusted,
        Reason::Tampered => Step::Tampered,
        Reason::Expired => Step::Expired,
        Reason::Ambiguous => Step::Ambiguous,
        Reason::Rollback => Step::Rollback,
        Reason::Files => Step::Files,
        Reason::Trust => Step::Trust,
    }
}

/// A tenth more or less, so that replicas do not ask all at once.
fn jittered(wait: Duration) -> Duration {
    let nanoseconds = OffsetDateTime::now_utc().nanosecond().checked_rem(1000).unwrap_or(0);
    let factor = f64::from(nanoseconds) / 5000.0;
    wait.mul_f64(0.9 + factor)
}
