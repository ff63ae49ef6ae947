//! From a manifest to the AdmissionRequest that the API server would send for its creation.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::default;
use super::manifests::Manifest;
use super::resources::Resources;
use super::unserved;
use crate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use crate::context::World;
use crate::engine::Bundle;
use crate::kubernetes::kinds::{self, Resource};
use crate::report::DocumentResult;

/// Makes requests for one run.
pub struct Requests {
    resources: Resources,
    namespace: Option<String>,
    user: Value,
}

/// The kind that defines others.
const DEFINITION: &str = "CustomResourceDefinition";

/// Who sends manifests where nobody is named.
pub(super) const NOBODY: &str = "meshgate:dry-run";

/// What is known of a manifest's object before it is looked into.
pub(super) struct Placed {
    pub(super) kind: GroupVersionKind,
    pub(super) resource: Resource,
    /// Where the object would be created; a Namespace is its own.
    pub(super) namespace: Option<String>,
    /// Whether a CustomResourceDefinition defines the kind.
    pub(super) is_defined: bool,
    is_guessed: bool,
}

impl Placed {
    /// The resource, where it is guessed: `apiVersion/Kind → resource`.
    pub(super) fn guessed(&self) -> Option<String> {
        let (kind, Resource { plural, group, .. }) = (&self.kind, &self.resource);
        self.is_guessed.then(|| format!("{}/{} → {plural}.{group}", kind.api_version(), kind.kind))
    }
}

impl Requests {
    /// `known` is all that is given: its CustomResourceDefinitions name resources; `namespace` is the flag `-n`.
    pub fn new<'a>(
        known: impl Iterator<Item = &'a Manifest>,
        bundle: &Bundle,
        namespace: Option<String>,
    ) -> Self {
        let definitions = known.filter(|manifest| manifest.text("kind") == DEFINITION);
        let definitions: Vec<Value> = definitions.map(|one| Value::Object(one.object().clone())).collect();
        let user = json!({ "username": NOBODY, "groups": ["system:authenticated"] });
        Self { resources: Resources::learn(definitions.iter(), bundle), namespace, user }
    }

    /// The same by that user (authentication.k8s.io/v1 UserInfo), if one is named.
    #[must_use]
    pub fn sent_by(self, user: Option<Value>) -> Self {
        Self { user: user.unwrap_or(self.user), ..self }
    }

    /// What the objects of `manifests` say of the world; later ones say it over earlier ones.
    ///
    /// # Errors
    /// The first object that kubectl would not send.
    pub fn describe<'a>(
        &self,
        manifests: impl Iterator<Item = &'a Manifest>,
        world: &mut World,
    ) -> Result<(), Box<DocumentResult>> {
        for manifest in manifests {
            let parts = self.parts(manifest)?;
            if let Some(object) = &parts.object {
                world.insert(parts.namespace.as_deref(), object);
            }
        }
        Ok(())
    }

    /// The request by which the manifest's object would be created.
    ///
    /// # Errors
    /// Where kubectl would not send it.
    pub fn create(&self, manifest: &Manifest) -> Result<Request, Box<DocumentResult>> {
        self.parts(manifest).map(Request::new)
    }

    /// What that request is made of.
    pub(super) fn parts(&self, manifest: &Manifest) -> Result<RequestParts, Box<DocumentResult>> {
        let Placed { kind, resource, namespace, .. } = self.placed(manifest)?;
        let mut object = Value::Object(manifest.object().clone());
        if resource.namespaced {
            set_namespace(&mut object, namespace.as_deref());
        }
        match (manifest.text("apiVersion"), kind.kind.as_str()) {
            ("v1", "Pod") => default::apply(&mut object),
            ("v1", "Namespace") => set_name_label(&mut object, manifest.metadata("name")),
            _ => {}
        }
        Ok(RequestParts {
            uid: uid(&[&manifest.file, &manifest.line().to_string()]),
            kind,
            resource: GroupVersionResource::new(resource.group, resource.version, resource.plural),
            sub_resource: None,
            name: manifest.metadata("name").to_owned(),
            namespace,
            operation: Operation::Create,
            user_info: self.user.clone(),
            object: Some(object),
            old_object: None,
            dry_run: true,
        })
    }

    /// What the object is, and where it would be.
    ///
    /// # Errors
    /// Where kubectl would not send it.
    pub(super) fn placed(&self, manifest: &Manifest) -> Result<Placed, Box<DocumentResult>> {
        let (api_version, kind) = (manifest.text("apiVersion"), manifest.text("kind"));
        if let Some(meant) = kinds::misspelt(api_version, kind) {
            return Err(
                manifest.reject(format!("no kind `{kind}` in {api_version}; did you mean `{meant}`?"))
            );
        }
        let is_defined = self.resources.defines(api_version, kind);
        if let Some(why) = unserved::never(api_version, kind).filter(|_| !is_defined) {
            return Err(manifest.reject(format!("{api_version}/{kind}: {why}")));
        }
        for member in ["name", "namespace"] {
            let value = manifest.object().get("metadata").and_then(|metadata| metadata.get(member));
            if let Some(value) = value.filter(|value| !value.is_string() && !value.is_null()) {
                return Err(manifest.reject(format!("metadata.{member}: {value} is no text; quote it")));
            }
        }
        let (resource, is_guessed) = self.resources.of(api_version, kind);
        let namespace =
            self.namespace(manifest, resource.namespaced).map_err(|reason| manifest.reject(reason))?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let kind = GroupVersionKind::new(group, version, kind);
        Ok(Placed { kind, resource, namespace, is_defined, is_guessed })
    }

    /// Where the object would be created, as kubectl decides it; a Namespace is its own.
    fn namespace(&self, manifest: &Manifest, namespaced: bool) -> Result<Option<String>, String> {
        let own = manifest.metadata("namespace");
        if !namespaced {
            let is_namespace = (manifest.text("apiVersion"), manifest.text("kind")) == ("v1", "Namespace");
            return Ok(is_namespace.then(|| manifest.metadata("name").to_owned()));
        }
        match &self.namespace {
            Some(flag) if !own.is_empty() && own != flag => Err(format!(
                "its namespace `{own}` is not `{flag}` as -n says; leave -n out, or say `-n {own}`"
            )),
            Some(flag) => Ok(Some(flag.clone())),
            None if own.is_empty() => Ok(Some("default".to_owned())),
            None => Ok(Some(own.to_owned())),
        }
    }
}

/// A uid made of what it names, so that two runs say the same.
pub(super) fn uid(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

/// The label that the API server gives every namespace (pkg/apis/core/v1/defaults.go, SetDefaults_Namespace).
fn set_name_label(object: &mut Value, name: &str) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let labels = metadata.entry("labels").or_insert(Value::Null);
    if labels.is_null() {
        *labels = Value::Object(Map::new());
    }
    if let (Some(labels), false) = (labels.as_object_mut(), name.is_empty()) {
        labels.insert("kubernetes.io/metadata.name".to_owned(), Value::from(name));
    }
}

/// As the API server does before admission (registry/rest, EnsureObjectNamespaceMatchesRequestNamespace).
fn set_namespace(object: &mut Value, namespace: Option<&str>) {
    let (Some(members), Some(namespace)) = (object.as_object_mut(), namespace) else { return };
    let metadata = members.entry("metadata").or_insert(Value::Null);
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.insert("namespace".to_owned(), Value::from(namespace));
    }
}
