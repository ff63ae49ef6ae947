//! Tenants: sub-trees whose bindings and exceptions hold only in their own namespaces (`Bundle.tenants[]`).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use time::Duration;

use super::duration;
use super::fault::Fault;
use super::files::word;
use super::id::PolicyId;
use super::settings::Mode;
use super::tree::Tree;
use super::written::Written;
use crate::admission::Request;

/// Begins the category of a tenant's own policies.
const CATEGORY: &str = "tenant_";

/// How long an exception of a tenant may last where the platform does not say.
const LONGEST_DAYS: i64 = 90;

/// Who has a sub-tree, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// The last folder of its path. Its policies are of the category `tenant_<name>`.
    pub name: String,
    /// Its folder in the tree.
    pub path: String,
    /// Where what it binds and excepts holds. Never empty.
    pub namespaces: BTreeSet<String>,
    /// The most that its bindings do.
    pub ceiling: Mode,
    /// The policies from which it may except: ids, or globs of a category.
    pub may_except: Vec<String>,
    /// Whether it may bind policies that change objects.
    pub may_mutate: bool,
    /// How long its exceptions may last.
    pub max_expiry: Duration,
}

/// The wire form of [`Tenant`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TenantFields {
    path: String,
    namespaces: BTreeSet<String>,
    #[serde(default, deserialize_with = "word")]
    ceiling: Option<Mode>,
    #[serde(default)]
    may_except: Vec<String>,
    #[serde(default)]
    may_mutate: bool,
    max_expiry: Option<String>,
}

impl Tenant {
    /// Whether it has this file.
    pub(super) fn has(&self, path: &str) -> bool {
        path.strip_prefix(self.path.as_str()).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The category of its own policies.
    pub(super) fn category(&self) -> String {
        format!("{CATEGORY}{}", self.name)
    }

    /// A path of the sub-tree as if the tenant's folder were a category.
    pub(super) fn local(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(self.path.as_str()).filter(|rest| rest.starts_with('/'))?;
        Some(format!("{}{rest}", self.category()))
    }

    /// Whether it may except from a policy.
    pub(super) fn may_except_from(&self, policy: &PolicyId) -> bool {
        self.may_except.iter().any(|pattern| policy.is_meant_by(pattern))
    }

    /// Whether the object of a request is in one of its namespaces. An object of the cluster never is, nor is a
    /// Namespace.
    pub fn covers(&self, request: &Request) -> bool {
        !request.is_about_a_namespace()
            && request.namespace().is_some_and(|namespace| self.namespaces.contains(namespace))
    }
}

/// Whether a policy is a tenant's own.
pub(super) fn is_of_a_tenant(category: &str) -> bool {
    category.starts_with(CATEGORY)
}

/// Whether who writes at a place may name a policy: its own, and those of the platform.
pub(super) fn sees(tenant: Option<&Arc<Tenant>>, policy: &PolicyId) -> bool {
    let category = policy.category();
    !is_of_a_tenant(category) || tenant.is_some_and(|tenant| tenant.category() == category)
}

/// Reads `tenants` of a Bundle.
pub(super) fn read(
    fields: &[TenantFields],
    written: &Written,
    tree: &Tree,
    faults: &mut Vec<Fault>,
) -> Vec<Arc<Tenant>> {
    let mut tenants: Vec<Arc<Tenant>> = Vec::new();
    for (index, fields) in fields.iter().enumerate() {
        let mut fault = |member: &str, message: String| {
            let at = format!("/spec/tenants/{index}/{member}");
            faults.push(written.fault(&at, format!("spec.tenants[{index}].{member}: {message}")));
        };
        let tenant = one(fields, &mut fault);
        if tree.below(&tenant.path).next().is_none() {
            fault(
                "path",
                format!(
                    "the tree has no file below `{}`; correct the path, else what lies elsewhere would count as the platform's",
                    tenant.path
                ),
            );
        }
        let overlaps = |other: &&Arc<Tenant>| {
            other.name == tenant.name || other.has(&tenant.path) || tenant.has(&other.path)
        };
        if let Some(other) = tenants.iter().find(overlaps) {
            fault(
                "path",
                format!(
                    "`{}` and `{}` can't be told apart; give each tenant a folder with a name of its own",
                    other.path, tenant.path
                ),
            );
        }
        tenants.push(Arc::new(tenant));
    }
    tenants
}

fn one(fields: &TenantFields, fault: &mut impl FnMut(&str, String)) -> Tenant {
    let path = fields.path.trim_end_matches('/').to_owned();
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if path.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        fault("path", format!("`{}`; write the folder as it lies in the tree, as `teams/shop`", fields.path));
    } else if !name.chars().all(is_word) {
        fault("path", format!("`{name}` is a part of Rego packages; name the folder with a-z, 0-9 and _"));
    }
    if fields.namespaces.is_empty() {
        fault("namespaces", "empty, so the tenant could do nothing; name its namespaces".to_owned());
    }
    for namespace in fields.namespaces.iter().filter(|name| name.is_empty() || name.contains('*')) {
        fault("namespaces", format!("`{namespace}` is no namespace; name each in full"));
    }
    if fields.ceiling == Some(Mode::Off) {
        fault("ceiling", "`off`; write audit, warn or deny, or leave the tenant out".to_owned());
    }
    let max_expiry = fields.max_expiry.as_deref().map(|text| {
        let read = duration::parse(text);
        if read.is_none() {
            fault("maxExpiry", format!("`{text}`; write days or hours, as `90d`"));
        }
        read.unwrap_or_default()
    });
    Tenant {
        name,
        path,
        namespaces: fields.namespaces.clone(),
        ceiling: fields.ceiling.unwrap_or(Mode::Deny),
        may_except: fields.may_except.clone(),
        may_mutate: fields.may_mutate,
        max_expiry: max_expiry.unwrap_or_else(|| Duration::days(LONGEST_DAYS)),
    }
}
