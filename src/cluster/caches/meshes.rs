//! The meshes of the cluster, as what is watched has them by now. Their configuration is read anew where something of it
//! changed; one that can't be read leaves the last good one in force, as with policies.

use std::sync::{Arc, MutexGuard, PoisonError};

use serde_json::Value;

use super::Caches;
use super::store::Standing;
use crate::admission::GroupVersionKind;
use crate::context::Objects;
use crate::mesh::istio::Istio;
use crate::mesh::{Mesh, Meshes, NoMesh, UnknownMesh};
use crate::policy::MeshSettings;

/// What was read last.
pub(super) struct Last {
    settings: MeshSettings,
    /// What it was read from, and what of that is a mesh's.
    seen: Vec<Arc<Objects>>,
    objects: Vec<Value>,
    mesh: Arc<dyn Mesh>,
}

impl Meshes for Caches {
    fn mesh(&self, settings: Option<&MeshSettings>) -> Arc<dyn Mesh> {
        let Some(settings) = settings.filter(|settings| settings.in_use().next().is_some()) else {
            return Arc::new(NoMesh);
        };
        let seen = match self.seen(settings) {
            Ok(seen) => seen,
            Err(why) => return Arc::new(UnknownMesh::because(why)),
        };
        let mut last = self.last_mesh();
        let before = last.as_ref().filter(|last| last.settings == *settings);
        if let Some(before) = before
            && before.seen.iter().zip(&seen).all(|(one, other)| Arc::ptr_eq(one, other))
        {
            return Arc::clone(&before.mesh);
        }
        let objects = of_meshes(&seen);
        let mesh = match (before, Istio::of_cluster(&objects, settings)) {
            (Some(before), _) if before.objects == objects => Arc::clone(&before.mesh),
            (_, Ok(istio)) => {
                tracing::info!("the configuration of the mesh is read");
                Arc::new(istio)
            }
            (Some(before), Err(why)) => {
                tracing::error!(why, "the configuration of the mesh can't be read; the last good one stays");
                Arc::clone(&before.mesh)
            }
            (None, Err(why)) => Arc::new(UnknownMesh::because(why)),
        };
        *last = Some(Last { settings: settings.clone(), seen, objects, mesh: Arc::clone(&mesh) });
        mesh
    }
}

impl Caches {
    /// Whether the meshes of a candidate can be read.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn can_read(&self, settings: &MeshSettings) -> Result<(), String> {
        if settings.in_use().next().is_none() {
            return Ok(());
        }
        Istio::of_cluster(&of_meshes(&self.seen(settings)?), settings).map(drop)
    }

    fn seen(&self, settings: &MeshSettings) -> Result<Vec<Arc<Objects>>, String> {
        let needs = settings.needs();
        needs.places().map(|(kind, namespace, _)| self.place(kind, namespace)).collect()
    }

    fn place(&self, kind: &GroupVersionKind, namespace: Option<&str>) -> Result<Arc<Objects>, String> {
        let of = || format!("{}/{}", kind.api_version(), kind.kind);
        let kept = self.kept_in(kind, namespace).ok_or_else(|| format!("{} is not watched", of()))?;
        match kept.standing() {
            Standing::Listed | Standing::Unserved => Ok(kept.objects()),
            Standing::Listing(_) => Err(format!("{} is not listed yet", of())),
            Standing::Dropped(why) => Err(format!("{} is {why}", of())),
        }
    }

    fn last_mesh(&self) -> MutexGuard<'_, Option<Last>> {
        self.last_mesh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The objects by which a mesh is configured.
fn of_meshes(seen: &[Arc<Objects>]) -> Vec<Value> {
    let all = seen.iter().flat_map(|objects| {
        objects.namespaces().flat_map(|(_, names)| names.iter().map(|(_, object)| object.value()))
    });
    all.filter(Istio::is_configured_by).collect()
}
