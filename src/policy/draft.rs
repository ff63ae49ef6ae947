//! From a [`Tree`] to a [`Draft`]: every file is recognised, read and typed, or is a fault. Nothing is ignored
//! that could have been meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::annotations::{self, Header};
use super::binding::{Binding, BindingFields};
use super::fault::Fault;
use super::files::typed;
use super::metadata::{self, Metadata};
use super::settings::BundleSettings;
use super::tree::{Revision, Tree};
use crate::yaml;

/// The API version of every file kind.
const API_VERSION: &str = "meshgate.io/v1alpha1";

/// `<category>/<policy>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyId(String);

impl PolicyId {
    /// The id as written: `<category>/<policy>`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Rego package: `policies.<category>.<policy>`.
    pub fn package(&self) -> String {
        format!("policies.{}", self.0.replace('/', "."))
    }

    /// Whether a binding's `policy` means this one: its id, `<category>/*` or `*`.
    fn is_meant_by(&self, pattern: &str) -> bool {
        pattern == self.0
            || pattern == "*"
            || pattern
                .strip_suffix('*')
                .is_some_and(|category| category.ends_with('/') && self.0.starts_with(category))
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
}

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
    /// What holds for the whole tree.
    pub settings: BundleSettings,
    /// What is wrong with the tree.
    pub faults: Vec<Fault>,
}

impl Draft {
    /// Reads `tree`. Policies and libraries of `catalogue` come along: its `lib`, and the categories that the
    /// tree's `Bundle` includes. What is wrong stands in [`Draft::faults`]: nothing of it is left out in silence,
    /// because a draft with faults does not compile.
    pub fn read(tree: &Tree, catalogue: &Tree) -> Self {
        let mut draft = Self::read_unbound(tree, catalogue);
        if draft.bindings.is_empty() && draft.faults.is_empty() {
            let known = known(&draft.policies);
            draft.faults.push(Fault::of_file("the policies' tree", format!("nothing is bound, so nothing would be judged; add a PolicyBinding. Policies found: {known}")));
        }
        draft
    }

    /// The same of a tree in which nothing need be bound: to test policies, whoever binds them.
    pub fn read_unbound(tree: &Tree, catalogue: &Tree) -> Self {
        let mut reading = Reading::default();
        reading.read_all(tree.iter());
        let settings = reading.settings();
        let merged = reading.include(tree, catalogue, &settings);
        let bindings = reading.bind();
        let Reading { policies, libraries, faults, .. } = reading;
        Self { revision: merged.revision(), policies, libraries, bindings, settings, faults }
    }
}

/// A file of kind `PolicyBinding` whose policy is not looked up yet.
struct Unbound {
    name: String,
    fields: BindingFields,
    file: String,
    document: yaml::Document,
}

#[derive(Default)]
struct Reading {
    policies: BTreeMap<PolicyId, Policy>,
    /// Policies that are there and can't be read.
    broken: BTreeSet<PolicyId>,
    libraries: Vec<Module>,
    unbound: Vec<Unbound>,
    bundles: Vec<(BundleSettings, String, usize)>,
    faults: Vec<Fault>,
}

