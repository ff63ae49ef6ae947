//! What the files of a policies' tree say, read and typed but not yet compiled: [`Draft`].
//!
//! `engine::compile` turns a [`Draft`] into a bundle that can decide. Nothing here knows how Rego is evaluated,
//! and nothing is read from disk: `source` brings the [`Tree`].

mod annotations;
mod binding;
mod declared;
mod declared_images;
mod draft;
mod duration;
mod exception;
mod exempted;
mod fault;
mod files;
mod guarded;
mod id;
pub mod image_trust;
mod includes;
mod matching;
mod members;
mod mesh_settings;
mod metadata;
mod near;
mod only;
mod origin;
mod parameters;
mod pod_templates;
mod rego;
mod revision;
mod settings;
mod shape;
mod tenant;
mod tree;
mod written;

pub use binding::{Binding, Enforcement, Templates};
pub use declared::{DeclaredFact, FactName};
pub use declared_images::DeclaredImages;
pub use draft::Draft;
pub use exception::{Exception, ExceptionScope};
pub use exempted::Exempted;
pub use fault::{Fault, Faults};
pub use guarded::GuardedField;
pub use id::PolicyId;
pub use image_trust::{ImageTrust, TrustRule};
pub use matching::{
    CONTROLLERS, Match, Mismatch, NEVER_GROUPS, NEVER_RESOURCES, NEVER_SUB_RESOURCES, Rule, RuleOperation,
    Scope, is_never,
};
pub use members::Members;
pub use mesh_settings::{Mesh, MeshMode, MeshRevision, MeshSettings};
pub use metadata::{FailurePolicy, Metadata, Severity};
pub use near::{nearest, remedy};
pub use origin::Origin;
pub use rego::{Module, Policy};
pub use revision::{Digest, FORMAT, Provenance, Revision, SourceKind, Trust};
pub use settings::{
    BundleSettings, EXEMPT_LABEL, MODE_LABEL, Mode, SUSPEND_ANNOTATION, SUSPENDED_BY_ANNOTATION,
};
pub use shape::{Member, members, schema};
pub use tenant::Tenant;
pub use tree::Tree;
pub use written::API_VERSION;

/// The kinds of a policies' tree, and what each may have in it.
pub fn file_kinds() -> Vec<(&'static str, Vec<Member>)> {
    vec![
        ("PolicyBinding", binding::fields()),
        ("PolicyException", exception::fields()),
        ("Bundle", settings::fields()),
        ("ImageTrust", members::<ImageTrust>("")),
        ("MeshSettings", members::<MeshSettings>("spec")),
    ]
}
