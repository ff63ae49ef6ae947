//! The file kind `Bundle`: what holds for a whole tree.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use time::Duration;

use super::duration;
use super::fault::Fault;
use super::files::word;
use super::includes;
use super::pod_templates::{self, PodTemplateFields};
use super::shape::{Member, members};
use super::tenant::{self, Tenant, TenantFields};
use super::tree::Tree;
use super::written::Written;
use crate::kubernetes::pod_template::PodTemplates;

/// The label by which a namespace says how far it is rolled out (contracts: enforcement).
pub const MODE_LABEL: &str = "meshgate.io/mode";

/// The label by which a namespace is kept from the webhook (contracts: enforcement).
pub const EXEMPT_LABEL: &str = "meshgate.io/exempt";

/// The annotation by which denials in a namespace are warnings until a moment (contracts: enforcement).
pub const SUSPEND_ANNOTATION: &str = "meshgate.io/suspend";

/// The annotation that names who suspended; meshgate alone writes it (contracts: server, names).
pub const SUSPENDED_BY_ANNOTATION: &str = "meshgate.io/suspended-by";

/// The word of a namespace's label `meshgate.io/mode`, and of `defaultMode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Not judged.
    Off,
    /// Recorded, never shown to the requester.
    Audit,
    /// Shown, never refused. The default: a fresh install breaks nobody.
    #[default]
    Warn,
    /// Refused.
    Deny,
}

impl Mode {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Audit => "audit",
            Self::Warn => "warn",
            Self::Deny => "deny",
        }
    }

    /// Reads the label's value; None for a word that is none of the four.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Audit, Self::Warn, Self::Deny].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// What the kind `Bundle` says. At most one in a tree; absent, these defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BundleSettings {
    /// `metadata.name`; empty where there is none.
    pub name: String,
    /// The mode of namespaces without the label.
    pub default_mode: Mode,
    /// How long an exception may last. None: as long as it says.
    pub max_expiry: Option<Duration>,
    /// Who has a sub-tree.
    pub tenants: Vec<Arc<Tenant>>,
    /// Embedded categories whose policies the tree's bindings may name, embedded profiles, and folders of the tree.
    pub includes: Vec<String>,
    /// Of these the folders: each is laid out as a tree.
    pub(super) folders: Vec<String>,
    /// Whether a policy that is bound has to have tests.
    pub tests_required: bool,
    /// Which kinds have a Pod, and where.
    pub pod_templates: PodTemplates,
    /// Groups and resources of those that are not Kubernetes' own.
    pub(super) workloads: Vec<(String, String)>,
}

/// `spec` of the kind `Bundle`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BundleFields {
    #[serde(default, deserialize_with = "word")]
    default_mode: Mode,
    max_expiry: Option<String>,
    #[serde(default)]
    tenants: Vec<TenantFields>,
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default)]
    tests: TestFields,
    #[serde(default)]
    pod_templates: Vec<PodTemplateFields>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TestFields {
    #[serde(default)]
    required: bool,
}

impl BundleSettings {
    /// A path as it is in the sub-tree that it lies in: the tenant's folder is a category, an included one a tree.
    pub(super) fn local(&self, path: &str) -> String {
        let of_tenant = self.tenant_of(path).and_then(|tenant| tenant.local(path));
        let below = |folder: &String| path.strip_prefix(folder.as_str())?.strip_prefix('/');
        let local = of_tenant.or_else(|| self.folders.iter().find_map(below).map(str::to_owned));
        local.unwrap_or_else(|| path.to_owned())
    }

    /// Whose sub-tree a file lies in; None: the platform's.
    pub(super) fn tenant_of(&self, path: &str) -> Option<&Arc<Tenant>> {
        self.tenants.iter().find(|tenant| tenant.has(path))
    }
}

/// Reads the documents of the kind.
pub(super) fn read(bundles: &[&Written], tree: &Tree, faults: &mut Vec<Fault>) -> BundleSettings {
    let mut bundles = bundles.iter();
    let Some(written) = bundles.next() else { return BundleSettings::default() };
    for second in bundles {
        faults.push(second.fault("", "a second Bundle; a tree has at most one"));
    }
    let fields: BundleFields = written.spec_in_part(faults).unwrap_or_default();
    let max_expiry = fields.max_expiry.as_deref().and_then(|text| {
        let read = duration::parse(text);
        if read.is_none() {
            let message = format!("spec.maxExpiry: `{text}`; write days or hours, as `90d`");
            faults.push(written.fault("/spec/maxExpiry", message));
        }
        read
    });
    let tenants = tenant::read(&fields.tenants, written, tree, faults);
    let folders = includes::folders(&fields.includes, &tenants, written, tree, faults);
    let pod_templates = pod_templates::read(&fields.pod_templates, written, faults);
    BundleSettings {
        name: written.name.clone(),
        default_mode: fields.default_mode,
        max_expiry,
        tenants,
        includes: fields.includes,
        folders,
        tests_required: fields.tests.required,
        pod_templates,
        workloads: fields.pod_templates.iter().map(PodTemplateFields::resource).collect(),
    }
}

/// What the kind may have in it.
pub(super) fn fields() -> Vec<Member> {
    members::<BundleFields>("spec")
}
