//! What the files of a policies' tree say, read and typed but not yet compiled: [`Draft`].
//!
//! `engine::compile` turns a [`Draft`] into a bundle that can decide. Nothing here knows how Rego is evaluated,
//! and nothing is read from disk: `source` brings the [`Tree`].

mod annotations;
mod binding;
mod draft;
mod fault;
mod files;
mod guarded;
mod matching;
mod metadata;
mod only;
mod parameters;
mod settings;
mod tree;

pub use binding::{Binding, Enforcement, Templates};
pub use draft::{Draft, Module, Policy, PolicyId};
pub use fault::{Fault, Faults};
pub use guarded::GuardedField;
pub use matching::{Match, Mismatch, Rule, RuleOperation, Scope, is_never};
pub use metadata::{FactName, FailurePolicy, Metadata, Severity};
pub use settings::{BundleSettings, MODE_LABEL, Mode};
pub use tree::{Revision, Tree};
