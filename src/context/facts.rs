//! The names and values of facts. Plain data: nothing here looks anything up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::inventory::Inventory;
use super::listed::Listed;
use super::proof_keys::ProofKeys;
use super::subjects::Subjects;
use crate::admission::GroupVersionKind;
use time::{Duration, OffsetDateTime};

/// Names one thing of the outside world that a review may ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKey {
    /// A namespace's name, labels and annotations: `{name, labels, annotations}`.
    Namespace(String),
    /// Which bytes an image is: `{digest}`.
    Image(ImageKey),
    /// Who signed an image, and what was said of it: an entry of the fact `images`, but for what only the object says.
    Signatures(ImageKey),
    /// The top-level workload above an object: `{kind, name, uid, replicas}`, or null where the chain ends in
    /// something that is not there.
    Owner {
        /// The namespace that the object and its owners share.
        namespace: String,
        /// The object's controller (`metadata.ownerReferences[]` with `controller: true`).
        controller: OwnerReference,
    },
    /// Objects of a namespace, by its name: `[object]`.
    Listed(Listed, String),
    /// Overheads by the name of their RuntimeClass: `{name: {resource: quantity}}`.
    RuntimeClasses,
    /// The version of the API server: `{major, minor}`.
    ClusterVersion,
    /// The objects of some kinds ([`Fact::Inventory`]).
    Inventory(BTreeSet<GroupVersionKind>),
}

/// An image as an object names it, and on whose behalf it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageKey {
    /// Its text in the object.
    pub text: String,
    /// Whose credentials may be used.
    pub puller: Puller,
}

/// The Pod that would pull an image: where its pull secrets are, and what they are called.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Puller {
    /// The namespace; empty where the object is in none.
    pub namespace: String,
    /// The service account; empty where none is named.
    pub service_account: String,
    /// The names in `spec.imagePullSecrets`, in their order: the first 17 entries, as far as they are names.
    pub secrets: Arc<[String]>,
    /// How many of those entries, and of the service account's name, are no names of objects. What they are is not kept.
    pub nameless: usize,
}

/// What `metadata.ownerReferences[]` says of an owner (meta/v1 OwnerReference).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerReference {
    /// Group and version, as in `apps/v1`.
    pub api_version: String,
    /// The owner's kind.
    pub kind: String,
    /// The owner's name.
    pub name: String,
    /// The owner's uid; empty where a manifest has none.
    pub uid: String,
}

impl OwnerReference {
    /// The owner reference of an object with `controller: true`; at most one may have it (meta/v1 ObjectMeta).
    ///
    /// # Errors
    /// What is wrong with the references.
    pub fn controller_of(object: &Value) -> Result<Option<Self>, String> {
        let references = match object.pointer("/metadata/ownerReferences") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(references)) => references,
            Some(_) => return Err("metadata.ownerReferences is not an array".to_owned()),
        };
        let is_controller = |reference: &&Value| reference.get("controller") == Some(&Value::Bool(true));
        let mut controllers = references.iter().filter(is_controller);
        let (Some(reference), rest) = (controllers.next(), controllers.next()) else { return Ok(None) };
        if rest.is_some() {
            return Err("metadata.ownerReferences has two controllers".to_owned());
        }
        let member = |name: &str| reference.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let [api_version, kind, name, uid] = ["apiVersion", "kind", "name", "uid"].map(member);
        if kind.is_empty() || name.is_empty() {
            return Err("metadata.ownerReferences has a controller without kind or name".to_owned());
        }
        Ok(Some(Self { api_version, kind, name, uid }))
    }
}

/// What was learnt about a [`FactKey`]. An error is a value too: it is decided by the failurePolicy of the
/// policy that reads it, never by dropping it (R09).
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// The fact, in the shape that its key documents; null where the world has no such thing.
    Known(Value),
    /// The same of objects so many that they are shared, not copied.
    Inventory(Arc<Inventory>),
    /// Why it could not be learnt.
    Unknown(String),
}

impl Fact {
    /// The value, or why it could not be learnt.
    ///
    /// # Errors
    /// That of [`Fact::Unknown`].
    pub fn known(self) -> Result<Value, String> {
        match self {
            Self::Known(value) => Ok(value),
            Self::Inventory(inventory) => Ok(inventory.value()),
            Self::Unknown(why) => Err(why),
        }
    }
}

/// The moment at which a request was received: the only clock that a policy sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now(OffsetDateTime);

