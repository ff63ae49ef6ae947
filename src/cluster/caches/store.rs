//! The objects of one kind, as its watch has them by now, and how the watch stands.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::admission::GroupVersionKind;
use crate::context::{Keep, Objects};

/// How far a watch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing is known yet; why it takes so long, where that is known.
    Listing(Option<String>),
    /// All objects were there once. From now on they may be old, but never missing.
    Listed,
    /// The API server serves no such kind.
    Unserved,
    /// Given up, and why.
    Dropped(String),
}

/// What is kept of a kind.
pub(super) struct Store {
    pub(super) kind: GroupVersionKind,
    /// The namespace that is looked at; None: all.
    pub(super) namespace: Option<String>,
    pub(super) keep: Keep,
    state: Mutex<State>,
}

struct State {
    objects: Arc<Objects>,
    standing: Standing,
    /// What a new listing takes beside those that still answer.
    growing: usize,
    /// When the API server last said how things are.
    heard: Instant,
}

impl Store {
    pub(super) fn new(kind: GroupVersionKind, namespace: Option<String>, keep: Keep) -> Self {
        let standing = Standing::Listing(None);
        let state = State { objects: Arc::default(), standing, growing: 0, heard: Instant::now() };
        Self { kind, namespace, keep, state: Mutex::new(state) }
    }

    /// As in `apps/v1/Deployment`.
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.kind.api_version(), self.kind.kind)
    }

    /// What is watched.
    pub(super) fn place(&self) -> (GroupVersionKind, Option<String>) {
        (self.kind.clone(), self.namespace.clone())
    }

    /// How the watch stands.
    pub(super) fn standing(&self) -> Standing {
        self.lock().standing.clone()
    }

    /// The objects as they are by now.
    pub(super) fn objects(&self) -> Arc<Objects> {
        Arc::clone(&self.lock().objects)
    }

    /// What is taken in memory, estimated.
    pub(super) fn bytes(&self) -> u64 {
        let state = self.lock();
        u64::try_from(state.objects.bytes().saturating_add(state.growing)).unwrap_or(u64::MAX)
    }

    /// Since when nothing was heard.
    pub(super) fn age(&self) -> Duration {
        self.lock().heard.elapsed()
    }

    /// The API server said something.
    pub(super) fn hear(&self) {
        self.lock().heard = Instant::now();
    }

    /// A new listing grows beside the objects that answer.
    pub(super) fn grow(&self, listing: &Objects) {
        let mut state = self.lock();
        (state.growing, state.heard) = (listing.bytes(), Instant::now());
    }

    /// A listing is complete: its objects are those that answer.
    pub(super) fn replace(&self, objects: Objects) {
        self.stand(Standing::Listed, objects);
    }

    /// An object came, or was changed.
    pub(super) fn insert(&self, object: Value) {
        let mut object = object;
        complete(&self.kind, self.keep, &mut object);
        let mut state = self.lock();
        state.heard = Instant::now();
        let (namespace, name) = (text(&object, "namespace"), text(&object, "name"));
        // What a status alone changes is often not kept: then nothing is new.
        if !state.objects.holds(namespace, name, &object) {
            Arc::make_mut(&mut state.objects).insert(namespace, name, &object);
        }
    }

    /// An object went.
    pub(super) fn remove(&self, object: &Value) {
        let mut state = self.lock();
        Arc::make_mut(&mut state.objects).remove(text(object, "namespace"), text(object, "name"));
        state.heard = Instant::now();
    }

    /// The listing is interrupted; what answered still does.
    pub(super) fn fail(&self, why: String) {
        let mut state = self.lock();
        state.growing = 0;
        if matches!(state.standing, Standing::Listing(_)) {
            state.standing = Standing::Listing(Some(why));
        }
    }

    /// There are none, because there is no such kind.
    pub(super) fn unserved(&self) {
        self.stand(Standing::Unserved, Objects::default());
    }

    /// Given up: the objects go.
    pub(super) fn drop_because(&self, why: String) {
        self.stand(Standing::Dropped(why), Objects::default());
    }

    fn stand(&self, now: Standing, objects: Objects) {
        let mut state = self.lock();
        // What is given up stays so.
        if !matches!(state.standing, Standing::Dropped(_)) {
            *state = State { objects: Arc::new(objects), standing: now, growing: 0, heard: Instant::now() };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds an object to those of its kind, with what items of a list leave out.
pub(super) fn insert(objects: &mut Objects, kind: &GroupVersionKind, keep: Keep, mut object: Value) {
    complete(kind, keep, &mut object);
    objects.insert(text(&object, "namespace"), text(&object, "name"), &object);
}

/// An object as it is kept.
fn complete(kind: &GroupVersionKind, keep: Keep, object: &mut Value) {
    keep.prune(object);
    if let (Keep::Whole | Keep::Node, Some(members)) = (keep, object.as_object_mut()) {
        members.insert("apiVersion".to_owned(), Value::from(kind.api_version()));
        members.insert("kind".to_owned(), Value::from(kind.kind.as_str()));
    }
}

fn text<'o>(object: &'o Value, member: &str) -> &'o str {
    object
        .get("metadata")
        .and_then(|metadata| metadata.get(member))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(name: &str) -> Value {
        json!({ "metadata": { "name": name, "namespace": "shop", "managedFields": [] } })
    }

    #[test]
    fn the_old_objects_answer_until_a_listing_is_complete() {
        let kept = Store::new(GroupVersionKind::new("", "v1", "Pod"), None, Keep::Whole);
        assert_eq!(kept.standing(), Standing::Listing(None));
        kept.fail("refused".to_owned());
        assert_eq!(kept.standing(), Standing::Listing(Some("refused".to_owned())));
        let mut listing = Objects::default();
        insert(&mut listing, &kept.kind, Keep::Whole, pod("a"));
        let bytes = u64::try_from(listing.bytes()).unwrap();
        kept.grow(&listing);
        assert_eq!((kept.objects().count(), kept.bytes()), (0, bytes));
        kept.replace(listing.clone());
        let expected =
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a", "namespace": "shop" } });
        assert_eq!(kept.objects().get("shop", "a"), Some(expected));
        kept.grow(&listing);
        kept.fail("gone".to_owned());
        assert_eq!((kept.standing(), kept.objects().count(), kept.bytes()), (Standing::Listed, 1, bytes));
        kept.insert(pod("b"));
        kept.remove(&pod("a"));
        assert_eq!(kept.objects().of("shop").len(), 1);
        kept.drop_because("too large".to_owned());
        kept.replace(listing);
        assert_eq!(kept.standing(), Standing::Dropped("too large".to_owned()), "what is given up stays so");
    }
}
