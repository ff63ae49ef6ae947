//! What a mesh says, as policies see it, and which containers are a mesh's: they are known by what they are, never by their
//! names.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::kubernetes::containers::LISTS;
use crate::kubernetes::rendering;
use crate::mesh::proof::Proven;
use crate::mesh::{Proposal, RenderedContainer};

impl Proposal {
    /// The fact.
    pub(super) fn fact(proposal: Option<&Self>) -> Value {
        let Some(Self { mesh, revision, inject, rule, reasons, .. }) = proposal else {
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

impl Recognised {
    /// What a proof names, all of it.
    pub(super) fn proven(proven: &[Proven]) -> Self {
        let names = |of: &mut dyn Iterator<Item = &Proven>| of.map(|one| one.name().to_owned()).collect();
        Self {
            is_whole: true,
            names: names(&mut proven.iter()),
            plain: names(&mut proven.iter().filter(|one| one.plain)),
        }
    }
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

/// What is wrong with the sidecar of the Pod `object`: the first difference, by path and values. None: nothing is.
pub(super) fn difference(
    rendered: &[RenderedContainer],
    object: &Value,
    mut digest: impl FnMut(&str) -> Option<String>,
) -> Option<String> {
    if rendered.is_empty() {
        return Some("the Pod has no sidecar".to_owned());
    }
    rendered.iter().find_map(|RenderedContainer { list, container, .. }| {
        let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
        let there = object.pointer(&format!("/spec/{list}")).and_then(Value::as_array);
        let own = there.into_iter().flatten().find(|one| one.get("name") == container.get("name"));
        let Some(own) = own else { return Some(format!("spec.{list} has no container {name}")) };
        let own = rendering::canonical(&unpinned(own, container, &mut digest));
        let (path, is, should) = first(&own, &rendering::canonical(container))?;
        Some(format!("spec.{list}[{name}]{path} is {is}, the mesh would have {should}"))
    })
}

/// Where two values differ first, and what is there.
fn first(one: &Value, other: &Value) -> Option<(String, String, String)> {
    const NONE: Value = Value::Null;
    let below = |step: String, one: Option<&Value>, other: Option<&Value>| {
        let (path, is, should) = first(one.unwrap_or(&NONE), other.unwrap_or(&NONE))?;
        Some((format!("{step}{path}"), is, should))
    };
    match (one, other) {
        (one, other) if one == other => None,
        (Value::Object(members), Value::Object(others)) => {
            let names: BTreeSet<&String> = members.keys().chain(others.keys()).collect();
            names.into_iter().find_map(|name| below(format!(".{name}"), members.get(name), others.get(name)))
        }
        (Value::Array(items), Value::Array(others)) => (0..items.len().max(others.len()))
            .find_map(|index| below(format!("[{index}]"), items.get(index), others.get(index))),
        (one, other) => Some((String::new(), shown(one), shown(other))),
    }
}

/// A value in a message.
fn shown(value: &Value) -> String {
    const CHARACTERS: usize = 80;
    let text = if value.is_null() { "not there".to_owned() } else { value.to_string() };
    match text.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
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
