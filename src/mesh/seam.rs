//! The seam to a mesh: what `review` asks it. Pure; whoever implements it has all that it needs at hand.

use serde_json::Value;

use crate::admission::Request;

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
pub trait Mesh: Sync {
    /// What it would do with the object of a request, were nothing injected yet. None: no mesh is concerned.
    ///
    /// # Errors
    /// Why that can't be told.
    fn propose(&self, request: &Request) -> Result<Option<Proposal>, String>;

    /// The object with the sidecar.
    ///
    /// # Errors
    /// Why the mesh, or what meshgate lets a mesh do, refuses it.
    fn render(&self, proposal: &Proposal, request: &Request) -> Result<Rendering, String>;

    /// The containers that it would have put into the object of a request, as far as that can be told; whether they are
    /// there is for the caller to see.
    fn rendered(&self, request: &Request) -> Vec<RenderedContainer>;
}

/// Where there is no mesh.
pub struct NoMesh;

impl Mesh for NoMesh {
    fn propose(&self, _: &Request) -> Result<Option<Proposal>, String> {
        Ok(None)
    }

    fn render(&self, _: &Proposal, _: &Request) -> Result<Rendering, String> {
        Err("there is no mesh".to_owned())
    }

    fn rendered(&self, _: &Request) -> Vec<RenderedContainer> {
        Vec::new()
    }
}
