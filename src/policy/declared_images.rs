//! METADATA's `context: {images: …}`: what of images a policy sees.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What a policy declares of the fact `images`. Policies that declare different things see different things (R25).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredImages {
    /// Whose signatures and attestations; everybody's where absent. Where empty, of those whom the rules that mean the
    /// image name, so that nobody else is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<BTreeSet<String>>,
    /// Predicate types whose bodies are seen.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub predicates: BTreeSet<String>,
    /// Parameters in which predicate types are, as the items of an array or the keys of an object. What a binding names
    /// there is read; its bodies are seen only where `predicates` has the type, too.
    #[serde(default, rename = "typesIn", skip_serializing_if = "BTreeSet::is_empty")]
    pub types_in: BTreeSet<String>,
    /// Whether the policy asks itself what could be learnt of each image. Else an image of which something could not be
    /// read is an error of the policy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Whether it sees of the image's own configuration who it runs as.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub config: bool,
    /// Whether it sees what does not count, and why.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rejected: bool,
}
