//! What is asked about manifests: that their objects be made, changed or deleted.

use std::collections::BTreeMap;

use super::manifests::{Manifest, Manifests};
use super::requests::Requests;
use crate::admission::{Operation, Request, RequestParts};
use crate::report::DocumentResult;

/// What is asked about each object of the manifests.
#[derive(Clone, Debug, Default)]
pub enum Asked {
    /// That it be made.
    #[default]
    Creation,
    /// That it be made, or take the place of the one of its name that is stored, as `kubectl apply` asks.
    Application {
        /// What is stored.
        stored: Manifests,
    },
    /// That it take the place of the one of its name that is stored; without one nothing can be asked.
    Change {
        /// What is stored.
        stored: Manifests,
    },
    /// That it be deleted: the manifests are what is stored.
    Deletion,
}

impl Asked {
    /// What is stored before, where that is given beside the manifests.
    pub fn stored(&self) -> impl Iterator<Item = &Manifest> {
        let stored = match self {
            Self::Creation | Self::Deletion => None,
            Self::Application { stored } | Self::Change { stored } => Some(stored),
        };
        stored.into_iter().flat_map(Manifests::objects)
    }
}

/// Makes the requests by which what is asked would be done.
pub(super) struct Asking<'a> {
    asked: &'a Asked,
    stored: BTreeMap<Key, RequestParts>,
}

/// What names an object, in whatever version it is given.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    group: String,
    resource: String,
    namespace: Option<String>,
    name: String,
}

impl Key {
    /// None of what has no name yet.
    fn of(parts: &RequestParts) -> Option<Self> {
        let (group, resource) = (parts.resource.group.clone(), parts.resource.resource.clone());
        let key = Self { group, resource, namespace: parts.namespace.clone(), name: parts.name.clone() };
        Some(key).filter(|key| !key.name.is_empty())
    }
}

impl<'a> Asking<'a> {
    /// Of stored objects those that kubectl would send; who gives them makes sure of that.
    pub(super) fn of(asked: &'a Asked, requests: &Requests) -> Self {
        let stored = asked.stored().filter_map(|manifest| {
            let parts = requests.parts(manifest).ok()?;
            Some((Key::of(&parts)?, parts))
        });
        Self { asked, stored: stored.collect() }
    }

    /// The request about a manifest's object.
    ///
    /// # Errors
    /// Where kubectl would not send it, or there is nothing stored that it could be about.
    pub(super) fn request(
        &self,
        manifest: &Manifest,
        requests: &Requests,
    ) -> Result<Request, Box<DocumentResult>> {
        let parts = requests.parts(manifest)?;
        let key = Key::of(&parts);
        let old = key.as_ref().and_then(|key| self.stored.get(key));
        match (self.asked, old) {
            (Asked::Creation, _) | (Asked::Application { .. }, None) => Ok(Request::new(parts)),
            (Asked::Application { .. } | Asked::Change { .. }, Some(old)) => {
                changed(parts, old).map_err(|why| manifest.reject(why))
            }
            (Asked::Change { .. }, None) => Err(manifest
                .reject("there is none of its name in --old; what is not there yet is created".to_owned())),
            (Asked::Deletion, _) if key.is_none() => {
                Err(manifest.reject("it has no name; what is deleted is named by metadata.name".to_owned()))
            }
            (Asked::Deletion, _) => Ok(Request::new(RequestParts {
                operation: Operation::Delete,
                old_object: parts.object,
                object: None,
                ..parts
            })),
        }
    }
}

/// An API server would convert the stored object into the version that is sent.
fn changed(parts: RequestParts, old: &RequestParts) -> Result<Request, String> {
    if parts.kind != old.kind {
        let (now, before) = (parts.kind.api_version(), old.kind.api_version());
        return Err(format!("it is of {now}, and of {before} in --old; give both in one version"));
    }
    Ok(Request::new(RequestParts { operation: Operation::Update, old_object: old.object.clone(), ..parts }))
}