impl Now {
    /// The given moment, in UTC.
    pub fn at(moment: OffsetDateTime) -> Self {
        Self(moment.to_offset(time::UtcOffset::UTC))
    }

    /// Reads an RFC 3339 timestamp, as in `2026-01-31T12:00:00Z`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, time::error::Parse> {
        OffsetDateTime::parse(text, &Rfc3339).map(Self::at)
    }

    /// The moment, in UTC.
    pub fn moment(&self) -> OffsetDateTime {
        self.0
    }

    /// Whether it is more than `length` after the other moment.
    pub fn is_later_than(&self, other: Self, length: Duration) -> bool {
        // Beyond what the calendar holds nothing is later.
        other.0.checked_add(length).is_some_and(|limit| self.0 > limit)
    }

    /// In seconds since 1970.
    pub fn unix_seconds(&self) -> i64 {
        self.0.unix_timestamp()
    }

    /// The fact `now`: `{"rfc3339": string, "ns": nanoseconds since 1970}`, or why it can't be written.
    pub fn fact(&self) -> Fact {
        let ns = i64::try_from(self.0.unix_timestamp_nanos());
        match (self.0.format(&Rfc3339), ns) {
            (Ok(rfc3339), Ok(ns)) => Fact::Known(json!({ "rfc3339": rfc3339, "ns": ns })),
            _ => Fact::Unknown("the time of the request is outside the years 1677 to 2262".to_owned()),
        }
    }
}

/// All that a review knows of the outside world so far.
#[derive(Clone, Debug)]
pub struct Facts {
    now: Now,
    subjects: Arc<Subjects>,
    proof_keys: Arc<ProofKeys>,
    gathered: BTreeMap<FactKey, Fact>,
    closed: bool,
}

impl Facts {
    /// Nothing but the time.
    pub fn at(now: Now) -> Self {
        Self {
            now,
            subjects: Arc::default(),
            proof_keys: Arc::default(),
            gathered: BTreeMap::new(),
            closed: false,
        }
    }

    /// The same where other subjects may change what is guarded.
    #[must_use]
    pub fn guarded_by(self, subjects: Arc<Subjects>) -> Self {
        Self { subjects, ..self }
    }

    /// The same where what is rendered is proven by these keys.
    #[must_use]
    pub fn proving_with(self, proof_keys: Arc<ProofKeys>) -> Self {
        Self { proof_keys, ..self }
    }

    /// The keys of proofs.
    pub fn proof_keys(&self) -> &ProofKeys {
        &self.proof_keys
    }

    /// Who may change what is guarded.
    pub fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    /// When the request was received.
    pub fn now(&self) -> Now {
        self.now
    }

    /// The fact, or None where it has still to be asked for. A key that was asked for and not answered, and any
    /// key after [`Facts::close`], is a [`Fact::Unknown`]: asking again would not end.
    pub fn get(&self, key: &FactKey) -> Option<Fact> {
        match self.gathered.get(key) {
            Some(fact) => Some(fact.clone()),
            None if self.closed => Some(Fact::Unknown("not gathered: the review asked too often".to_owned())),
            None => None,
        }
    }

    /// Adds what a source answered for `keys`. A key without an answer becomes [`Fact::Unknown`].
    pub fn extend(&mut self, keys: BTreeSet<FactKey>, mut answers: BTreeMap<FactKey, Fact>) {
        for key in keys {
            let fact =
                answers.remove(&key).unwrap_or_else(|| Fact::Unknown("the source gave no answer".to_owned()));
            self.gathered.insert(key, fact);
        }
    }

    /// From now on whatever is not known stays unknown, so that the next review comes to an end.
    pub fn close(&mut self) {
        self.closed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_an_answer_is_unknown_and_never_asked_again() {
        let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
        let key = FactKey::Namespace("shop".to_owned());
        assert_eq!(facts.get(&key), None);
        facts.extend(BTreeSet::from([key.clone()]), BTreeMap::new());
        assert!(matches!(facts.get(&key), Some(Fact::Unknown(_))));
    }

    #[test]
    fn closed_facts_answer_every_key() {
        let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
        facts.close();
        assert!(matches!(facts.get(&FactKey::Namespace("shop".to_owned())), Some(Fact::Unknown(_))));
    }

    #[test]
    fn now_is_written_in_utc() {
        let now = Now::parse("2026-01-31T13:00:00+01:00").unwrap();
        let expected = json!({ "rfc3339": "2026-01-31T12:00:00Z", "ns": 1_769_860_800_000_000_000_i64 });
        assert_eq!(now.fact(), Fact::Known(expected));
    }
}
