//! The last good policies, kept where all replicas find them: a new Pod has nothing on disk, and the source may be away.
//! What is found there is verified as what a source brings, and has to be the commit accepted last.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::delivered::{Delivered, Origin};
use super::state::{Accepted, Kept, Parts};
use super::{Board, Delivery, Shown};
use crate::activation::Step;
use crate::source::{Reason, Refusal};

/// The key under which is told what is kept: its commit, and of which source.
pub const ARCHIVE: &str = "archive";

/// The most that is kept: a ConfigMap takes 1 MiB (k8s.io/kubernetes, pkg/apis/core/validation: MaxSecretSize).
const MOST: usize = 900 << 10;

/// How long a write or a look may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is tried at once to tell what is kept.
const TRIES: usize = 5;

/// How long a look after a write that came too late may take.
const LOOK: Duration = Duration::from_secs(2);

impl Delivery {
    /// Keeps what is in force for others, where that is the commit that all have to come after and they do not have it.
    pub(super) fn keep_for_others(&mut self) {
        let (Some(board), Some(active)) = (self.around.board.clone(), self.active.clone()) else { return };
        let shown = board.shown().borrow().clone();
        let id = active.id();
        // What nobody signed is taken by nobody.
        if !self.is_floor_there(&shown, id) || !active.is_signed() {
            return;
        }
        // Programs of two versions make other bundles of one commit.
        let told = json!({ "key": self.key(), "id": id }).to_string();
        if shown.texts.get(ARCHIVE) == Some(&told) {
            self.notes.unshared = None;
            return;
        }
        // It does not grow smaller.
        if self.too_large.as_deref() == Some(id) {
            return;
        }
        let result = self
            .packed(&active)
            .and_then(|parts| self.shared(board.as_ref(), parts))
            .and_then(|()| self.tell_kept(board.as_ref(), id, &told));
        let note = result.err().map(|why| {
            format!("not kept in the ConfigMap meshgate-bundle-archive: {why}; a new Pod whose disk is empty has no policies while the source is away")
        });
        if note.is_some() && note != self.notes.unshared {
            tracing::warn!(note, "what is in force is not kept for new Pods");
            Step::Share.count(&self.around.metrics);
        }
        self.notes.unshared = note;
    }

    /// Whether others tell that this commit was accepted last.
    fn is_floor_there(&self, shown: &Shown, id: &str) -> bool {
        self.told_floor(shown).is_some_and(|floor| floor.id == id)
    }

    fn packed(&mut self, active: &Delivered) -> Result<Parts, String> {
        let parts = active.kept(&self.key()).parts().map_err(|error| error.to_string())?;
        let size = parts.iter().map(|(name, bytes)| name.len().saturating_add(bytes.len())).sum::<usize>();
        if size <= MOST {
            return Ok(parts);
        }
        self.too_large = Some(active.id().to_owned());
        Err(format!("{} KiB packed, and it takes {} KiB", size.div_ceil(1024), MOST >> 10))
    }

    fn shared(&self, board: &dyn Board, parts: Parts) -> Result<(), String> {
        let keep = async { timeout(PATIENCE, board.keep(parts)).await };
        self.around.runtime.block_on(keep).unwrap_or_else(|_| Err("no answer".to_owned()))
    }

    /// Tells what is kept, where that is still the commit accepted last. Else a later one was kept meanwhile, and may be
    /// overwritten, so that nothing is told: who accepted it keeps it again.
    fn tell_kept(&self, board: &dyn Board, id: &str, told: &str) -> Result<(), String> {
        let mut shown = board.shown();
        for _ in 0..TRIES {
            let now = shown.borrow_and_update().clone();
            let Some(version) = &now.version else { return Ok(()) };
            let text = if self.is_floor_there(&now, id) { told } else { "" };
            if self.tells(board, version, text)? {
                return Ok(());
            }
            drop(self.around.runtime.block_on(async { timeout(LOOK, shown.changed()).await }));
        }
        // The next round sees to it.
        Ok(())
    }

    /// Puts a text in the place of what is told of the archive, where nobody wrote since `version`; whether nobody had.
    fn tells(&self, board: &dyn Board, version: &str, text: &str) -> Result<bool, String> {
        let write = async { timeout(PATIENCE, board.write(version, ARCHIVE, text.to_owned())).await };
        self.around.runtime.block_on(write).unwrap_or_else(|_| Err("no answer".to_owned()))
    }

