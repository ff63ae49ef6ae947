//! From a manifest to the AdmissionRequest that the API server would send for its creation.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::default;
use super::manifests::Manifest;
use super::resources::Resources;
use crate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use crate::context::World;
use crate::engine::Bundle;
use crate::kubernetes::kinds;
use crate::report::DocumentResult;

/// Makes requests for one run, and remembers what it had to assume.
pub struct Requests {
    resources: Resources,
    namespace: Option<String>,
    guessed: BTreeSet<String>,
    user: Value,
}

/// Who sends manifests where nobody is named.
pub(super) const NOBODY: &str = "meshgate:dry-run";

impl Requests {
    /// `objects` are all that is known (their CustomResourceDefinitions name resources); `namespace` is the flag `-n`.
    pub fn new<'a>(
        objects: impl Iterator<Item = &'a Value>,
        bundle: &Bundle,
        namespace: Option<String>,
    ) -> Self {
        let user = json!({ "username": NOBODY, "groups": ["system:authenticated"] });
        Self { resources: Resources::learn(objects, bundle), namespace, guessed: BTreeSet::new(), user }
    }

    /// The same by that user (authentication.k8s.io/v1 UserInfo), if one is named.
    #[must_use]
    pub fn sent_by(self, user: Option<Value>) -> Self {
        Self { user: user.unwrap_or(self.user), ..self }
    }

    /// Resources that were guessed so far: `apiVersion/Kind → resource`.
    pub fn guessed(&self) -> Vec<String> {
        self.guessed.iter().cloned().collect()
    }

    /// What the objects of `manifests` say of the world; later ones say it over earlier ones.
    ///
    /// # Errors
    /// The first object that kubectl would not send.
    pub fn describe<'a>(
        &mut self,
        manifests: impl Iterator<Item = &'a Manifest>,
        world: &mut World,
    ) -> Result<(), Box<DocumentResult>> {
        for manifest in manifests {
            let request = self.create(manifest)?;
            if let Some(object) = request.object() {
                world.insert(request.namespace(), object);
            }
        }
        Ok(())
    }

    /// The request by which the manifest's object would be created.
    ///
    /// # Errors
    /// Where kubectl would not send it.
    pub fn create(&mut self, manifest: &Manifest) -> Result<Request, Box<DocumentResult>> {
        let (api_version, kind) = (manifest.text("apiVersion"), manifest.text("kind"));
        if let Some(meant) = kinds::misspelt(api_version, kind) {
            return Err(
                manifest.reject(format!("no kind `{kind}` in {api_version}; did you mean `{meant}`?"))
            );
        }
        let (resource, guessed) = self.resources.of(api_version, kind);
        if guessed {
            self.guessed.insert(format!("{api_version}/{kind} → {}.{}", resource.plural, resource.group));
        }
        let mut object = Value::Object(manifest.object.clone());
        let namespace =
            self.namespace(manifest, resource.namespaced).map_err(|reason| manifest.reject(reason))?;
        if resource.namespaced {
            set_namespace(&mut object, namespace.as_deref());
        }
        match (api_version, kind) {
            ("v1", "Pod") => default::apply(&mut object),
            ("v1", "Namespace") => set_name_label(&mut object, manifest.metadata("name")),
            _ => {}
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Ok(Request::new(RequestParts {
            uid: uid(&[&manifest.file, &manifest.line().to_string()]),
            kind: GroupVersionKind::new(group, version, kind),
            resource: GroupVersionResource::new(resource.group, resource.version, resource.plural),
            sub_resource: None,
            name: manifest.metadata("name").to_owned(),
            namespace,
            operation: Operation::Create,
            user_info: self.user.clone(),
            object: Some(object),
            old_object: None,
            dry_run: true,
        }))
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
