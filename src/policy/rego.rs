//! The Rego of a policies' tree: policies with their METADATA, and what they import.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::annotations::{self, Header};
use super::fault::Fault;
use super::files::Misfit;
use super::id::PolicyId;
use super::metadata::{self, Metadata};
use super::settings::BundleSettings;
use super::tenant::{Tenant, is_of_a_tenant, sees};
use super::tree::Tree;

/// A Rego file that is loaded.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its path in the tree.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A policy: its METADATA and its Rego.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub id: PolicyId,
    /// What it promises.
    pub metadata: Metadata,
    /// What it does.
    pub module: Module,
    /// Whether its file is the embedded one of this name, byte for byte, so that it was judged with the rest of what is
    /// embedded.
    pub is_embedded: bool,
}

/// All Rego that is loaded.
#[derive(Default)]
pub(super) struct Rego {
    pub(super) policies: BTreeMap<PolicyId, Policy>,
    pub(super) libraries: Vec<Module>,
    /// Policies that are there and can't be read.
    broken: BTreeSet<PolicyId>,
    /// What was read, by its path in the sub-tree that it lies in.
    read: BTreeMap<String, Module>,
}

impl Rego {
    /// The policies that who writes `pattern` means: an id, or a glob of a category.
    pub(super) fn meant(&self, pattern: &str, tenant: Option<&Arc<Tenant>>) -> Vec<&Policy> {
        let is_meant = |policy: &&Policy| policy.id.is_meant_by(pattern) && sees(tenant, &policy.id);
        self.policies.values().filter(is_meant).collect()
    }

    /// Whether a policy is meant that can't be read: that it is missing is then no fault of who names it.
    pub(super) fn is_broken(&self, pattern: &str) -> bool {
        self.broken.iter().any(|id| id.is_meant_by(pattern))
    }

    /// The names of the policies that one may name.
    pub(super) fn ids(&self, tenant: Option<&Arc<Tenant>>) -> Vec<&str> {
        self.policies.keys().filter(|id| sees(tenant, id)).map(PolicyId::as_str).collect()
    }

    /// Policies that mean all of Kubernetes' workloads mean those as well.
    pub(super) fn extend_to(&mut self, workloads: &[(String, String)]) {
        self.policies.values_mut().for_each(|policy| policy.metadata.matches.extend_to(workloads));
    }

    /// Says which policies are embedded ones.
    pub(super) fn recognise(&mut self, catalogue: &Tree) {
        for policy in self.policies.values_mut() {
            policy.is_embedded = catalogue.file(&policy.module.path) == Some(policy.module.text.as_bytes());
        }
    }

    /// Reads a file.
    pub(super) fn read(
        &mut self,
        path: &str,
        content: &[u8],
        settings: &BundleSettings,
        faults: &mut Vec<Fault>,
    ) {
        let Ok(text) = std::str::from_utf8(content) else {
            return faults.push(Fault::of_file(path, "not UTF-8; save the file as UTF-8"));
        };
        let header = match annotations::header(text) {
            Ok(header) => header,
            Err((line, message)) => return faults.push(Fault::new(path, (line, 0), message)),
        };
        let module = Module { path: path.to_owned(), text: text.to_owned() };
        let (tenant, local) = (settings.tenant_of(path), settings.local(path));
        // Sub-trees may bring the same file: where it is the same, one is enough.
        match self.read.get(&local) {
            None => drop(self.read.insert(local.clone(), module.clone())),
            Some(other) if other.text == module.text => return,
            Some(other) => {
                let message = format!("differs from {}, which has the same name; rename one", other.path);
                return faults.push(Fault::of_file(path, message));
            }
        }
        match local.split('/').collect::<Vec<_>>().as_slice() {
            ["lib", names @ .., _] if !names.is_empty() => {
                self.library(&names.join("."), module, &header, faults);
            }
            [category, policy, file]
                if file.strip_suffix(".rego") == Some(*policy)
                    && !["lib", PolicyId::RESERVED].contains(category)
                    && is_of_a_tenant(category) == tenant.is_some() =>
            {
                self.policy(PolicyId::new(category, policy), module, &header, faults);
            }
            _ => faults.push(Fault::of_file(path, misplaced(tenant))),
        }
    }

    fn library(&mut self, name: &str, module: Module, header: &Header, faults: &mut Vec<Fault>) {
        let expected = format!("lib.{name}");
        if header.package == expected {
            return self.libraries.push(module);
        }
        let message = format!("package `{}`; a library at this path is `package {expected}`", header.package);
        faults.push(Fault::new(&module.path, (header.package_line, 0), message));
    }

    fn policy(&mut self, id: PolicyId, module: Module, header: &Header, faults: &mut Vec<Fault>) {
        match metadata_of(&id, header, &module.path) {
            Ok(metadata) => {
                self.policies.insert(id.clone(), Policy { id, metadata, module, is_embedded: false });
            }
            Err(found) => {
                faults.extend(found);
                self.broken.insert(id);
            }
        }
    }
}

/// Whether a file is run by `opa test`, or shows people what a policy does: `<category>/<policy>/*_test.rego`, but not
/// the policy itself, `lib/**/*_test.rego`, `<category>/<policy>/examples/**`. The folder of a tenant is a category, an
/// included one a tree.
pub(super) fn is_for_tests(path: &str, settings: &BundleSettings) -> bool {
    match settings.local(path).split('/').collect::<Vec<_>>().as_slice() {
        ["lib", _, .., file] => file.ends_with("_test.rego"),
        [_, policy, file] => file.ends_with("_test.rego") && file.strip_suffix(".rego") != Some(*policy),
        [_, _, "examples", ..] => true,
        _ => false,
    }
}

fn misplaced(tenant: Option<&Arc<Tenant>>) -> String {
    match tenant {
        Some(tenant) => format!("a Rego file of the tenant `{}` lies at `{}/<policy>/<policy>.rego`, its tests at `…_test.rego`; move it", tenant.name, tenant.path),
        None => "a Rego file lies at `<category>/<policy>/<policy>.rego`, its tests at `…_test.rego`, a library at `lib/<name>/<name>.rego` or in folders below; move it".to_owned(),
    }
}

/// A policy's METADATA, or why there is none.
fn metadata_of(id: &PolicyId, header: &Header, path: &str) -> Result<Metadata, Vec<Fault>> {
    let fault = |at, message: String| vec![Fault::new(path, at, message)];
    if !id.as_str().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '/')) {
        let message = "a policy's folders are named with a-z, 0-9 and _; rename them";
        return Err(fault((0, 0), message.to_owned()));
    }
    let at_package = (header.package_line, 0);
    if header.package != id.package() {
        let message = format!("package `{}`; at this path it is `package {}`", header.package, id.package());
        return Err(fault(at_package, message));
    }
    let Some(block) = &header.block else {
        let message = "no METADATA above `package`; a policy without it can't be matched to requests: add \
                       `# METADATA` with title, description and custom.match";
        return Err(fault(at_package, message.to_owned()));
    };
    metadata::read(&block.document.value, id.as_str()).map_err(|misfits| {
        let fault = |one: Misfit| Fault::new(path, block.position(&one.pointer), one.message);
        misfits.into_iter().map(fault).collect()
    })
}
