//! Meshes: what a mesh would do with a Pod, and its sidecar. Pure: what they need of the outside is handed to them. Called by
//! the front doors, which make of it what `review` asks a mesh (trait `review::Mesh`).

pub mod istio;
mod template;
