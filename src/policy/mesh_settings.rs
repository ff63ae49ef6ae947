//! The file kind `MeshSettings`: which meshes there are, what is done about each of their revisions, and where their own
//! configuration is. Typed and judged here; `mesh` reads them.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::fault::Fault;
use super::files::word;
use super::written::Written;
use crate::admission::GroupVersionKind;
use crate::context::{Keep, Needs};
use crate::kubernetes::label_selector::LabelSelector;

/// The meshes. At most one document in a tree.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshSettings {
    /// Each mesh once.
    pub meshes: Vec<MeshEntry>,
}

/// A mesh.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeshEntry {
    /// Which.
    pub mesh: Mesh,
    /// Each of its revisions once.
    pub revisions: Vec<MeshRevision>,
}

/// A revision of a mesh.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MeshRevision {
    /// Its name; `default` where the mesh has only one.
    pub revision: String,
    /// Who injects.
    #[serde(default, deserialize_with = "word")]
    pub mode: MeshMode,
    /// The namespace of its control plane, in which its ConfigMaps are.
    pub namespace: String,
    /// What its own webhooks select.
    #[serde(default)]
    pub webhooks: Vec<MeshWebhook>,
}

/// Selectors of a mesh's webhook, as admissionregistration has them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MeshWebhook {
    /// Its name.
    pub name: String,
    /// Over the labels of the namespace.
    pub namespace_selector: Option<Value>,
    /// Over the labels of the Pod.
    pub object_selector: Option<Value>,
}

/// The meshes that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mesh {
    /// Istio.
    Istio,
    /// Linkerd.
    Linkerd,
}

/// Who injects the sidecar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MeshMode {
    /// As each Pod needs it.
    Auto,
    /// meshgate. The default until there is `auto`.
    #[default]
    Render,
    /// The mesh, asked by meshgate.
    Forward,
    /// The mesh's own webhook.
    Verify,
    /// Nobody.
    Off,
}

impl MeshSettings {
    /// The revisions of Istio that something is done about.
    pub fn in_use(&self) -> impl Iterator<Item = &MeshRevision> {
        let of_istio = self.meshes.iter().filter(|entry| entry.mesh == Mesh::Istio);
        of_istio.flat_map(|entry| &entry.revisions).filter(|revision| revision.mode != MeshMode::Off)
    }

    /// What they take to be read from in a cluster.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        let kind = |group: &str, version: &str, kind: &str| GroupVersionKind::new(group, version, kind);
        for revision in self.in_use() {
            needs
                .add(kind("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration"), Keep::Whole);
            needs.add(kind("networking.istio.io", "v1beta1", "ProxyConfig"), Keep::Whole);
            needs.add(kind("", "v1", "Node"), Keep::Node);
            needs.add_in(&revision.namespace, kind("", "v1", "ConfigMap"), Keep::Whole);
            needs.add_in(&revision.namespace, kind("apps", "v1", "Deployment"), Keep::Whole);
        }
        needs
    }
}

/// Reads the documents of the kind.
pub(super) fn read(documents: &[&Written], faults: &mut Vec<Fault>) -> Option<MeshSettings> {
    let (first, others) = documents.split_first()?;
    for second in others {
        faults.push(second.fault("", "a second MeshSettings; a tree has at most one"));
    }
    let settings: MeshSettings = first.spec(faults)?;
    let mut fault = |at: String, message: String| {
        let place = at.trim_start_matches('/').replace('/', ".");
        faults.push(first.fault(&at, format!("{place}: {message}")));
    };
    let mut meshes = BTreeSet::new();
    for (index, entry) in settings.meshes.iter().enumerate() {
        let at = format!("/spec/meshes/{index}");
        if !meshes.insert(entry.mesh) {
            fault(format!("{at}/mesh"), "a second entry of this mesh; put its revisions together".to_owned());
        }
        if entry.mesh == Mesh::Linkerd {
            fault(format!("{at}/mesh"), "`linkerd` is not built yet; leave it out".to_owned());
        }
        let mut revisions = BTreeSet::new();
        for (index, revision) in entry.revisions.iter().enumerate() {
            let at = format!("{at}/revisions/{index}");
            if revision.revision.is_empty() || !revisions.insert(&revision.revision) {
                let name = &revision.revision;
                fault(format!("{at}/revision"), format!("`{name}`; give each revision a name of its own"));
            }
            of_revision(revision, &at, &mut fault);
        }
    }
    Some(settings)
}

fn of_revision(revision: &MeshRevision, at: &str, fault: &mut dyn FnMut(String, String)) {
    if revision.namespace.is_empty() {
        fault(format!("{at}/namespace"), "empty; name the namespace of the control plane".to_owned());
    }
    let unbuilt = match revision.mode {
        MeshMode::Auto => Some("auto"),
        MeshMode::Forward => Some("forward"),
        MeshMode::Render | MeshMode::Verify | MeshMode::Off => None,
    };
    if let Some(word) = unbuilt {
        fault(format!("{at}/mode"), format!("`{word}` is not built yet; write render, verify or off"));
    }
    for (index, webhook) in revision.webhooks.iter().enumerate() {
        let selectors = [
            ("namespaceSelector", &webhook.namespace_selector),
            ("objectSelector", &webhook.object_selector),
        ];
        for (name, selector) in selectors {
            if let Some(Err(why)) = selector.as_ref().map(LabelSelector::from_value) {
                fault(format!("{at}/webhooks/{index}/{name}"), why.to_string());
            }
        }
    }
}
