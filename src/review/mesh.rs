//! The seam to a mesh: what it would do with a Pod, and what it makes of it. Pure; whoever implements it has all that it
//! needs at hand. A mesh's containers are known by what they are, never by their names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::admission::Request;
use crate::kubernetes::containers::LISTS;
use crate::kubernetes::rendering;

/// What a mesh would do with an object (the fact `mesh.proposal`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// As in `istio`.
    pub mesh: String,
    /// Its revision.
    pub revision: Option<String>,
    /// Whether it would inject a sidecar.
    pub inject: bool,
    /// What decided.
    pub rule: String,
    /// What that read.
    pub reasons: Vec<String>,
}

/// A container that a mesh put into a Pod.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedContainer {
    /// The list that it is in, such as `initContainers`.
    pub list: String,
    /// The container.
    pub container: Value,
    /// Whether it is as the mesh alone would have it: nothing in it comes from who wrote the Pod.
    pub plain: bool,
}

/// A Pod with a sidecar.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendering {
    /// The whole object.
    pub object: Value,
    /// What of it is the mesh's.
    pub containers: Vec<RenderedContainer>,
}

/// A mesh, or several as one.
pub trait Mesh: Sync {
    /// What it would do with the object of a request, were nothing injected yet. None: no mesh is concerned.
    ///
    /// # Errors
    /// Why that can't be told.
    fn propose(&self, request: &Request) -> Result<Option<Proposal>, String>;

    /// The object with the sidecar.
    ///
    /// # Errors
    /// Why the mesh, or what meshgate lets a mesh do, refuses it.
    fn render(&self, proposal: &Proposal, request: &Request) -> Result<Rendering, String>;

    /// The containers that it would have put into the object of a request, as far as that can be told; whether they are
    /// there is for the caller to see.
    fn rendered(&self, request: &Request) -> Vec<RenderedContainer>;
}

/// Where there is no mesh.
pub struct NoMesh;

impl Mesh for NoMesh {
    fn propose(&self, _: &Request) -> Result<Option<Proposal>, String> {
        Ok(None)
    }

    fn render(&self, _: &Proposal, _: &Request) -> Result<Rendering, String> {
        Err("there is no mesh".to_owned())
    }

    fn rendered(&self, _: &Request) -> Vec<RenderedContainer> {
        Vec::new()
    }
}

impl Proposal {
    /// The fact.
    pub(super) fn fact(proposal: Option<&Self>) -> Value {
        let Some(Self { mesh, revision, inject, rule, reasons }) = proposal else {
            return json!({ "mesh": null, "inject": false });
        };
        json!({ "mesh": mesh, "revision": revision, "inject": inject, "rule": rule, "reasons": reasons })
    }
}

/// Containers of a Pod that are a mesh's, by their names, which no two containers of a Pod share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recognised {
    /// Whether all are there that were rendered, and there are some.
    pub(super) is_whole: bool,
    pub(super) names: BTreeSet<String>,
    /// Those that no policy about containers needs to judge.
    pub(super) plain: BTreeSet<String>,
}

/// Which of a mesh's containers the Pod `object` has: those that are equal to what was rendered. A tag may have become the
/// digest that it has, by what `digest` knows of it.
pub(super) fn recognise(
    rendered: &[RenderedContainer],
    object: &Value,
    mut digest: impl FnMut(&str) -> Option<String>,
) -> Recognised {
    let mut found = Recognised { is_whole: !rendered.is_empty(), ..Recognised::default() };
    // Nobody may have refused yet what has a name twice: then a name is nobody's.
    let others = |name: &Value| {
        let lists = LISTS.iter().filter_map(|list| object.pointer(&format!("/spec/{list}"))?.as_array());
        lists.flatten().filter(|one| one.get("name") == Some(name)).count() > 1
    };
    for RenderedContainer { list, container, plain } in rendered {
        let there = object.pointer(&format!("/spec/{list}")).and_then(Value::as_array);
        let mut is_it = |one: &Value| {
            one.get("name") == container.get("name")
                && rendering::equal(&unpinned(one, container, &mut digest), container)
        };
        let is_there = there.is_some_and(|there| there.iter().any(&mut is_it));
        let name = container.get("name").filter(|name| is_there && !others(name));
        let Some(name) = name.and_then(Value::as_str) else {
            found.is_whole = false;
            continue;
        };
        found.names.insert(name.to_owned());
        if *plain {
            found.plain.insert(name.to_owned());
        }
    }
    found
}

/// A container with the image as it was rendered, where its own is that with the right digest.
fn unpinned(container: &Value, rendered: &Value, digest: impl FnOnce(&str) -> Option<String>) -> Value {
    let mut container = container.clone();
    let image = rendered.get("image").and_then(Value::as_str).unwrap_or_default();
    let pinned = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let is_pinned = pinned.strip_prefix(image).and_then(|rest| rest.strip_prefix('@'));
    let is_right = is_pinned.is_some_and(|pinned| digest(image).as_deref() == Some(pinned));
    if let Some(place) = container.get_mut("image").filter(|_| is_right) {
        *place = Value::from(image);
    }
    container
}
