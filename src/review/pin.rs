//! Step 4: tags become digests where a binding of `images/pin_digest` asks for it, as the last of all changes. Called by
//! `mutate`. What the digest of a tag is, is a fact; without it the binding is in error.

use std::collections::BTreeMap;

use serde_json::Value;

use super::decision::{Action, Finding, Phase};
use super::fold::Fold;
use super::knowledge::Knowledge;
use super::matched::{Matched, matched};
use crate::admission::{Operation, Request};
use crate::context::Fact;
use crate::engine::{Bundle, EvaluationError};
use crate::kubernetes::containers::LISTS;
use crate::kubernetes::image_reference::ImageReference;
use crate::kubernetes::pod_template::PodTemplates;
use crate::kubernetes::update;

/// Pins the images of the object of a fold.
pub(super) fn pin(bundle: &Bundle, fold: &mut Fold<'_>, knowledge: &mut Knowledge<'_>) {
    let mut concerned = matched(bundle, &fold.request, Phase::Mutate, knowledge);
    concerned.retain(|one| one.bound.pins() && one.action != Action::Audit);
    for one in concerned {
        match pinned(&bundle.settings.pod_templates, &one, &fold.request, knowledge) {
            Ok(Some(object)) => fold.request = fold.request.with_object(object),
            Ok(None) => {}
            Err(error) => fold.findings.push(Finding::error(&one, &error)),
        }
    }
}

/// The object with digests; None where nothing is to be pinned, or a digest was asked for.
fn pinned(
    templates: &PodTemplates,
    matched: &Matched<'_>,
    request: &Request,
    knowledge: &mut Knowledge<'_>,
) -> Result<Option<Value>, EvaluationError> {
    if let Some(error) = &matched.error {
        return Err(error.clone());
    }
    let (Some(object), kind) = (request.object(), request.kind()) else { return Ok(None) };
    let missing = |why: String| EvaluationError::Fact { name: "images", why };
    let found = templates.find(&kind.group, &kind.kind, object).map_err(missing)?;
    let pins_templates = matched.bound.binding.parameters.get("pinTemplates") == Some(&Value::Bool(true));
    let Some(pod) = found.filter(|pod| !pod.is_template || pins_templates) else { return Ok(None) };
    let mut digests: BTreeMap<String, Option<String>> = BTreeMap::new();
    let open = open_images(pod.pointer, pod.pod, request);
    for (_, image) in &open {
        if !digests.contains_key(image) {
            digests.insert(image.clone(), digest(image, request, knowledge)?);
        }
    }
    let mut result = object.clone();
    for (pointer, image) in open {
        let Some(Some(digest)) = digests.get(&image) else { return Ok(None) };
        if let Some(place) = result.pointer_mut(&pointer) {
            *place = Value::from(format!("{image}@{digest}"));
        }
    }
    Ok(Some(result))
}

/// What is not pinned yet: pointers and texts. An update leaves alone what was there before (a running container would be
/// started anew), and what the API server does not let it change.
fn open_images(pod_pointer: &str, pod: &Value, request: &Request) -> Vec<(String, String)> {
    let items = |list: &str| {
        pod.pointer(&format!("/spec/{list}")).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let of = |list: &'static str, field: &'static str| {
        let one = move |(index, item): (usize, Value)| {
            let image = item.pointer(field)?.as_str()?.to_owned();
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            Some((format!("{pod_pointer}/spec/{list}/{index}{field}"), list, field, name, image))
        };
        items(list).into_iter().enumerate().filter_map(one).collect::<Vec<_>>()
    };
    let all = LISTS.into_iter().flat_map(|list| of(list, "/image")).chain(of("volumes", "/image/reference"));
    let is_open = |(pointer, list, field, name, image): &(String, &str, &str, String, String)| {
        !image.contains('@') && !stays(request, pod_pointer, pointer, (list, field, name, image))
    };
    all.filter(is_open).map(|(pointer, .., image)| (pointer, image)).collect()
}

/// Whether an update leaves an image as it is.
fn stays(
    request: &Request,
    pod_pointer: &str,
    pointer: &str,
    (list, field, name, image): (&str, &str, &str, &str),
) -> bool {
    let (Operation::Update, Some(old), Some(new)) =
        (request.operation(), request.old_object(), request.object())
    else {
        return false;
    };
    let before = old.pointer(&format!("{pod_pointer}/spec/{list}")).and_then(Value::as_array);
    let is_it = |item: &&Value| item.get("name").and_then(Value::as_str) == Some(name);
    let was = before.and_then(|items| items.iter().find(is_it)?.pointer(field)?.as_str());
    let (resource, sub_resource) = (request.resource(), request.sub_resource());
    was == Some(image)
        || !update::may_change(&resource.group, &resource.resource, sub_resource, pointer, old, new)
}

/// The digest of a tag; None: asked for.
fn digest(
    image: &str,
    request: &Request,
    knowledge: &mut Knowledge<'_>,
) -> Result<Option<String>, EvaluationError> {
    let error = |why: String| EvaluationError::Fact { name: "images", why: format!("`{image}`: {why}") };
    ImageReference::parse(image).map_err(|why| error(why.to_string()))?;
    let digest = match knowledge.image(image, request).map(Fact::known) {
        None => return Ok(None),
        Some(Err(why)) => return Err(error(why)),
        Some(Ok(entry)) => entry.get("digest").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    let pinned = ImageReference::parse(&format!("{image}@{digest}"));
    pinned.map(|_| Some(digest)).map_err(|_| error("its digest is not known".to_owned()))
}
