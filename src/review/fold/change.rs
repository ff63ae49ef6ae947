//! What a policy's patch makes of the object, and whether that may be.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::admission::{Operation, Request};
use crate::engine::EvaluationError;
use crate::kubernetes::containers::LISTS;
use crate::kubernetes::field_path::of_pointer;
use crate::kubernetes::update;
use crate::patch::{Patch, PatchError};

/// What no mutation may change: an API server would refuse the request, or store another object than it was asked for.
const IDENTITY: [&str; 5] =
    ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/uid"];

/// What a policy wants.
pub(super) enum Change {
    /// That the object stays as it is.
    None,
    /// What an API server would refuse or undo: no change, and why.
    LeftOut(String),
    /// Another object.
    Made(Changed),
}

/// A change, and the places where it was made.
pub(super) struct Changed {
    pub(super) before: Value,
    pub(super) after: Value,
    pub(super) pointers: Vec<String>,
}

/// Reads what a policy wants to change of the object of `request`. Containers of these names stay as they are: they are a
/// mesh's, and known by what they are.
pub(super) fn read(
    proposal: Option<&Value>,
    request: &Request,
    kept: &BTreeSet<String>,
) -> Result<Change, EvaluationError> {
    let (Some(proposal), Some(before)) = (proposal, request.object()) else { return Ok(Change::None) };
    let unusable = |error: PatchError| EvaluationError::Shape(format!("`patch`: {error}"));
    let patch = Patch::from_value(proposal).map_err(unusable)?;
    let mut after = before.clone();
    patch.apply(&mut after).map_err(unusable)?;
    if let Some(changed) = IDENTITY.iter().find(|pointer| before.pointer(pointer) != after.pointer(pointer)) {
        let field = of_pointer(changed);
        let text = format!("`patch` changes `{field}`, by which the API server knows the object");
        return Err(EvaluationError::Shape(text));
    }
    // The API server's library has no operation on the whole document.
    if patch.paths().any(str::is_empty) {
        let text = "`patch` replaces the whole object; name its members";
        return Err(EvaluationError::Shape(text.to_owned()));
    }
    keep(before, &mut after, kept);
    let pointers: Vec<String> = Patch::diff(before, &after).paths().map(str::to_owned).collect();
    if pointers.is_empty() {
        return Ok(Change::None);
    }
    if let Some(pointer) = pointers.iter().find(|pointer| !is_mutable(request, pointer, &after)) {
        let field = of_pointer(pointer);
        return Ok(Change::LeftOut(format!(
            "its change is left out: the API server does not let an update change `{field}`"
        )));
    }
    Ok(Change::Made(Changed { before: before.clone(), after, pointers }))
}

/// Puts containers back that a patch changed, removed or moved to another list.
fn keep(before: &Value, after: &mut Value, kept: &BTreeSet<String>) {
    let is_kept = |container: &Value| {
        container.get("name").and_then(Value::as_str).is_some_and(|name| kept.contains(name))
    };
    for list in LISTS {
        let pointer = format!("/spec/{list}");
        let of_before = before.pointer(&pointer).and_then(Value::as_array);
        let Some(Value::Array(items)) = after.pointer_mut(&pointer) else { continue };
        for (index, container) in of_before.into_iter().flatten().enumerate().filter(|(_, one)| is_kept(one))
        {
            match items.iter_mut().find(|item| item.get("name") == container.get("name")) {
                Some(place) => *place = container.clone(),
                None => items.insert(index.min(items.len()), container.clone()),
            }
        }
    }
}

fn is_mutable(request: &Request, pointer: &str, after: &Value) -> bool {
    let old = request.old_object().filter(|_| request.operation() == Operation::Update);
    let (resource, sub_resource) = (request.resource(), request.sub_resource());
    old.is_none_or(|old| {
        update::may_change(&resource.group, &resource.resource, sub_resource, pointer, old, after)
    })
}