impl Reading {
    fn read_all<'a>(&mut self, files: impl Iterator<Item = (&'a str, &'a [u8])>) {
        for (path, content) in files {
            let lower = path.to_lowercase();
            let is_written = [".rego", ".yaml", ".yml", ".json"].iter().any(|ending| lower.ends_with(ending));
            if !is_written || is_for_tests(path) {
                continue;
            }
            match path.rsplit('.').next() {
                Some("rego") => self.read_rego(path, content),
                Some("yaml" | "yml") => self.read_yaml(path, content),
                _ => self.fault(path, (0, 0), "not read under this name; end it in .rego or .yaml"),
            }
        }
    }

    fn read_rego(&mut self, path: &str, content: &[u8]) {
        let Ok(text) = std::str::from_utf8(content) else {
            return self.fault(path, (0, 0), "not UTF-8; save the file as UTF-8");
        };
        let header = match annotations::header(text) {
            Ok(header) => header,
            Err((line, message)) => return self.fault(path, (line, 0), message),
        };
        let module = Module { path: path.to_owned(), text: text.to_owned() };
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["lib", name, _] => {
                let expected = format!("lib.{name}");
                if header.package == expected {
                    self.libraries.push(module);
                } else {
                    self.fault(path, (header.package_line, 0), format!("package `{}`; a library at this path is `package {expected}`", header.package));
                }
            }
            [category, policy, file] if file.strip_suffix(".rego") == Some(*policy) && *category != "lib" => {
                self.read_policy(PolicyId(format!("{category}/{policy}")), module, &header);
            }
            _ => self.fault(path, (0, 0), "a Rego file lies at `<category>/<policy>/<policy>.rego`, its tests at `…_test.rego`, a library at `lib/<name>/<name>.rego`; move it"),
        }
    }

    fn read_policy(&mut self, id: PolicyId, module: Module, header: &Header) {
        match metadata_of(&id, header) {
            Ok(metadata) => {
                self.policies.insert(id.clone(), Policy { id, metadata, module });
            }
            Err((at, message)) => {
                self.fault(&module.path, at, message);
                self.broken.insert(id);
            }
        }
    }

    fn read_yaml(&mut self, path: &str, content: &[u8]) {
        for document in yaml::read(content) {
            match document {
                Ok(document) => self.read_kind(path, document),
                Err(fault) => self.fault(path, (fault.position.line, fault.position.column), fault.message),
            }
        }
    }

    fn read_kind(&mut self, path: &str, document: yaml::Document) {
        let member =
            |name: &str| document.value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (member("apiVersion"), member("kind"));
        let at = |pointer: &str| place(&document, pointer);
        if api_version != API_VERSION {
            return self.fault(path, at("/apiVersion"), format!("apiVersion `{api_version}`; a policies' tree holds kinds of `{API_VERSION}` only: move other YAML elsewhere"));
        }
        if let Some(unknown) = document.value.as_object().and_then(|object| {
            object.keys().find(|key| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "spec"))
        }) {
            let pointer = format!("/{unknown}");
            return self.fault(
                path,
                at(&pointer),
                format!("unknown member `{unknown}`; fields of a {kind} stand under `spec`"),
            );
        }
        match kind.as_str() {
            "PolicyBinding" => self.read_binding(path, document),
            "Bundle" => self.read_bundle(path, &document),
            "PolicyException" | "ImageTrust" | "MeshSettings" => {
                self.fault(
                    path,
                    at("/kind"),
                    format!("kind `{kind}` is not supported by this release; remove it"),
                );
            }
            _ => self.fault(
                path,
                at("/kind"),
                format!("kind `{kind}` is unknown; a policies' tree holds PolicyBinding and Bundle"),
            ),
        }
    }

    fn read_binding(&mut self, path: &str, document: yaml::Document) {
        let name =
            document.value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if name.is_empty() {
            return self.fault(path, place(&document, "/metadata"), "a PolicyBinding needs `metadata.name`");
        }
        match typed(document.value.get("spec").unwrap_or(&Value::Null), "spec") {
            Ok(fields) => self.unbound.push(Unbound { name, fields, file: path.to_owned(), document }),
            Err(misfit) => {
                let at = place(&document, &format!("/spec{}", misfit.pointer));
                self.fault(path, at, misfit.message);
            }
        }
    }

    fn read_bundle(&mut self, path: &str, document: &yaml::Document) {
        match typed(document.value.get("spec").unwrap_or(&Value::Null), "spec") {
            Ok(settings) => self.bundles.push((settings, path.to_owned(), document.line)),
            Err(misfit) => {
                let at = place(document, &format!("/spec{}", misfit.pointer));
                self.fault(path, at, misfit.message);
            }
        }
    }

    fn settings(&mut self) -> BundleSettings {
        let mut bundles = std::mem::take(&mut self.bundles).into_iter();
        let settings = bundles.next().map(|(settings, ..)| settings).unwrap_or_default();
        for (_, file, line) in bundles {
            self.fault(&file, (line, 0), "a second Bundle; a tree has at most one");
        }
        settings
    }

    /// Reads what the catalogue adds, and gives the tree of all files that count.
    fn include(&mut self, tree: &Tree, catalogue: &Tree, settings: &BundleSettings) -> Tree {
        let mut merged = tree.clone();
        let mut folders = vec!["lib"];
        for category in &settings.includes {
            if category.contains('/') || category == "profiles" || catalogue.below(category).next().is_none()
            {
                self.faults.push(Fault::of_file("Bundle", format!("spec.includes: no embedded category `{category}`; `meshgate policies list` shows them")));
            } else {
                folders.push(category);
            }
        }
        for (path, content) in folders.iter().flat_map(|folder| catalogue.below(folder)) {
            if !tree.contains(path) {
                merged.insert(path, content);
                self.read_all(std::iter::once((path, content)));
            } else if tree.iter().all(|(name, bytes)| name != path || bytes != content) {
                self.fault(path, (0, 0), "differs from the embedded file of this name; rename yours");
            }
        }
        merged
    }

    fn bind(&mut self) -> Vec<Binding> {
        let mut bindings: Vec<Binding> = Vec::new();
        for unbound in std::mem::take(&mut self.unbound) {
            let (found, faults) = self.bind_one(&unbound, &bindings);
            bindings.extend(found);
            for (pointer, message) in faults {
                self.fault(&unbound.file, place(&unbound.document, &pointer), message);
            }
        }
        bindings.sort_by(|a, b| (&a.policy, &a.name).cmp(&(&b.policy, &b.name)));
        bindings
    }

    /// The bindings of one file: one for each policy that it means. Faults with the pointers of their members.
    fn bind_one(&self, unbound: &Unbound, others: &[Binding]) -> (Vec<Binding>, Vec<(String, String)>) {
        let Unbound { name, fields, .. } = unbound;
        let (mut bindings, mut faults) = (Vec::new(), Vec::new());
        let mut fault = |pointer: &str, message: String| faults.push((pointer.to_owned(), message));
        let matches = match fields.matches.clone().read() {
            Ok(matches) => matches,
            Err((pointer, message)) => {
                fault(&format!("/spec/match{pointer}"), format!("spec.match.{message}"));
                return (bindings, faults);
            }
        };
        let meant: Vec<&Policy> =
            self.policies.values().filter(|p| p.id.is_meant_by(&fields.policy)).collect();
        if meant.is_empty() && !self.broken.iter().any(|id| id.is_meant_by(&fields.policy)) {
            let message = format!(
                "spec.policy: no policy `{}`; this tree has {}",
                fields.policy,
                known(&self.policies)
            );
            fault("/spec/policy", message);
        }
        for policy in meant {
            if others.iter().any(|b| b.name == *name && b.policy == policy.id) {
                let message =
                    format!("a second binding `{name}` of {}; names of bindings are unique", policy.id);
                fault("/metadata/name", message);
            }
            if !matches.meets(&policy.metadata.matches) {
                let message =
                    "has no rule in common with that of the policy, so nothing would ever be matched";
                fault("/spec/match", format!("spec.match of {}: {message}", policy.id));
            }
            match policy.metadata.parameters.complete(fields.parameters.as_ref()) {
                Ok(parameters) => bindings.push(Binding {
                    name: name.clone(),
                    policy: policy.id.clone(),
                    parameters,
                    enforcement: fields.enforcement,
                    matches: matches.clone(),
                    templates: fields.templates,
                }),
                Err(misfits) => misfits.into_iter().for_each(|misfit| {
                    let pointer = format!("/spec/parameters{}", misfit.pointer);
                    fault(&pointer, format!("{}: {}", policy.id, misfit.message));
                }),
            }
        }
        (bindings, faults)
    }

    fn fault(&mut self, file: &str, place: (usize, usize), message: impl Into<String>) {
        self.faults.push(Fault::new(file, place, message));
    }
}

