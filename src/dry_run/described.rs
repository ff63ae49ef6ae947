//! What the manifests say together, before any of them is judged: of the world that they are about to be applied to, and
//! of what is to be told of them as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::manifests::{Manifest, Manifests};
use super::requests::{Placed, Requests};
use super::unserved::Unserved;
use crate::admission::GroupVersionKind;
use crate::context::{Needs, Subjects, World};
use crate::policy::{EXEMPT_LABEL, MODE_LABEL, SUSPEND_ANNOTATION};
use crate::report::Assumptions;

/// What is collected.
#[derive(Debug, Default)]
pub(super) struct Described {
    namespaces: BTreeSet<String>,
    guessed: BTreeSet<String>,
    unserved: Unserved,
    modes: Vec<String>,
    places: BTreeMap<String, Vec<String>>,
}

impl Described {
    /// Adds the objects to the world, as far as policies with these needs may ask for them, and reads what there is to
    /// tell. One that can't be sent says nothing; it is reported where it is judged.
    pub(super) fn of(manifests: &Manifests, requests: &Requests, needs: &Needs, world: &mut World) -> Self {
        let mut described = Self::default();
        let wanted = Wanted::of(manifests, needs);
        for manifest in manifests.objects() {
            described.modes.extend(modes(manifest));
            let Ok(placed) = requests.placed(manifest) else { continue };
            described.note(manifest, &placed);
            if wanted.has(&placed.kind) {
                requests.describe(std::iter::once(manifest), world).unwrap_or_default();
            }
        }
        described
    }

    fn note(&mut self, manifest: &Manifest, placed: &Placed) {
        self.namespaces.extend(placed.namespace.clone());
        self.guessed.extend(placed.guessed());
        if !placed.is_defined {
            self.unserved.note(manifest);
        }
        let name = manifest.metadata("name");
        if !name.is_empty() {
            let namespace = placed.namespace.as_deref().filter(|_| placed.resource.namespaced);
            let key = (&placed.kind.kind, namespace.unwrap_or_default(), name, &placed.kind.group);
            let parts = [key.0.as_str(), key.1, key.2].into_iter().filter(|part| !part.is_empty());
            let key = format!("{}\0{}", parts.collect::<Vec<_>>().join("/"), key.3);
            self.places.entry(key).or_default().push(format!("{}:{}", manifest.file, manifest.line()));
        }
    }

    /// What was assumed of a world, and what is to be told.
    pub(super) fn told(self, world: &World, subjects: &Subjects) -> Assumptions {
        let left_alone = self.namespaces.iter().filter(|name| subjects.exclude(name)).cloned().collect();
        Assumptions {
            left_alone,
            namespaces: self.namespaces.into_iter().filter(|name| world.assumes(name)).collect(),
            resources: self.guessed.into_iter().collect(),
            unserved: self.unserved.lines(),
            modes: self.modes,
            repeated: repeated(self.places),
        }
    }
}

/// The objects that somebody may ask for: a copy of all others would only take memory.
struct Wanted {
    kinds: BTreeSet<(String, String)>,
    /// An owner may be of any kind.
    all: bool,
}

impl Wanted {
    fn of(manifests: &Manifests, needs: &Needs) -> Self {
        let kind = |kind: &GroupVersionKind| (kind.group.clone(), kind.kind.clone());
        let kinds: BTreeSet<_> = needs.places().map(|(of, ..)| kind(of)).collect();
        let reads_owners = kinds.contains(&("apps".to_owned(), "ReplicaSet".to_owned()));
        let is_owned = |manifest: &Manifest| {
            manifest
                .object()
                .get("metadata")
                .is_some_and(|metadata| metadata.get("ownerReferences").is_some())
        };
        Self { kinds, all: reads_owners && manifests.objects().any(is_owned) }
    }

    fn has(&self, kind: &GroupVersionKind) -> bool {
        self.all
            || (kind.group.as_str(), kind.kind.as_str()) == ("", "Namespace")
            || self.kinds.contains(&(kind.group.clone(), kind.kind.clone()))
    }
}

/// `Kind/namespace/name: place, place` of each object that is given more than once: a cluster would keep the last.
fn repeated(places: BTreeMap<String, Vec<String>>) -> Vec<String> {
    let more = places.into_iter().filter(|(_, places)| places.len() > 1);
    more.map(|(key, places)| format!("{}: {}", key.split('\0').next().unwrap_or_default(), places.join(", ")))
        .collect()
}

/// `name: mode`, `name: exempt`, `name: suspended until …`: what a Namespace says of how it is judged. It is believed,
/// because whoever applies it may be allowed to say so, and therefore told.
fn modes(manifest: &Manifest) -> Vec<String> {
    if (manifest.text("apiVersion"), manifest.text("kind")) != ("v1", "Namespace") {
        return Vec::new();
    }
    let said = |member: &str, name: &str| {
        let words = manifest.object().get("metadata").and_then(|metadata| metadata.get(member));
        let word = words.and_then(|words| words.get(name))?;
        Some(word.as_str().unwrap_or_default())
    };
    let mode = said("labels", MODE_LABEL).map(str::to_owned);
    let exempt = said("labels", EXEMPT_LABEL).filter(|word| *word == "true").map(|_| "exempt".to_owned());
    let suspended = said("annotations", SUSPEND_ANNOTATION).map(|until| format!("suspended until {until}"));
    let all = [mode, exempt, suspended].into_iter().flatten();
    all.map(|word| format!("{}: {word}", manifest.metadata("name"))).collect()
}
