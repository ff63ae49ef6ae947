//! The files of `--facts` as a source of facts. What they say hangs on the bundle in force too: it knows where kinds
//! keep their Pods.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::activation::Preparation;
use crate::cli::inputs::FactFlags;
use crate::context::{ContextSource, Fact, FactKey, Others, World};
use crate::dry_run::Manifests;
use crate::engine::Bundle;

/// Objects in files, and what they say under the bundle in force.
pub(super) struct FileFacts {
    flags: FactFlags,
    manifests: Manifests,
    others: Others,
    world: RwLock<Arc<World>>,
    prepared: Mutex<Option<Arc<World>>>,
}

impl FileFacts {
    /// Reads the files. `others`: what is said of namespaces that they do not give.
    pub(super) fn new(flags: &FactFlags, others: Others) -> anyhow::Result<Self> {
        Ok(Self {
            flags: flags.clone(),
            manifests: flags.manifests()?,
            others,
            world: RwLock::new(Arc::new(World::new(Others::Unknown))),
            prepared: Mutex::default(),
        })
    }

    /// What is said of namespaces that the files do not give.
    pub(super) fn others(&self) -> Others {
        self.others
    }
}

impl ContextSource for FileFacts {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let world = Arc::clone(&self.world.read().unwrap_or_else(PoisonError::into_inner));
        Box::pin(async move { world.fetch(key).await })
    }
}

impl Preparation for FileFacts {
    fn prepare<'a>(
        &'a self,
        candidate: &'a Arc<Bundle>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let world = self.flags.world(candidate, &self.manifests, self.others);
        let prepared = world.map_err(|error| error.to_string()).map(|world| {
            *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(world));
        });
        Box::pin(ready(prepared))
    }

    fn activated(&self, _: &Arc<Bundle>) {
        if let Some(world) = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take() {
            *self.world.write().unwrap_or_else(PoisonError::into_inner) = world;
        }
    }
}
