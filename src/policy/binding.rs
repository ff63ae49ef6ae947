//! The file kind `PolicyBinding`: puts a policy in force.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::draft::PolicyId;
use super::files::word;
use super::matching::{Match, MatchFields};

/// A policy in force, with its parameters. A `PolicyBinding` that names a category becomes one for each policy.
#[derive(Clone, Debug)]
pub struct Binding {
    /// `metadata.name`; unique together with the policy.
    pub name: String,
    /// The policy that is bound.
    pub policy: PolicyId,
    /// What the policy reads as `input.parameters`.
    pub parameters: Value,
    /// What a violation does.
    pub enforcement: Enforcement,
    /// Narrows the policy's own match.
    pub matches: Match,
    /// What a `deny` does on a workload that makes Pods.
    pub templates: Templates,
}

/// What a `deny` of a bound policy does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// Refuses the request.
    Deny,
    /// Warns the requester.
    Warn,
    /// Records.
    Audit,
    /// What the namespace's label `meshgate.io/mode` says, else the bundle's `defaultMode`.
    Namespace,
}

/// What a denial does on a workload's template. Its Pods are judged in full when they are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Templates {
    /// Warns. The default.
    #[default]
    Warn,
    /// Refuses, where the binding refuses.
    Deny,
    /// Does not judge templates.
    Off,
}

/// `spec` of the kind `PolicyBinding`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BindingFields {
    pub(super) policy: String,
    pub(super) parameters: Option<Value>,
    pub(super) enforcement: Enforcement,
    #[serde(default, rename = "match")]
    pub(super) matches: MatchFields,
    #[serde(default, deserialize_with = "word")]
    pub(super) templates: Templates,
}
