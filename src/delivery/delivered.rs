//! A verified commit on its way: as a bundle, with what is kept of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::state::{Accepted, Kept};
use super::{Delivery, Message};
use crate::activation::Step;
use crate::engine::Bundle;
use crate::source::Verified;

/// How long after a failure a candidate is tried again: what was missing may be there by then.
const RETRY: Duration = Duration::from_secs(10);

/// A commit and its bundle.
pub(super) struct Delivered {
    pub(super) verified: Verified,
    pub(super) bundle: Arc<Bundle>,
    origin: Origin,
}

/// A commit that is being put in force.
pub(super) struct Pending {
    pub(super) delivered: Arc<Delivered>,
    /// Puts it in force, again and again until it is.
    task: JoinHandle<()>,
}

/// Where a commit came from just now.
pub(super) enum Origin {
    /// It was kept on disk, and its floor with it.
    Kept,
    /// The source has it. With the ids of the commits that were gone back to up to it, here or elsewhere.
    Source(Vec<String>),
}

impl Delivered {
    #[cfg(test)]
    pub(super) fn new(verified: Verified, bundle: Bundle) -> Self {
        Self { verified, bundle: Arc::new(bundle), origin: Origin::Kept }
    }

    pub(super) fn id(&self) -> &str {
        &self.verified.snapshot.id
    }

    /// Whether somebody has to have signed it.
    pub(super) fn is_signed(&self) -> bool {
        self.verified.signer.is_some()
    }

    /// What is written down of it.
    pub(super) fn kept(&self, key: &str) -> Kept {
        Kept {
            meta: super::state::Meta {
                key: key.to_owned(),
                id: self.id().to_owned(),
                bundle: self.bundle.revision.bundle.to_string(),
            },
            tree: self.verified.snapshot.accepted.tree.clone(),
            proof: self.verified.snapshot.proof.clone(),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Delivery {
    /// Puts a bundle in force when all is prepared for it; a newer one takes its place.
    pub(super) fn deliver(&mut self, verified: Verified, bundle: Bundle, origin: Origin) {
        let delivered = Arc::new(Delivered { verified, bundle: Arc::new(bundle), origin });
        let (activation, tell) = (Arc::clone(&self.around.activation), self.tell.clone());
        let candidate = Arc::clone(&delivered);
        let task = self.around.runtime.spawn(async move {
            while activation.activate(Arc::clone(&candidate.bundle)).await.is_err() {
                sleep(RETRY).await;
            }
            // Nobody listens where the process ends.
            tell.send(Message::Activated(candidate)).unwrap_or_default();
        });
        self.pending = Some(Pending { delivered, task });
    }

    /// What was on its way is not put in force any more. Where it came in force just now, that is known afterwards.
    pub(super) fn stop(&mut self) {
        if let Some(mut pending) = self.pending.take() {
            pending.task.abort();
            // Cancelled or done: in both cases it does nothing any more, and has told what it did.
            drop(self.around.runtime.block_on(&mut pending.task));
        }
        self.hear();
    }

    /// A bundle came in force: it is kept, and its commit is the floor.
    pub(super) fn activated(&mut self, delivered: Arc<Delivered>) {
        drop(self.pending.take_if(|pending| Arc::ptr_eq(&pending.delivered, &delivered)));
        let back = match &delivered.origin {
            // Its floor is kept beside it, and may be a later one.
            Origin::Kept if self.accepted.is_some() || self.lost_floor.is_some() => None,
            Origin::Kept => Some(Vec::new()),
            Origin::Source(back) => Some(back.clone()),
        };
        if let Some(back) = back {
            self.accept_as_floor(&delivered, back);
        }
        self.active = Some(delivered);
        self.notes.unusable = None;
        self.keep();
        self.vouch();
        self.say();
        self.tell_floor();
    }

    /// All that comes next has to come after this commit.
    fn accept_as_floor(&mut self, delivered: &Delivered, back: Vec<String>) {
        let mut rolled_back = self.accepted.take().map(|accepted| accepted.rolled_back).unwrap_or_default();
        for id in back {
            if !rolled_back.contains(&id) {
                rolled_back.push(id);
            }
        }
        self.accepted = Some(Accepted {
            key: self.key(),
            id: delivered.id().to_owned(),
            tree: delivered.bundle.revision.tree.to_string(),
            time: delivered.verified.snapshot.commit.time,
            rolled_back,
        });
        self.lost_floor = None;
        self.notes.floor = Some(delivered.id().to_owned());
        self.is_kept = false;
    }

    /// Writes down what is in force, where that is not done yet.
    pub(super) fn keep(&mut self) {
        let (Some(active), Some(accepted)) = (&self.active, &self.accepted) else { return };
        if self.is_kept {
            return;
        }
        match self.state.keep(&active.kept(&self.key()), accepted) {
            Ok(()) => {
                self.is_kept = true;
                self.notes.unkept = None;
            }
            Err(error) => {
                let message = format!(
                    "not kept on disk: {error}; free or remount {}, else a new start begins with an older bundle",
                    self.settings.state.display()
                );
                if self.notes.unkept.as_ref() != Some(&message) {
                    tracing::error!(%error, "what is in force is not kept on disk");
                    Step::Keep.count(&self.around.metrics);
                    self.around.events.tell(crate::events::Reason::BundleNotKept, &message);
                }
                self.notes.unkept = Some(message);
            }
        }
    }
}
