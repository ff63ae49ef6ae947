//! The file kind `ImageTrust`: whose signatures and attestations count for which images. Typed and judged here; `image`
//! makes authorities of it.

mod check;
mod glob;
mod pattern;
pub(super) mod policy_controller;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::admission::GroupVersionResource;
use crate::kubernetes::label_selector::LabelSelector;

pub(super) use check::read;
pub use glob::ImageGlob;
pub use pattern::Pattern;

/// Whom to trust. At most one document in a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ImageTrust {
    /// Trust roots besides those that are embedded, by name.
    pub trust_roots: BTreeMap<String, TrustRoot>,
    /// Who signs, by name.
    pub authorities: BTreeMap<String, Authority>,
    /// Which images need whom. Every rule that means an image has to hold.
    pub rules: Vec<TrustRule>,
    /// What becomes of images that an UPDATE leaves as they are.
    pub unchanged: Unchanged,
    /// The file that says so.
    #[serde(skip)]
    pub file: String,
    /// The files of the tree that it names, by their paths.
    #[serde(skip)]
    pub contents: BTreeMap<String, Vec<u8>>,
}

impl ImageTrust {
    /// Whether a rule is satisfied by answers that look at nothing, whatever the image. Such a rule means an image by its
    /// digest, where it has one: the tag beside it says nothing of the bytes.
    pub fn passes(&self, rule: &TrustRule) -> bool {
        let passes =
            |name: &String| self.authorities.get(name).is_some_and(|one| one.fixed == Some(Static::Pass));
        let passing: BTreeSet<&String> = rule
            .require
            .of
            .iter()
            .filter_map(|demand| match demand {
                Demand::Signed(name) => Some(name).filter(|name| passes(name)),
                Demand::Attested(_) => None,
            })
            .collect();
        passing.len() >= rule.require.at_least
    }
}

/// A trust root in the tree.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustRoot {
    /// Its file, a `trusted_root.json`.
    pub file: String,
}

/// Someone whose signature may be asked for: exactly one of `keyless`, `key`, `static`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Authority {
    /// Certificates of identities.
    pub keyless: Option<Keyless>,
    /// A public key.
    pub key: Option<Key>,
    /// An answer that looks at no signature.
    #[serde(rename = "static")]
    pub fixed: Option<Static>,
    /// The forms in which evidence counts; all where empty.
    #[serde(default)]
    pub formats: BTreeSet<Format>,
    /// Where evidence lies that is not beside the image.
    pub source: Option<Source>,
    /// Where it is described, if not under its name in the file of the `ImageTrust`.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// A file and a field in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's path in the tree.
    pub file: String,
    /// The field, as Kubernetes writes paths.
    pub field: String,
}

/// A trust root that is named by what is in it: an authority of certificates, a log. Schemes and slashes at the end are
/// not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByUrl {
    /// The URL of the authority that gives out certificates.
    pub authority: Option<String>,
    /// The URL of the log.
    pub log: Option<String>,
}

/// Certificates of a trust root, for these identities.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Keyless {
    /// The trust root's name.
    pub trust_root: String,
    /// One of them has to be the certificate's.
    pub identities: Vec<Identity>,
    /// Whether the certificate's own log has to vouch for it; required where absent.
    pub sct: Option<Need>,
    /// Whether the signature has to be in a log; required where absent.
    pub transparency_log: Option<Need>,
    /// Whether a timestamp is needed; none where absent.
    pub timestamp: Option<Need>,
    /// What has to be in the trust root; by which it is found where `trust_root` is empty.
    #[serde(skip)]
    pub by_url: Option<ByUrl>,
}

/// Who a certificate is for: one form of issuer and one of subject.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Identity {
    /// The issuer, exactly.
    pub issuer: Option<String>,
    /// A pattern of the whole issuer.
    pub issuer_reg_exp: Option<String>,
    /// The subject, exactly.
    pub subject: Option<String>,
    /// A pattern of the whole subject.
    pub subject_reg_exp: Option<String>,
}

/// A public key: in files of the tree, or written here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Key {
    /// PEM files in the tree.
    #[serde(default)]
    pub files: Vec<String>,
    /// PEM.
    pub data: Option<String>,
    /// SHA-256 where absent.
    pub hash_algorithm: Option<HashAlgorithm>,
    /// When signatures count.
    pub valid_for: Option<Window>,
    /// Whether the signature has to be in a log. It has no default.
    pub transparency_log: Option<Need>,
    /// Whether a timestamp is needed; none where absent.
    pub timestamp: Option<Need>,
    /// The trust root of log and timestamp.
    pub trust_root: Option<String>,
    /// By what the trust root is found, where it is not named.
    #[serde(skip)]
    pub by_url: Option<ByUrl>,
}

