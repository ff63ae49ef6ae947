//! The policies while the server runs: a directory that changes gives candidates, and one that could not be put in force
//! is tried again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::activation::Activation;
use crate::cli::STACK_BYTES;
use crate::cli::inputs::{PolicyFlags, clock};
use crate::context::Now;
use crate::engine::Bundle;
use crate::policy::{Revision, Tree};
use crate::source::{SourceError, Watched};

/// How often a directory is looked at.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long after a failure a candidate is tried again: what was missing may be there by then.
const RETRY: Duration = Duration::from_secs(10);

/// The policies of a server.
pub(super) struct Reload {
    pub(super) policies: PolicyFlags,
    pub(super) activation: Arc<Activation>,
    /// The time that policies see; None: the clock.
    pub(super) now: Option<Now>,
    pub(super) runtime: Handle,
}

/// The candidate that was tried last, again and again until it is in force.
struct Attempt {
    revision: Revision,
    task: JoinHandle<()>,
}

impl Reload {
    /// Puts `first` in force, then what the directory holds, where the policies are in one. Returns at once.
    pub(super) fn start(self, first: Arc<Bundle>) -> anyhow::Result<()> {
        let mut attempt = self.attempt(first);
        let Some(mut watched) = self.policies.directory().map(Watched::new) else { return Ok(()) };
        let watch = move || {
            loop {
                thread::sleep(INTERVAL);
                let Some(look) = watched.look() else { continue };
                // A faulty tree is no candidate: what is tried meanwhile goes on.
                if let Some(bundle) = self.candidate(look, &mut attempt) {
                    // A newer tree is the only candidate.
                    attempt.task.abort();
                    attempt = self.attempt(bundle);
                }
            }
        };
        // Compiling recurses as deep as policies nest.
        let builder = thread::Builder::new().name("policies".to_owned()).stack_size(STACK_BYTES);
        builder.spawn(watch).context("can't start a thread")?;
        Ok(())
    }

    /// The bundle to put in force; None where there is none, it is in force, or it is tried already.
    fn candidate(&self, look: Result<Tree, SourceError>, attempt: &mut Attempt) -> Option<Arc<Bundle>> {
        let tree = match look {
            Ok(tree) => tree,
            Err(error) => {
                self.activation.refuse(None, &error.to_string());
                return None;
            }
        };
        let revision = tree.revision();
        if self.activation.active().is_some_and(|active| active.revision == revision) {
            if attempt.revision != revision {
                attempt.task.abort();
                attempt.revision = revision;
            }
            self.activation.confirm();
            return None;
        }
        if attempt.revision == revision {
            return None;
        }
        let now = self.now.unwrap_or_else(clock);
        // The thread that looks is the only one: it outlives what it finds.
        let compiled = catch_unwind(AssertUnwindSafe(|| self.policies.compile(&tree, now)));
        let compiled = compiled.unwrap_or_else(|_| {
            Err(anyhow::anyhow!("loading them failed inside meshgate; its log says where"))
        });
        compiled
            .map(Arc::new)
            .inspect_err(|error| self.activation.refuse(Some(&revision.to_string()), &error.to_string()))
            .ok()
    }

    fn attempt(&self, candidate: Arc<Bundle>) -> Attempt {
        let activation = Arc::clone(&self.activation);
        let revision = candidate.revision.clone();
        let task = self.runtime.spawn(async move {
            while activation.activate(Arc::clone(&candidate)).await.is_err() {
                sleep(RETRY).await;
            }
        });
        Attempt { revision, task }
    }
}
