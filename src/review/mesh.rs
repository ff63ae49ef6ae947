//! What a mesh says, as policies see it, and which containers are a mesh's: they are known by what they are, never by their
//! names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::kubernetes::containers::LISTS;
use crate::kubernetes::rendering;
use crate::mesh::{Proposal, RenderedContainer};

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
