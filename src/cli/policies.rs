//! `meshgate policies`: what policies there are, and what each demands.

use anyhow::bail;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::inputs::{PolicyFlags, clock};
use super::output;
use crate::engine::{Bound, Bundle};
use crate::policy::Policy;
use crate::yaml;

/// Flags of `policies`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All policies of the tree, a line each
    List {
        #[command(flatten)]
        policies: PolicyFlags,
    },
    /// What one policy demands, its parameters, and where it is in force
    Show {
        /// The policy: CATEGORY/POLICY
        #[arg(value_name = "POLICY")]
        id: String,
        #[command(flatten)]
        policies: PolicyFlags,
    },
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let text = match &arguments.command {
        Command::List { policies } => list(&policies.bundle(clock())?),
        Command::Show { id, policies } => show(&policies.bundle(clock())?, id)?,
    };
    output::print(&text)?;
    Ok(0)
}

fn list(bundle: &Bundle) -> String {
    let width = bundle.policies.keys().map(|id| id.as_str().len()).max().unwrap_or_default();
    let line = |policy: &Policy| {
        let bindings = bound(bundle, policy).count();
        let in_force = match bindings {
            0 => "not bound".to_owned(),
            1 => "bound".to_owned(),
            count => format!("bound {count} times"),
        };
        format!("{:width$}  {in_force:13}  {}\n", policy.id.as_str(), policy.metadata.title)
    };
    bundle.policies.values().map(|policy| line(policy)).collect()
}

fn show(bundle: &Bundle, id: &str) -> anyhow::Result<String> {
    let Some(policy) = bundle.policies.values().find(|policy| policy.id.as_str() == id) else {
        let known: Vec<&str> = bundle.policies.keys().map(|id| id.as_str()).collect();
        bail!("there is no policy `{id}`; there are {}", known.join(", "));
    };
    let metadata = &policy.metadata;
    let bindings: Vec<Value> = bound(bundle, policy)
        .map(|bound| {
            let binding = &bound.binding;
            let (enforcement, templates) = (binding.enforcement, binding.templates);
            json!({ "name": binding.name, "enforcement": enforcement, "templates": templates, "parameters": binding.parameters })
        })
        .collect();
    let about = json!({
        "policy": policy.id.as_str(),
        "title": metadata.title,
        "description": metadata.description.trim_end(),
        "severity": metadata.severity,
        "failurePolicy": metadata.failure_policy,
        "context": metadata.context,
        "parameters": metadata.parameters.schema(),
        "bindings": bindings,
        "file": policy.module.path,
    });
    Ok(yaml::write(&about))
}

fn bound<'a>(bundle: &'a Bundle, policy: &'a Policy) -> impl Iterator<Item = &'a Bound> {
    bundle.bound.iter().filter(|bound| bound.policy.id == policy.id)
}
