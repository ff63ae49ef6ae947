//! The last good policies, kept where all replicas find them: a new Pod has nothing on disk, and the source may be away.
//! What is found there is verified as what a source brings, and has to be the commit accepted last.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::Delivery;
use super::delivered::Origin;
use super::state::{Accepted, Kept, Parts};
use crate::activation::Step;
use crate::source::{Reason, Refusal};

/// The key under which is told what is kept: its commit, and of which source.
pub const ARCHIVE: &str = "archive";

/// The most that is kept: a ConfigMap takes 1 MiB (k8s.io/kubernetes, pkg/apis/core/validation: MaxSecretSize).
const MOST: usize = 900 << 10;

/// How long a write or a look may take.
const PATIENCE: Duration = Duration::from_secs(10);

impl Delivery {
    /// Keeps what is in force for others, where that is the commit that all have to come after and they do not have it.
    pub(super) fn keep_for_others(&mut self) {
        let (Some(board), Some(active)) = (self.around.board.clone(), self.active.clone()) else { return };
        let shown = board.shown().borrow().clone();
        let is_floor = self.told_floor(&shown).is_some_and(|floor| floor.id == active.id());
        // What nobody signed is taken by nobody.
        if !is_floor || !active.is_signed() {
            return;
        }
        let kept = active.kept(&self.key());
        // Programs of two versions make other bundles of one commit.
        let told = json!({ "key": kept.meta.key, "id": kept.meta.id }).to_string();
        if shown.texts.get(ARCHIVE) == Some(&told) {
            self.notes.unshared = None;
            return;
        }
        let result = self.shared(board.as_ref(), &kept).and_then(|()| {
            let Some(version) = &board.shown().borrow().version.clone() else { return Ok(()) };
            let write = async { timeout(PATIENCE, board.write(version, ARCHIVE, told)).await };
            // Where somebody else was faster, the next round says it.
            self.around.runtime.block_on(write).unwrap_or_else(|_| Err("no answer".to_owned())).map(drop)
        });
        let note = result.err().map(|why| {
            format!("not kept in the ConfigMap meshgate-bundle-archive: {why}; a new Pod whose disk is empty has no policies while the source is away")
        });
        if note.is_some() && note != self.notes.unshared {
            tracing::warn!(note, "what is in force is not kept for new Pods");
            Step::Share.count(&self.around.metrics);
        }
        self.notes.unshared = note;
    }

    fn shared(&self, board: &dyn super::Board, kept: &Kept) -> Result<(), String> {
        let parts = kept.parts().map_err(|error| error.to_string())?;
        let size = parts.iter().map(|(name, bytes)| name.len().saturating_add(bytes.len())).sum::<usize>();
        if size > MOST {
            let (size, most) = (size.div_ceil(1024), MOST >> 10);
            return Err(format!("{size} KiB packed, and it takes {most} KiB"));
        }
        let keep = async { timeout(PATIENCE, board.keep(parts)).await };
        self.around.runtime.block_on(keep).unwrap_or_else(|_| Err("no answer".to_owned()))
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
            Err(refusal) => self.unusable(&refusal.message),
        }
    }

    /// The bundle of what others kept: verified, and loaded and tested as what the source brings.
    fn found(
        &self,
        parts: Parts,
        floor: &Accepted,
    ) -> Result<(crate::source::Verified, crate::engine::Bundle), Refusal> {
        let refused = |message| Refusal { reason: Reason::Tampered, message, retry_after: None };
        let kept = Kept::of(parts).map_err(refused)?;
        let id = &kept.meta.id;
        // Nobody's disk or cluster brings back what others went on from; nor does it go on from what this disk knows.
        let is_after = self.accepted.as_ref().is_none_or(|accepted| accepted.id == *id);
        if *id != floor.id || !is_after {
            let last =
                self.accepted.as_ref().filter(|_| !is_after).map_or(&floor.id, |accepted| &accepted.id);
            return Err(refused(format!("it is of {id}, and {last} was accepted last")));
        }
        let verified = self.verified(&kept)?.ok_or_else(|| refused("it is of another source".to_owned()))?;
        // Whoever writes both ConfigMaps could else bring any tree.
        if verified.signer.is_none() {
            return Err(refused("nobody has to have signed it (trust.mode none)".to_owned()));
        }
        // It is nothing that this program has tested before.
        let bundle = self.tried(&verified.tree).map_err(|(_, why)| refused(why))?;
        Ok((verified, bundle))
    }

    /// The commit of this source that others tell was accepted last.
    fn told_floor(&self, shown: &super::Shown) -> Option<Accepted> {
        shown.floors().ok()?.into_iter().find(|floor| floor.key == self.key())
    }

    fn unusable(&self, why: &str) {
        let message = format!(
            "what other replicas kept in the ConfigMap meshgate-bundle-archive is not used: {why}; the source is waited for"
        );
        tracing::error!(why, "what other replicas kept is not used");
        self.corrupt(&message);
    }
}
