//! Meshes: what a mesh would do with a Pod, and its sidecar. Pure: what they need of the outside is handed to them. `review` asks
//! one by the trait [`Mesh`]; the front doors make it of what they know.

pub mod istio;
pub mod proof;
mod seam;
mod template;

pub use seam::{Injector, Mesh, Meshes, NoMesh, Proposal, RenderedContainer, Rendering, UnknownMesh};
