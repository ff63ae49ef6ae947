//! The YAML of a policies' tree: every document is of one of the kinds of `meshgate.io/v1alpha1`, or a fault.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::fault::Fault;
use super::files::{Misfit, step, typed_in_part};
use super::image_trust::policy_controller;
use super::near::{nearest, remedy};
use crate::yaml;

/// The API version of every file kind.
pub const API_VERSION: &str = "meshgate.io/v1alpha1";

/// The members of every kind.
const OF_ALL: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// The kinds that a tree holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bundle,
    ImageTrust,
    MeshSettings,
    PolicyBinding,
    PolicyException,
    /// Of Sigstore's policy-controller, as the next.
    ClusterImagePolicy,
    TrustRoot,
    /// Of Kubernetes; with a public key that a `ClusterImagePolicy` names.
    Secret,
}

impl Kind {
    /// Those of our own.
    const ALL: [Self; 5] =
        [Self::Bundle, Self::ImageTrust, Self::MeshSettings, Self::PolicyBinding, Self::PolicyException];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "Bundle",
            Self::ImageTrust => "ImageTrust",
            Self::MeshSettings => "MeshSettings",
            Self::PolicyBinding => "PolicyBinding",
            Self::PolicyException => "PolicyException",
            Self::ClusterImagePolicy => "ClusterImagePolicy",
            Self::TrustRoot => "TrustRoot",
            Self::Secret => "Secret",
        }
    }

    /// Whether a document of it is known by its name.
    fn is_named(self) -> bool {
        !matches!(self, Self::Bundle | Self::ImageTrust | Self::MeshSettings)
    }
}

/// A document whose kind is known. What it says is not read yet.
pub(super) struct Written {
    pub(super) file: String,
    pub(super) kind: Kind,
    /// `metadata.name`.
    pub(super) name: String,
    document: yaml::Document,
}

impl Written {
    /// A fault of what stands at a pointer.
    pub(super) fn fault(&self, pointer: &str, message: impl Into<String>) -> Fault {
        Fault::new(&self.file, self.place(pointer), message)
    }

    /// Line and column of what stands at a pointer.
    pub(super) fn place(&self, pointer: &str) -> (usize, usize) {
        place(&self.document, pointer)
    }

    /// The line in which it begins.
    pub(super) fn line(&self) -> usize {
        self.document.line
    }

    /// `spec` as it is written; null where it is absent.
    pub(super) fn spec_as_written(&self) -> &Value {
        self.member("/spec").unwrap_or(&Value::Null)
    }

    /// What stands at a pointer.
    pub(super) fn member(&self, pointer: &str) -> Option<&Value> {
        self.document.value.pointer(pointer)
    }

    /// What stands beside kind and metadata, typed, of a kind that has no `spec`.
    pub(super) fn members<T: DeserializeOwned>(&self, faults: &mut Vec<Fault>) -> Option<T> {
        let mut value = self.document.value.clone();
        if let Some(members) = value.as_object_mut() {
            members.retain(|name, _| !OF_ALL.contains(&name.as_str()));
        }
        let (read, misfits) = typed_in_part(&value, "");
        let fault = |one: Misfit| self.fault(&one.pointer, one.message.trim_start_matches(['.', ':', ' ']));
        let count = misfits.len();
        faults.extend(misfits.into_iter().map(fault));
        read.filter(|_| count == 0)
    }

    /// `spec`, typed; what does not fit is added to the faults.
    pub(super) fn spec<T: DeserializeOwned>(&self, faults: &mut Vec<Fault>) -> Option<T> {
        let before = faults.len();
        self.spec_in_part(faults).filter(|_| faults.len() == before)
    }

    /// The same without what does not fit.
    pub(super) fn spec_in_part<T: DeserializeOwned>(&self, faults: &mut Vec<Fault>) -> Option<T> {
        let nothing = Value::Object(Map::new());
        let (read, misfits) = typed_in_part(self.document.value.get("spec").unwrap_or(&nothing), "spec");
        let fault = |one: Misfit| self.fault(&format!("/spec{}", one.pointer), one.message);
        faults.extend(misfits.into_iter().map(fault));
        read
    }
}

/// Reads the documents of a file.
pub(super) fn read(path: &str, content: &[u8], faults: &mut Vec<Fault>) -> Vec<Written> {
    let one = |document| match document {
        Ok(document) => recognise(path, document, faults),
        Err(yaml::Fault { position, message }) => {
            faults.push(Fault::new(path, (position.line, position.column), message));
            None
        }
    };
    yaml::read(content).into_iter().filter_map(one).collect()
}

fn recognise(path: &str, document: yaml::Document, faults: &mut Vec<Fault>) -> Option<Written> {
    let member = |name: &str| document.value.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (member("apiVersion"), member("kind"));
    let mut fault =
        |pointer: &str, message: String| faults.push(Fault::new(path, place(&document, pointer), message));
    let foreign = policy_controller::kind(api_version, kind);
    if api_version != API_VERSION && foreign.is_none() {
        fault(
            "/apiVersion",
            format!(
                "apiVersion `{api_version}`; a policies' tree holds kinds of `{API_VERSION}` only: move other YAML elsewhere"
            ),
        );
        return None;
    }
    let own = || Kind::ALL.into_iter().find(|known| known.as_str() == kind);
    let Some(kind) = foreign.or_else(own) else {
        let known = Kind::ALL.iter().map(|known| known.as_str());
        fault("/kind", format!("kind `{kind}` is unknown; {}", remedy(kind, known)));
        return None;
    };
    let mut unknown = |of: &str, known: &[&str], hint: &str| {
        let members = document.value.pointer(of).and_then(Value::as_object);
        for name in members.into_iter().flat_map(|members| members.keys()) {
            if !known.contains(&name.as_str()) {
                let hint = nearest(name, known.iter().copied())
                    .map_or_else(|| hint.to_owned(), |near| format!("did you mean `{near}`?"));
                fault(&format!("{of}/{}", step(name)), format!("unknown member `{name}`; {hint}"));
            }
        }
    };
    let hint = format!("fields of a {} stand under `spec`", kind.as_str());
    // The members of a kind without `spec` are judged where they are typed.
    if !matches!(kind, Kind::ImageTrust | Kind::Secret) {
        unknown("", &[&OF_ALL[..], &["spec"]].concat(), &hint);
    }
    let of_metadata = ["name", "labels", "annotations", "namespace"];
    let count = if kind == Kind::Secret { 4 } else { 3 };
    unknown("/metadata", of_metadata.get(..count).unwrap_or_default(), "remove it");
    let name = document.value.pointer("/metadata/name");
    let is_named = name.and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if kind.is_named() && !is_named {
        fault("/metadata", format!("a {} needs `metadata.name`", kind.as_str()));
        return None;
    }
    let name = name.and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Written { file: path.to_owned(), kind, name, document })
}

fn place(document: &yaml::Document, pointer: &str) -> (usize, usize) {
    let position = document.position(pointer);
    (position.line, position.column)
}
