//! meshgate: a Kubernetes admission webhook whose core is a pure function,
//! `review`, that the webhook and the dry run call alike.
//!
//! Modules stand in dependency order: each names only modules of an earlier level
//! (`docs/architecture.md`; `tests/architecture/` enforces it).

// Level 0: bytes and fields.
pub mod admission;
pub mod kubernetes;
pub mod patch;
pub mod yaml;
