//! From a [`Tree`] to a [`Draft`]: every file is recognised, read and typed, or is a fault. Nothing is ignored
//! that could have been meant.

use std::collections::{BTreeMap, BTreeSet};

use super::binding::{self, Binding};
use super::exception::{self, Exception};
use super::fault::Fault;
use super::id::PolicyId;
use super::image_trust::{self, ImageTrust};
use super::includes;
use super::mesh_settings::{self, MeshSettings};
use super::rego::{Module, Policy, Rego, is_for_tests};
use super::revision::Revision;
use super::settings::{self, BundleSettings};
use super::tree::Tree;
use super::written::{self, Kind, Written};
use crate::context::Now;

/// A tree's files, read and typed, with bindings resolved to policies, and all their faults. Not yet compiled.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Names the files that this draft was read from.
    pub revision: Revision,
    /// All policies, bound or not.
    pub policies: BTreeMap<PolicyId, Policy>,
    /// What policies import: `lib/**`.
    pub libraries: Vec<Module>,
    /// The policies in force, sorted by policy and name.
    pub bindings: Vec<Binding>,
    /// What is excepted from them, sorted by name.
    pub exceptions: Vec<Exception>,
    /// Whom to trust for images.
    pub image_trust: Option<ImageTrust>,
    /// The meshes.
    pub meshes: Option<MeshSettings>,
    /// What holds for the whole tree.
    pub settings: BundleSettings,
    /// What is wrong with the tree.
    pub faults: Vec<Fault>,
}

impl Draft {
    /// Reads `tree`. Policies and libraries of `catalogue` come along: its `lib`, and what the tree's `Bundle` includes.
    /// What is wrong stands in [`Draft::faults`]: nothing of it is left out in silence, because a draft with faults does
    /// not compile.
    pub fn read(tree: &Tree, catalogue: &Tree) -> Self {
        let mut draft = Self::read_unbound(tree, catalogue);
        if draft.bindings.is_empty() && draft.faults.is_empty() {
            let ids: Vec<&str> = draft.policies.keys().map(PolicyId::as_str).collect();
            let known = if ids.is_empty() { "none".to_owned() } else { ids.join(", ") };
            draft.faults.push(Fault::of_file("the policies' tree", format!("nothing is bound, so nothing would be judged; add a PolicyBinding. Policies found: {known}")));
        }
        draft
    }

    /// The same of a tree in which nothing need be bound: to test policies, whoever binds them.
    pub fn read_unbound(tree: &Tree, catalogue: &Tree) -> Self {
        let mut faults = Vec::new();
        // Who has a sub-tree decides what its files may say: the Bundle is read first.
        let mut documents = documents(tree.iter(), &mut faults);
        let bundles: Vec<&Written> = of_kind(&documents, Kind::Bundle).collect();
        let settings = settings::read(&bundles, tree, &mut faults);
        let included = includes::read(tree, catalogue, &settings, bundles.first().copied(), &mut faults);
        faults.retain(|fault| !is_for_tests(&fault.file, &settings));
        documents.retain(|written| {
            !is_for_tests(&written.file, &settings) && is_in_its_place(written, &settings, &mut faults)
        });
        let mut profiles = self::documents(included.profiles.iter().copied(), &mut faults);
        profiles.retain(|written| written.kind != Kind::Bundle);
        documents.extend(profiles);

        let mut rego = Rego::default();
        let mut merged = tree.clone();
        let mut taken = Tree::default();
        included.rego.iter().chain(&included.profiles).for_each(|(path, bytes)| taken.insert(*path, *bytes));
        taken.iter().for_each(|(path, bytes)| merged.insert(path, bytes));
        for (path, content) in tree.iter().chain(included.rego.iter().copied()) {
            if path.ends_with(".rego") && !is_for_tests(path, &settings) {
                rego.read(path, content, &settings, &mut faults);
            }
        }
        rego.extend_to(&settings.workloads);
        rego.recognise(catalogue);
        let written = |kind| of_kind(&documents, kind).collect::<Vec<_>>();
        let bindings = binding::read(&written(Kind::PolicyBinding), &settings, &rego, &mut faults);
        let exceptions = exception::read(&written(Kind::PolicyException), &settings, &rego, &mut faults);
        let image_trust = image_trust::read(&written(Kind::ImageTrust), tree, &mut faults);
        let foreign = image_trust::policy_controller::Documents {
            policies: written(Kind::ClusterImagePolicy),
            roots: written(Kind::TrustRoot),
            secrets: written(Kind::Secret),
        };
        let image_trust = image_trust::policy_controller::add(&foreign, image_trust, &mut faults);
        let meshes = mesh_settings::read(&written(Kind::MeshSettings), &mut faults);
        let named = image_trust.as_ref().map(ImageTrust::files).unwrap_or_default();
        let unread = tree.iter().map(|(path, _)| path).filter(|path| is_unread(path));
        for path in unread.filter(|path| !is_for_tests(path, &settings) && !named.contains(path)) {
            faults.push(Fault::of_file(path, "not read under this name; end it in .rego or .yaml"));
        }
        let draft = Self {
            revision: Revision::of(tree, &taken),
            policies: rego.policies,
            libraries: rego.libraries,
            bindings,
            exceptions,
            image_trust,
            meshes,
            settings,
            faults,
        };
        draft.with_tests(&merged)
    }

