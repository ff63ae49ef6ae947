//! The seam to a mesh: what `review` asks it. Pure; whoever implements it has all that it needs at hand.

use std::sync::Arc;

use serde_json::Value;

use crate::admission::{Operation, Request};
use crate::policy::MeshSettings;

/// What a mesh would do with an object (the fact `mesh.proposal`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// As in `istio`.
    pub mesh: String,
    /// Its revision.
    pub revision: Option<String>,
    /// Whether it would inject a sidecar.
    pub inject: bool,
    /// What decided.
    pub rule: String,
    /// What that read.
    pub reasons: Vec<String>,
    /// Who does it.
    pub injector: Injector,
}

/// Who injects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Injector {
    /// meshgate.
    #[default]
    Meshgate,
    /// The mesh, as it is told to.
    Mesh,
    /// The mesh, by that webhook of its own, which calls it beside meshgate.
    Webhook(String),
}

/// A container that a mesh put into a Pod.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedContainer {
    /// The list that it is in, such as `initContainers`.
    pub list: String,
    /// The container.
    pub container: Value,
    /// Whether it is as the mesh alone would have it: nothing in it comes from who wrote the Pod.
    pub plain: bool,
}

/// A Pod with a sidecar.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendering {
    /// The whole object.
    pub object: Value,
    /// What of it is the mesh's.
    pub containers: Vec<RenderedContainer>,
}

/// A mesh, or several as one.
pub trait Mesh: Send + Sync {
    /// Whether it has to be told of the namespace of a request; else it knows better, or no mesh is concerned.
    fn reads_namespace(&self, request: &Request) -> bool;

    /// What it would do with the object of a request, were nothing injected yet. None: no mesh is concerned. `namespace`:
    /// `{name, labels, annotations}`, where it reads that.
    ///
    /// # Errors
    /// Why that can't be told.
    fn propose(&self, request: &Request, namespace: Option<&Value>) -> Result<Option<Proposal>, String>;

    /// The object with the sidecar.
    ///
    /// # Errors
    /// Why the mesh, or what meshgate lets a mesh do, refuses it.
    fn render(
        &self,
        proposal: &Proposal,
        request: &Request,
        namespace: Option<&Value>,
    ) -> Result<Rendering, String>;

    /// The containers that it would have put into the object of a request, as far as that can be told; whether they are
    /// there is for the caller to see.
    fn rendered(&self, request: &Request, namespace: Option<&Value>) -> Vec<RenderedContainer>;
}

/// Who knows the meshes as they are by now.
pub trait Meshes: Send + Sync {
    /// Them, as settings have it.
    fn mesh(&self, settings: Option<&MeshSettings>) -> Arc<dyn Mesh>;
}

/// Where there is no mesh.
pub struct NoMesh;

impl Mesh for NoMesh {
    fn reads_namespace(&self, _: &Request) -> bool {
        false
    }

    fn propose(&self, _: &Request, _: Option<&Value>) -> Result<Option<Proposal>, String> {
        Ok(None)
    }

    fn render(&self, _: &Proposal, _: &Request, _: Option<&Value>) -> Result<Rendering, String> {
        Err("there is no mesh".to_owned())
    }

    fn rendered(&self, _: &Request, _: Option<&Value>) -> Vec<RenderedContainer> {
        Vec::new()
    }
}

/// Where there is a mesh of which nothing is known: it may want to inject into any Pod.
pub struct UnknownMesh(String);

impl UnknownMesh {
    /// Why nothing is known.
    pub fn because(why: String) -> Self {
        Self(why)
    }
}

impl Mesh for UnknownMesh {
    fn reads_namespace(&self, _: &Request) -> bool {
        false
    }

    fn propose(&self, request: &Request, _: Option<&Value>) -> Result<Option<Proposal>, String> {
        let resource = request.resource();
        let is_pod = (resource.group.as_str(), resource.resource.as_str()) == ("", "pods");
        let is_made = request.operation() == Operation::Create && request.sub_resource().is_none();
        if is_pod && is_made { Err(self.0.clone()) } else { Ok(None) }
    }

    fn render(&self, _: &Proposal, _: &Request, _: Option<&Value>) -> Result<Rendering, String> {
        Err(self.0.clone())
    }

    fn rendered(&self, _: &Request, _: Option<&Value>) -> Vec<RenderedContainer> {
        Vec::new()
    }
}

impl Meshes for NoMesh {
    fn mesh(&self, _: Option<&MeshSettings>) -> Arc<dyn Mesh> {
        Arc::new(NoMesh)
    }
}
