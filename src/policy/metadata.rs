//! The METADATA of a policy: what its author promises about it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::declared::{Context, DeclaredFact, FactName};
use super::files::{Misfit, typed};
use super::guarded::GuardedField;
use super::matching::{Match, MatchFields};
use super::parameters::Parameters;

/// How bad a violation is, in the author's words. It orders findings and decides nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Someone can take over a node or a cluster.
    Critical,
    /// A boundary is weakened.
    High,
    /// A risk to operation.
    Medium,
    /// Good manners.
    Low,
}

/// What an error of the policy means for the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum FailurePolicy {
    /// Denied, where the binding denies. The default.
    #[default]
    Fail,
    /// Warned and recorded.
    Ignore,
}

/// What stands in a policy's METADATA block.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// One line.
    pub title: String,
    /// What is demanded and why.
    pub description: String,
    /// Default: medium.
    pub severity: Severity,
    /// Default: Fail.
    pub failure_policy: FailurePolicy,
    /// The requests that it judges or changes.
    pub matches: Match,
    /// What a binding can set.
    pub parameters: Parameters,
    /// The facts that it reads; it sees no other (R25).
    pub context: BTreeSet<DeclaredFact>,
    /// Those among them that it sees as `{"error": why}` where they can't be learnt; without another it is in error.
    pub errors: BTreeSet<FactName>,
    /// Messages are shown without `[policy]` before them.
    pub plain: bool,
    /// The names under which it reads the container view.
    pub controls: Vec<String>,
    /// Mutations with a lower number come first; ties by id.
    pub order: i64,
    /// Guarded fields that its patch may change.
    pub may_change: BTreeSet<GuardedField>,
    /// Where more is said.
    pub docs: Option<String>,
    /// The release that brought it.
    pub since: Option<String>,
}

impl Metadata {
    /// Whether it sees containers through the one view, so that some can be taken out of it.
    pub(super) fn reads_containers(&self) -> bool {
        self.context.contains(&FactName::Containers.into())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Annotations {
    title: String,
    description: String,
    #[serde(default)]
    scope: Option<PackageScope>,
    custom: Custom,
    // OPA's own members that say nothing to meshgate.
    #[serde(default, rename = "authors")]
    _authors: Option<Value>,
    #[serde(default, rename = "organizations")]
    _organizations: Option<Value>,
    #[serde(default, rename = "related_resources")]
    _related_resources: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum PackageScope {
    Package,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Custom {
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    failure_policy: FailurePolicy,
    #[serde(rename = "match")]
    matches: MatchFields,
    #[serde(default)]
    parameters: Option<Value>,
    #[serde(default)]
    context: Context,
    #[serde(default)]
    errors: BTreeSet<FactName>,
    #[serde(default)]
    message: Option<Message>,
    #[serde(default)]
    controls: Vec<String>,
    #[serde(default)]
    order: i64,
    #[serde(default)]
    may_change: BTreeSet<GuardedField>,
    #[serde(default)]
    docs: Option<String>,
    #[serde(default)]
    since: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Message {
    Plain,
}

/// Reads the block of the policy `id`.
pub(super) fn read(value: &Value, id: &str) -> Result<Metadata, Vec<Misfit>> {
    let Annotations { title, description, scope: None | Some(PackageScope::Package), custom, .. } =
        typed(value, "METADATA")?;
    let misfit = |member: &str, message: String| {
        vec![Misfit {
            pointer: format!("/custom/{member}"),
            message: format!("METADATA.custom.{member}: {message}"),
        }]
    };
    let matches = custom.matches.read().map_err(|(pointer, message)| {
        vec![Misfit {
            pointer: format!("/custom/match{pointer}"),
            message: format!("METADATA.custom.match.{message}"),
        }]
    })?;
    if matches.rules.is_empty() {
        return Err(misfit(
            "match",
            "no rules, so nothing would ever be judged; name the resources in `rules`".to_owned(),
        ));
    }
    let parameters = Parameters::read(custom.parameters).map_err(|message| misfit("parameters", message))?;
    let is_declared = |name: &&FactName| custom.context.0.iter().any(|fact| fact.name == **name);
    if let Some(fact) = custom.errors.iter().find(|name| !is_declared(name)) {
        let what = format!("the fact `{}` is not in `context`, so the policy never sees it", fact.as_str());
        return Err(misfit("errors", what));
    }
    let controls = if custom.controls.is_empty() { vec![id.to_owned()] } else { custom.controls };
    Ok(Metadata {
        title,
        description,
        severity: custom.severity.unwrap_or(Severity::Medium),
        failure_policy: custom.failure_policy,
        matches,
        parameters,
        context: custom.context.0,
        errors: custom.errors,
        plain: matches!(custom.message, Some(Message::Plain)),
        controls,
        order: custom.order,
        may_change: custom.may_change,
        docs: custom.docs,
        since: custom.since,
    })
}
