//! The start: the last good policies from disk, else from what other replicas kept, verified and gated again as any others.
//! The source may be away.

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::delivered::Origin;
use super::state::Kept;
use super::{Delivery, Message};
use crate::activation::Step;
use crate::engine::Bundle;
use crate::source::{Reason, Refusal, Verified, verify_kept};

/// How long the source waits for what was kept to be in force.
const PATIENCE: Duration = Duration::from_secs(30);

impl Delivery {
    /// Puts the newest bundle in force that was kept and is still good.
    pub(super) fn recover(&mut self) {
        match self.state.accepted(&self.key()) {
            Ok(accepted) => self.accepted = accepted,
            Err(why) => {
                let message = format!(
                    "{why}; no other commit is accepted until trust.floor, or source.rollback, names the one that all others come after"
                );
                self.corrupt(&message);
                self.notes.unkept = Some(message.clone());
                self.lost_floor = Some(message);
            }
        }
        self.notes.floor = self.accepted.as_ref().map(|accepted| accepted.id.clone());
        let names = self.state.names().unwrap_or_else(|why| {
            self.corrupt(&format!("{why}; what is kept is tried, the latest first"));
            self.state.all()
        });
        for (name, kept) in self.state.kept(names) {
            let recovered =
                kept.map_err(|why| Refusal { reason: Reason::Tampered, message: why, retry_after: None });
            match recovered.and_then(|kept| self.recovered(&kept)) {
                Ok(Some((verified, bundle))) => {
                    let id = verified.snapshot.id.clone();
                    tracing::info!(id, "policies that were kept on disk are verified");
                    self.judged = Some(id);
                    self.deliver(verified, bundle, Origin::Kept);
                    return self.wait_for_it();
                }
                Ok(None) => {}
                Err(refusal) => self.bad(&name, &refusal),
            }
        }
        self.recover_from_others();
    }

    /// What was kept, verified; None: it is of another source.
    pub(super) fn verified(&self, kept: &Kept) -> Result<Option<Verified>, Refusal> {
        if kept.meta.key != self.key() {
            return Ok(None);
        }
        let source = &self.settings.source;
        let snapshot = kept.proof.verify(&kept.meta.id, &source.path, &kept.tree)?;
        verify_kept(snapshot, source, &self.trust, OffsetDateTime::now_utc()).map(Some)
    }

    /// What was kept on this disk, verified and compiled; None: it is of another source.
    fn recovered(&self, kept: &Kept) -> Result<Option<(Verified, Bundle)>, Refusal> {
        let Some(verified) = self.verified(kept)? else { return Ok(None) };
        let bundle = (self.around.compile)(&verified.tree);
        let bundle =
            bundle.map_err(|message| Refusal { reason: Reason::Files, message, retry_after: None })?;
        if !kept.is(bundle.revision.bundle) {
            tracing::info!("what is embedded has changed since the bundle was kept");
        }
        Ok(Some((verified, bundle)))
    }

    /// What was kept and can't be used. What is damaged is put aside; what is only not trusted any more stays.
    fn bad(&self, name: &str, refusal: &Refusal) {
        let message = format!("the bundle {name} that was kept on disk is not used: {refusal}");
        tracing::error!(name, why = %refusal, "a bundle that was kept on disk is not used");
        self.corrupt(&message);
        if refusal.reason == Reason::Tampered {
            self.state.set_aside(name);
        }
    }

    pub(super) fn corrupt(&self, message: &str) {
        self.around.activation.refuse(None, Step::Recover, message);
    }

    pub(super) fn wait_for_it(&mut self) {
        let until = Instant::now().checked_add(PATIENCE);
        while self.pending.is_some() {
            let left = until.and_then(|until| until.checked_duration_since(Instant::now()));
            match left.and_then(|left| self.told.recv_timeout(left).ok()) {
                Some(Message::Activated(delivered)) => self.activated(delivered),
                Some(Message::Told) => {}
                None => return,
            }
        }
    }
}
