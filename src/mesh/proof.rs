//! The proof that containers of a Pod were rendered here, for its namespace: an annotation that goes with the patch, and is
//! checked where the API server asks about the Pod again. It says nothing but that: whoever copies it, with the containers,
//! to another Pod of the namespace has containers that were rendered for the namespace.
//!
//! Called by `review`. What is signed is each container in the form that an API server's defaults do not change, with its
//! image as it was rendered, and the digests that images were pinned to.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::RenderedContainer;
use crate::context::{Now, ProofKey, ProofKeys};
use crate::kubernetes::containers::LISTS;
use crate::kubernetes::rendering;

/// The annotation.
pub const ANNOTATION: &str = "meshgate.io/proof";

/// The version of what is signed.
const VERSION: u8 = 1;

/// The annotation's value.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proof {
    v: u8,
    mesh: String,
    revision: String,
    containers: Vec<Proven>,
    /// What images became, by the image as it was rendered.
    digests: BTreeMap<String, String>,
    /// The name of the key.
    key: String,
    /// HMAC-SHA256, in base64.
    mac: String,
}

/// A container that a proof is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proven {
    /// Where it is, as in `initContainers/istio-init`.
    at: String,
    /// Whether it is as the mesh alone would have it.
    pub plain: bool,
}

impl Proven {
    /// Its name.
    pub fn name(&self) -> &str {
        self.at.split_once('/').map_or("", |(_, name)| name)
    }
}

/// The annotation for a Pod of a namespace as it is now, with all that was `rendered` for it by a revision of a mesh. None:
/// there is no key, or not all of it is there.
pub fn sign(
    keys: &ProofKeys,
    now: Now,
    namespace: &str,
    (mesh, revision): (&str, &str),
    rendered: &[RenderedContainer],
    pod: &Value,
) -> Option<String> {
    let key = keys.signing(now)?;
    let mut digests = BTreeMap::new();
    let mut containers = Vec::new();
    for RenderedContainer { list, container, plain } in rendered {
        let name = container.get("name")?.as_str()?;
        let at = format!("{list}/{name}");
        let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
        let pinned = find(pod, &at)?.get("image").and_then(Value::as_str).unwrap_or_default();
        if let Some(digest) = pinned.strip_prefix(image).and_then(|rest| rest.strip_prefix('@')) {
            digests.insert(image.to_owned(), digest.to_owned());
        }
        containers.push(Proven { at, plain: *plain });
    }
    let (mesh, revision) = (mesh.to_owned(), revision.to_owned());
    let mut proof =
        Proof { v: VERSION, mesh, revision, containers, digests, key: key.id(), mac: String::new() };
    proof.mac = STANDARD.encode(mac(key, &proof, namespace, pod)?.finalize().into_bytes());
    serde_json::to_string(&proof).ok()
}

/// The containers of a Pod of a namespace that its annotation proves to be rendered here, all of them. None: it proves
/// nothing.
pub fn check(keys: &ProofKeys, namespace: &str, pod: &Value) -> Option<Vec<Proven>> {
    let text = pod.get("metadata")?.get("annotations")?.get(ANNOTATION)?.as_str()?;
    let proof: Proof = serde_json::from_str(text).ok()?;
    let key = keys.get(&proof.key).filter(|_| proof.v == VERSION && !proof.containers.is_empty())?;
    let given = STANDARD.decode(&proof.mac).ok()?;
    // Compares in constant time.
    mac(key, &proof, namespace, pod)?.verify_slice(&given).ok()?;
    Some(proof.containers)
}

/// What a proof says of the Pod at hand. None: a container is missing, or its name is not its own.
fn mac(key: &ProofKey, proof: &Proof, namespace: &str, pod: &Value) -> Option<Hmac<Sha256>> {
    let Proof { v, mesh, revision, digests, .. } = proof;
    let container = |proven: &Proven| {
        let content = content(find(pod, &proven.at)?, digests);
        Some(json!({ "at": proven.at, "plain": proven.plain, "container": content }))
    };
    let containers: Option<Vec<Value>> = proof.containers.iter().map(container).collect();
    // The members of an object are in the order of their names.
    let said = json!({
        "v": v, "namespace": namespace, "mesh": mesh, "revision": revision,
        "containers": containers?, "digests": digests,
    });
    let mut mac = Hmac::<Sha256>::new_from_slice(key.secret()).ok()?;
    mac.update(said.to_string().as_bytes());
    Some(mac)
}

/// The container at a place; None also where another one of any list has its name.
fn find<'a>(pod: &'a Value, at: &str) -> Option<&'a Value> {
    let (list, name) = at.split_once('/')?;
    let of = |list: &str| pod.get("spec").and_then(|spec| spec.get(list)?.as_array());
    let is_it = |one: &&Value| one.get("name").and_then(Value::as_str) == Some(name);
    let all = LISTS.iter().filter_map(|list| of(list)).flatten().filter(is_it).count();
    of(list)?.iter().find(is_it).filter(|_| all == 1)
}

/// A container with the image as it was rendered, where it is that with the right digest.
fn content(container: &Value, digests: &BTreeMap<String, String>) -> Value {
    // With the defaults that go with the image as it is.
    let mut content = rendering::canonical(container);
    let image = content.get("image").and_then(Value::as_str).unwrap_or_default();
    let rendered = image
        .rsplit_once('@')
        .filter(|(rendered, digest)| digests.get(*rendered).is_some_and(|right| right == digest))
        .map(|(rendered, _)| Value::from(rendered));
    if let (Some(rendered), Some(place)) = (rendered, content.get_mut("image")) {
        *place = rendered;
    }
    content
}

#[cfg(test)]
mod tests;