/// Whether a file is run by `opa test`, or shows people what a policy does: `<category>/<policy>/*_test.rego`, but not
/// the policy itself, `lib/<name>/*_test.rego`, `<category>/<policy>/examples/**`.
fn is_for_tests(path: &str) -> bool {
    match path.split('/').collect::<Vec<_>>().as_slice() {
        [_, policy, file] => file.ends_with("_test.rego") && file.strip_suffix(".rego") != Some(*policy),
        [_, _, "examples", ..] => true,
        _ => false,
    }
}

fn known(policies: &BTreeMap<PolicyId, Policy>) -> String {
    let ids: Vec<&str> = policies.keys().map(PolicyId::as_str).collect();
    if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
}

/// A policy's METADATA, or where and why there is none.
fn metadata_of(id: &PolicyId, header: &Header) -> Result<Metadata, ((usize, usize), String)> {
    if !id.0.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '/')) {
        return Err(((0, 0), "a policy's folders are named with a-z, 0-9 and _; rename them".to_owned()));
    }
    let at_package = (header.package_line, 0);
    if header.package != id.package() {
        let message = format!("package `{}`; at this path it is `package {}`", header.package, id.package());
        return Err((at_package, message));
    }
    let Some(block) = &header.block else {
        let message = "no METADATA above `package`; a policy without it can't be matched to requests: add \
                       `# METADATA` with title, description and custom.match";
        return Err((at_package, message.to_owned()));
    };
    metadata::read(&block.document.value, &id.0)
        .map_err(|misfit| (block.position(&misfit.pointer), misfit.message))
}

fn place(document: &yaml::Document, pointer: &str) -> (usize, usize) {
    let position = document.position(pointer);
    (position.line, position.column)
}
