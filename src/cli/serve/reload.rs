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

use super::servable::servable;
use crate::activation::{Activation, Step, gives_way};
use crate::cli::STACK_BYTES;
use crate::cli::inputs::{PolicyFlags, clock};
use crate::context::Now;
use crate::engine::Bundle;
use crate::policy::{Digest, Revision, Tree};
use crate::source::{SourceError, Watched};

/// How long after a failure a candidate is tried again: what was missing may be there by then.
const RETRY: Duration = Duration::from_secs(10);

/// The policies of a server.
pub(super) struct Reload {
    pub(super) policies: PolicyFlags,
    /// Whether a directory is taken as it comes to rest.
    pub(super) is_plain: bool,
    pub(super) activation: Arc<Activation>,
    /// The time that policies see; None: the clock.
    pub(super) now: Option<Now>,
    pub(super) runtime: Handle,
    /// Between looks at the directory.
    pub(super) interval: Duration,
}

/// The candidate that was tried last, again and again until it is in force.
struct Attempt {
    /// Of its tree.
    tree: Digest,
    task: JoinHandle<()>,
}

impl Reload {
    /// Puts `first` in force, then what the directory holds, where the policies are in one. Returns at once.
    pub(super) fn start(self, first: Arc<Bundle>) -> anyhow::Result<()> {
        let watched = self.policies.directory().map(|at| Watched::new(at, self.is_plain));
        let Some(mut watched) = watched.map(|watched| watched.holding(first.revision.tree)) else {
            drop(self.attempt(first));
            return Ok(());
        };
        let mut attempt = self.attempt(first);
        let watch = move || {
            gives_way();
            loop {
                thread::sleep(self.interval);
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
                self.activation.refuse(None, Step::Gate, &error.to_string());
                return None;
            }
        };
        let digest = tree.digest();
        if self.activation.active().is_some_and(|active| active.revision.tree == digest) {
            if attempt.tree != digest {
                attempt.task.abort();
                attempt.tree = digest;
            }
            self.activation.confirm();
            return None;
        }
        if attempt.tree == digest {
            return None;
        }
        let revision = Revision::of(&tree, &Tree::default());
        let now = self.now.unwrap_or_else(clock);
        // The thread that looks is the only one: it outlives what it finds.
        let compiled = catch_unwind(AssertUnwindSafe(|| self.policies.compile(&tree, now)));
        let compiled = compiled.unwrap_or_else(|_| {
            Err(anyhow::anyhow!("loading them failed inside meshgate; its log says where"))
        });
        compiled
            .and_then(servable)
            .map(Arc::new)
            .inspect_err(|error| {
                self.activation.refuse(Some(&revision.to_string()), Step::Gate, &error.to_string())
            })
            .ok()
    }

    fn attempt(&self, candidate: Arc<Bundle>) -> Attempt {
        let activation = Arc::clone(&self.activation);
        let tree = candidate.revision.tree;
        let task = self.runtime.spawn(async move {
            while activation.activate(Arc::clone(&candidate)).await.is_err() {
                sleep(RETRY).await;
            }
        });
        Attempt { tree, task }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::path::Path;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use clap::Parser;

    use super::*;
    use crate::activation::{Preparation, Readiness};
    use crate::metrics::Metrics;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        policies: PolicyFlags,
    }

    /// Ready when that is said.
    struct Slow(Arc<AtomicBool>);

    impl Preparation for Slow {
        fn prepare<'a>(
            &'a self,
            _: &'a Arc<Bundle>,
        ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
            Box::pin(async {
                while !self.0.load(Ordering::SeqCst) {
                    sleep(Duration::from_millis(10)).await;
                }
                Ok(())
            })
        }

        fn activated(&self, _: &Arc<Bundle>) {}
    }

    fn write(directory: &Path, enforcement: &str) {
        let policy = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]}\npackage policies.x.a\n\ndeny contains \"no\" if input.request.uid\n";
        std::fs::create_dir_all(directory.join("x/a")).unwrap();
        std::fs::write(directory.join("x/a/a.rego"), policy).unwrap();
        let binding = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b}}\nspec: {{policy: x/a, enforcement: {enforcement}}}\n"
        );
        std::fs::write(directory.join("b.yaml"), binding).unwrap();
    }

    fn until(what: &str, mut holds: impl FnMut() -> bool) {
        let start = Instant::now();
        while !holds() {
            assert!(start.elapsed() < Duration::from_secs(20), "waited too long for {what}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn a_faulty_tree_does_not_end_the_attempt_of_a_good_one() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "deny");
        let flags = Flags::parse_from(["x", "-p", folder.path().to_str().unwrap()]);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let ready = Arc::new(AtomicBool::new(false));
        let preparations: Vec<Arc<dyn Preparation>> = vec![Arc::new(Slow(Arc::clone(&ready)))];
        let (readiness, events) = (Readiness::default(), Arc::new(crate::events::Untold));
        let activation = Activation::new(preparations, &readiness, Metrics::new(), events);
        let first = Arc::new(flags.policies.bundle(clock()).unwrap());
        let (policies, runtime_handle) = (flags.policies, runtime.handle().clone());
        let reload = Reload {
            policies,
            is_plain: true,
            activation: Arc::clone(&activation),
            now: None,
            runtime: runtime_handle,
            interval: Duration::from_millis(50),
        };
        reload.start(Arc::clone(&first)).unwrap();
        write(folder.path(), "denny");
        until("the fault", || activation.status().refused.is_some());
        ready.store(true, Ordering::SeqCst);
        until("the good one", || activation.active().is_some_and(|active| active.revision == first.revision));
    }
}