    /// The same, with the faults that only the time shows: exceptions that would last longer than they may.
    #[must_use]
    pub fn at(mut self, now: Now) -> Self {
        self.faults.extend(self.exceptions.iter().filter_map(|exception| exception.too_long(now)));
        self
    }

    /// The files of policies that are bound and have neither tests nor examples among `tree`.
    pub fn untested<'a>(&'a self, tree: &'a Tree) -> impl Iterator<Item = &'a str> {
        let bound: BTreeSet<&PolicyId> = self.bindings.iter().map(|binding| &binding.policy).collect();
        let policies = self.policies.values().filter(move |policy| bound.contains(&policy.id));
        let untested = policies.filter(|policy| {
            let folder = policy.module.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            !tree.below(folder).any(|(path, _)| is_for_tests(path, &self.settings))
        });
        untested.map(|policy| policy.module.path.as_str())
    }

    /// The same, with a fault for each policy that is bound and has no tests, where the tree demands them.
    fn with_tests(mut self, tree: &Tree) -> Self {
        if !self.settings.tests_required {
            return self;
        }
        let untested: Vec<&str> = self.untested(tree).collect();
        let fault = |path: &str| {
            Fault::of_file(
                path,
                "bound and without tests, which the Bundle requires; add `…_test.rego` beside it, or examples",
            )
        };
        let faults: Vec<Fault> = untested.into_iter().map(fault).collect();
        self.faults.extend(faults);
        self
    }
}

/// Whether a file looks as if it was meant to be read, and is not.
fn is_unread(path: &str) -> bool {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_read = ["rego", "yaml", "yml"].contains(&ending);
    !is_read && ["rego", "yaml", "yml", "json"].contains(&ending.to_lowercase().as_str())
}

/// The YAML documents of files.
fn documents<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>, faults: &mut Vec<Fault>) -> Vec<Written> {
    let mut documents = Vec::new();
    for (path, content) in files {
        if matches!(path.rsplit('.').next(), Some("yaml" | "yml")) {
            documents.extend(written::read(path, content, faults));
        }
    }
    documents
}

fn of_kind(documents: &[Written], kind: Kind) -> impl Iterator<Item = &Written> {
    documents.iter().filter(move |written| written.kind == kind)
}

/// A tenant's sub-tree binds and excepts, and nothing else.
fn is_in_its_place(written: &Written, settings: &BundleSettings, faults: &mut Vec<Fault>) -> bool {
    let Some(tenant) = settings.tenant_of(&written.file) else { return true };
    let is_allowed = matches!(written.kind, Kind::PolicyBinding | Kind::PolicyException);
    if !is_allowed {
        let (kind, name) = (written.kind.as_str(), &tenant.name);
        let message = format!(
            "kind `{kind}` in the sub-tree of the tenant `{name}`, which holds PolicyBinding and PolicyException; move it"
        );
        faults.push(written.fault("/kind", message));
    }
    is_allowed
}