    /// Looks again at what others kept, where nothing is in force: they may have kept it since, or kept it again.
    pub(super) fn look_at_others_again(&mut self) {
        if self.active.is_none() && self.pending.is_none() {
            self.recover_from_others();
        }
    }

    /// Puts in force what others kept, where nothing on this disk is good.
    pub(super) fn recover_from_others(&mut self) {
        // Where it is not known what came last on this disk, nothing is taken without the operator's word.
        let Some(board) = self.around.board.clone().filter(|_| self.lost_floor.is_none()) else { return };
        let mut shown = board.shown();
        let known = async { timeout(PATIENCE, shown.wait_for(|shown| shown.is_known)).await.is_ok() };
        self.around.runtime.block_on(known);
        let shown = board.shown().borrow().clone();
        self.look_around();
        let Some(floor) = self.told_floor(&shown) else { return };
        let found = self.around.runtime.block_on(async { timeout(PATIENCE, board.kept()).await });
        let parts = match found.unwrap_or_else(|_| Err("no answer".to_owned())) {
            Ok(Some(parts)) => parts,
            Ok(None) => return,
            Err(why) => return self.unusable(&why),
        };
        match self.found(parts, &floor) {
            Ok((verified, bundle)) => {
                let id = verified.snapshot.id.clone();
                tracing::info!(id, "policies that other replicas kept are verified");
                self.notes.borrowed = Some(format!(
                    "what is in force was kept by other replicas, in the ConfigMap meshgate-bundle-archive: {id}"
                ));
                self.judged = Some(id);
                self.deliver(verified, bundle, Origin::Source(floor.rolled_back));
                self.wait_for_it();
            }
            Err(refusal) => {
                self.unusable(&refusal.message);
                if refusal.reason == Reason::Tampered {
                    self.wanted_again(board.as_ref(), &shown);
                }
            }
        }
    }

    /// What is kept is damaged, or of another commit than is told: nothing is told any more, so that it is kept again by
    /// who has it in force.
    fn wanted_again(&self, board: &dyn Board, shown: &Shown) {
        let is_told = shown.texts.get(ARCHIVE).is_some_and(|told| !told.is_empty());
        if let Some(version) = shown.version.as_ref().filter(|_| is_told) {
            // Where somebody else was faster, it is looked at again after that.
            drop(self.tells(board, version, ""));
        }
    }

    /// The bundle of what others kept: verified, and loaded and tested as what the source brings.
    fn found(
        &self,
        parts: Parts,
        floor: &Accepted,
    ) -> Result<(crate::source::Verified, crate::engine::Bundle), Refusal> {
        let refusal = |reason, message| Refusal { reason, message, retry_after: None };
        let damaged = |message| refusal(Reason::Tampered, message);
        let kept = Kept::of(parts).map_err(damaged)?;
        let id = &kept.meta.id;
        // Nobody's disk or cluster brings back what others went on from; nor does it go on from what this disk knows.
        let is_after = self.accepted.as_ref().is_none_or(|accepted| accepted.id == *id);
        if let Some(accepted) = self.accepted.as_ref().filter(|_| !is_after) {
            let why = format!("it is of {id}, and {} was accepted last", accepted.id);
            return Err(refusal(Reason::Rollback, why));
        }
        if *id != floor.id {
            return Err(damaged(format!("it is of {id}, and {} was accepted last", floor.id)));
        }
        let verified = self.verified(&kept)?.ok_or_else(|| damaged("it is of another source".to_owned()))?;
        // Whoever writes both ConfigMaps could else bring any tree.
        if verified.signer.is_none() {
            let why = "nobody has to have signed it (trust.mode none)".to_owned();
            return Err(refusal(Reason::Unsigned, why));
        }
        // It is nothing that this program has tested before.
        let bundle = self.tried(&verified.tree).map_err(|(_, why)| refusal(Reason::Files, why))?;
        Ok((verified, bundle))
    }

    /// The commit of this source that others tell was accepted last.
    fn told_floor(&self, shown: &Shown) -> Option<Accepted> {
        shown.floors().ok()?.into_iter().find(|floor| floor.key == self.key())
    }

    fn unusable(&mut self, why: &str) {
        let message = format!(
            "what other replicas kept in the ConfigMap meshgate-bundle-archive is not used: {why}; the source is waited for"
        );
        // Said once: it is looked at again and again.
        if self.notes.unusable.as_ref() != Some(&message) {
            tracing::error!(why, "what other replicas kept is not used");
            self.corrupt(&message);
            self.notes.unusable = Some(message);
        }
    }
}
