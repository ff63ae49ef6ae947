//! The files of `--facts` as a source of facts. What they say hangs on the bundle in force too: it knows where kinds
//! keep their Pods.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::Value;

use crate::activation::Preparation;
use crate::cli::image_facts::pull_secrets_of;
use crate::cli::inputs::FactFlags;
use crate::context::{ContextSource, Fact, FactKey, Others, World};
use crate::dry_run::Manifests;
use crate::engine::Bundle;
use crate::image::StatedPullSecrets;
use crate::mesh::istio::Istio;
use crate::mesh::{Mesh, Meshes, NoMesh};
use crate::policy::MeshSettings;

/// Objects in files, and what they say under the bundle in force.
pub(super) struct FileFacts {
    flags: FactFlags,
    manifests: Manifests,
    others: Others,
    known: RwLock<Known>,
    prepared: Mutex<Option<Known>>,
}

/// What the files say under one bundle.
#[derive(Clone)]
struct Known {
    world: Arc<World>,
    mesh: Arc<dyn Mesh>,
}

impl FileFacts {
    /// Reads the files. `others`: what is said of namespaces that they do not give.
    pub(super) fn new(flags: &FactFlags, others: Others) -> anyhow::Result<Self> {
        Ok(Self {
            flags: flags.clone(),
            manifests: flags.manifests()?,
            others,
            known: RwLock::new(Known {
                world: Arc::new(World::new(Others::Unknown)),
                mesh: Arc::new(NoMesh),
            }),
            prepared: Mutex::default(),
        })
    }

    /// What is said of namespaces that the files do not give.
    pub(super) fn others(&self) -> Others {
        self.others
    }

    /// The pull secrets among the objects.
    pub(super) fn pull_secrets(&self) -> StatedPullSecrets {
        pull_secrets_of([&self.manifests], None)
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What they say under a bundle.
    fn under(&self, bundle: &Bundle) -> Result<Known, String> {
        let world = self.flags.world(bundle, &self.manifests, self.others);
        let world = Arc::new(world.map_err(|error| error.to_string())?);
        let settings = bundle.meshes.as_ref().filter(|settings| settings.in_use().next().is_some());
        let mesh: Arc<dyn Mesh> = match settings {
            Some(settings) => {
                let objects = self.manifests.objects().map(|one| Value::Object(one.object().clone()));
                let objects: Vec<Value> = objects.filter(Istio::is_configured_by).collect();
                Arc::new(Istio::of_cluster(&objects, settings).map_err(|why| format!("--facts: {why}"))?)
            }
            None => Arc::new(NoMesh),
        };
        Ok(Known { world, mesh })
    }
}

impl Meshes for FileFacts {
    fn mesh(&self, _: Option<&MeshSettings>) -> Arc<dyn Mesh> {
        self.known().mesh
    }
}

impl ContextSource for FileFacts {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let world = self.known().world;
        Box::pin(async move { world.fetch(key).await })
    }
}

impl Preparation for FileFacts {
    fn prepare<'a>(
        &'a self,
        candidate: &'a Arc<Bundle>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let prepared = self.under(candidate).map(|known| {
            *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
        });
        Box::pin(ready(prepared))
    }

    fn activated(&self, _: &Arc<Bundle>) {
        if let Some(known) = self.prepared.lock().unwrap_or_else(PoisonError::into_inner).take() {
            *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        }
    }
}
