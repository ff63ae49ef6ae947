//! Pure knowledge of Kubernetes' fields: how values are written, where each kind keeps its Pod,
//! what a kind's resource is called. No I/O, no policy, no other module of meshgate.

pub mod containers;
pub mod field_path;
pub mod image_pattern;
pub mod image_reference;
pub mod kinds;
pub mod label_selector;
pub mod pattern;
pub mod pod_template;
pub mod pod_types;
pub mod quantity;
pub mod registry_pattern;
pub mod rendering;
pub mod update;