/// From when until when, both included.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// RFC 3339.
    pub start: Option<String>,
    /// RFC 3339.
    pub end: Option<String>,
}

/// The answer of an authority that looks at nothing.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Static {
    /// Yes.
    Pass,
    /// No, with a message.
    Fail(String),
}

/// Whether something has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// It has to.
    Required,
    /// It is not looked at.
    None,
}

/// The forms of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Sigstore bundles.
    Bundle,
    /// What cosign wrote before.
    Legacy,
}

/// Hashes that a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A repository of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Source {
    /// The repository.
    pub oci: String,
    /// What its tags begin with.
    pub tag_prefix: Option<String>,
}

/// What some images need.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TrustRule {
    /// Its name.
    pub name: String,
    /// Patterns of images.
    pub images: Vec<String>,
    /// Whose evidence.
    pub require: Require,
    /// The entry point that reports it.
    pub enforcement: TrustEnforcement,
    /// The objects that it is for; all where empty.
    #[serde(skip)]
    pub matches: Vec<ResourceMatch>,
    /// A module of Rego that has to take all that counts together; None: none has to.
    #[serde(skip)]
    pub policy: Option<String>,
}

/// Objects by their resource and their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMatch {
    /// The group, exactly.
    pub group: String,
    /// The version, exactly, or `*`.
    pub version: String,
    /// The resource, exactly.
    pub resource: String,
    /// The object's labels.
    pub labels: LabelSelector,
}

impl ResourceMatch {
    /// Whether an object is meant.
    pub fn fits(&self, resource: &GroupVersionResource, labels: Option<&Map<String, Value>>) -> bool {
        self.group == resource.group
            && (self.version == "*" || self.version == resource.version)
            && self.resource == resource.resource
            && self.labels.matches(labels)
    }
}

impl TrustRule {
    /// The rule as policies see it: `{name, enforcement, atLeast, of: [{authority, attested}], holds, holdsOfAny}`.
    pub fn fact(&self, held: Held) -> Value {
        let of = |demand: &Demand| match demand {
            Demand::Signed(name) => json!({ "authority": name, "attested": [] }),
            Demand::Attested(one) => json!({ "authority": one.authority, "attested": one.attested }),
        };
        let enforcement = match self.enforcement {
            TrustEnforcement::Deny => "deny",
            TrustEnforcement::Warn => "warn",
            TrustEnforcement::Audit => "audit",
        };
        let (name, at_least) = (&self.name, self.require.at_least);
        let of: Vec<Value> = self.require.of.iter().map(of).collect();
        json!({
            "name": name,
            "enforcement": enforcement,
            "atLeast": at_least,
            "of": of,
            "holds": held.holds,
            "holdsOfAny": held.holds_of_any,
        })
    }
}

/// Whether a rule holds. By default it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Of the bytes that were verified.
    pub holds: bool,
    /// Whatever the bytes are: by answers that look at nothing alone.
    pub holds_of_any: bool,
}

/// How many of which authorities.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Require {
    /// So many of them.
    #[serde(default = "one")]
    pub at_least: usize,
    /// Of these.
    pub of: Vec<Demand>,
}

/// What is demanded of an authority.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Demand {
    /// Its signature.
    Signed(String),
    /// Its attestations.
    Attested(Attested),
}

impl Demand {
    /// Of whom.
    pub fn authority(&self) -> &str {
        match self {
            Self::Signed(name) => name,
            Self::Attested(attested) => &attested.authority,
        }
    }

    /// Whether it is met by whatever meets another.
    fn repeats(&self, other: &Self) -> bool {
        let types = |demand: &Self| match demand {
            Self::Signed(_) => BTreeSet::new(),
            Self::Attested(attested) => attested.attested.iter().cloned().collect::<BTreeSet<String>>(),
        };
        self.authority() == other.authority() && types(self) == types(other)
    }
}

/// Attestations of an authority.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attested {
    /// The authority.
    pub authority: String,
    /// A statement of each of these predicate types.
    pub attested: Vec<String>,
    /// What is demanded of statements instead of their being there, one by one.
    #[serde(skip)]
    pub checks: Vec<Check>,
}

/// A statement of a type, and what has to take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// The predicate type.
    pub predicate_type: String,
    /// A module of Rego whose `isCompliant` has to be true of the statement; None: being there is enough.
    pub rego: Option<String>,
}

/// How a rule is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrustEnforcement {
    /// `deny`.
    Deny,
    /// `warn`.
    Warn,
    /// `audit`.
    Audit,
}

/// What becomes of images that an UPDATE leaves as they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unchanged {
    /// They are not verified again.
    #[default]
    Skip,
    /// They are.
    Verify,
}

fn one() -> usize {
    1
}
