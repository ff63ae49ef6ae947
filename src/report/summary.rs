//! The numbers of a run, and what was assumed in it.

use serde::Serialize;

/// The numbers: every document is in exactly one of `passed`, `denied`, `warned`, `errors`, `skipped`, `invalid`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// All documents.
    pub documents: usize,
    /// … let in without a word.
    pub passed: usize,
    /// … refused.
    pub denied: usize,
    /// … let in with warnings.
    pub warned: usize,
    /// Those among all that policies change.
    pub mutated: usize,
    /// … that are no Kubernetes objects.
    pub skipped: usize,
    /// … that can't be read.
    pub invalid: usize,
    /// … for which a policy was in error.
    pub errors: usize,
    /// Findings that an exception covers.
    pub excused: usize,
    /// What was left out on request.
    pub not_judged: usize,
    /// Namespaces that were not given and taken as freshly made.
    pub assumed_namespaces: Vec<String>,
    /// Namespaces that policies leave alone: what is in them passed unjudged.
    pub left_alone_namespaces: Vec<String>,
    /// Kinds whose resource is a guess, as `apiVersion/Kind → resource`.
    pub guessed_resources: Vec<String>,
    /// Kinds of Kubernetes' own groups that no API server serves, as `apiVersion/Kind at place, place: why`.
    pub unserved_kinds: Vec<String>,
    /// What the manifests' own Namespaces say of how they are judged, as `name: mode`, `name: exempt` and `name: suspended
    /// until …`: it decides what is enforced.
    pub manifest_modes: Vec<String>,
    /// Objects that are given more than once, as `Kind/namespace/name: place, place`. Each is judged as it stands.
    pub repeated_objects: Vec<String>,
}

/// What was assumed for want of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// Namespaces taken as freshly made.
    pub namespaces: Vec<String>,
    /// Namespaces that policies leave alone.
    pub left_alone: Vec<String>,
    /// Resources guessed from kinds.
    pub resources: Vec<String>,
    /// Kinds of Kubernetes' own groups that no API server serves.
    pub unserved: Vec<String>,
    /// What the manifests' own Namespaces say of how they are judged.
    pub modes: Vec<String>,
    /// Objects that are given more than once.
    pub repeated: Vec<String>,
}
