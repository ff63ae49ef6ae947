//! Meshes: what a mesh would do with a Pod, and its sidecar. Pure: what they need of the outside is handed to them. `review` asks
//! one by the trait [`Mesh`]; the front doors make it of what they know.

pub mod istio;
mod seam;
mod template;

pub use seam::{Mesh, NoMesh, Proposal, RenderedContainer, Rendering};
