//! `meshgate bundle inspect`: what a bundle is made of.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::cli::inputs::{PolicyFlags, clock};
use crate::cli::output;
use crate::cli::references::Read;
use crate::engine::Bundle;
use crate::yaml;

/// Flags of `bundle inspect`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate bundle inspect policies.tar.gz            what is in an archive
  meshgate bundle inspect oci:layout:v1 -o json      for a program")]
pub(super) struct Arguments {
    /// The bundle: whatever --policies can name
    #[arg(value_name = "BUNDLE")]
    bundle: String,
    /// How it is written
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people, as YAML
    Text,
    /// For programs
    Json,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let flags = PolicyFlags::default().or_in(Some(&arguments.bundle));
    let read = flags.read()?;
    let bundle = flags.compile(&read.tree, clock())?;
    let about = about(&read, &bundle, flags.are_embedded());
    output::print(&match arguments.format {
        Format::Text => yaml::write(&about),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&about)?),
    })?;
    Ok(0)
}

fn about(read: &Read, bundle: &Bundle, embedded: bool) -> Value {
    let bound: Vec<Value> = bundle
        .bound
        .iter()
        .map(|bound| {
            let binding = &bound.binding;
            json!({
                "name": binding.name, "policy": binding.policy.as_str(), "enforcement": binding.enforcement,
                "templates": binding.templates, "parameters": binding.parameters,
                "tenant": binding.tenant.as_ref().map(|tenant| tenant.name.clone()), "at": binding.origin.to_string(),
            })
        })
        .collect();
    let exceptions: Vec<Value> = bundle
        .exceptions
        .iter()
        .map(|one| {
            json!({
                "name": one.name, "policy": one.policy.as_str(), "owner": one.owner, "reason": one.reason,
                "expires": one.expires, "at": one.origin.to_string(),
            })
        })
        .collect();
    let facts: BTreeSet<String> = bundle
        .bound
        .iter()
        .flat_map(|bound| &bound.policy.metadata.context)
        .map(ToString::to_string)
        .collect();
    // What an embedded profile does not bind is there all the same.
    let policies: Vec<Value> = bundle
        .policies
        .values()
        .filter(|policy| !embedded || bundle.bound.iter().any(|bound| bound.policy.id == policy.id))
        .map(|policy| json!({ "id": policy.id.as_str(), "title": policy.metadata.title }))
        .collect();
    json!({
        "apiVersion": "meshgate.io/v1alpha1", "kind": "BundleInspection",
        "short": bundle.revision.to_string(), "revision": bundle.revision.to_value(),
        "sequence": read.about.as_ref().and_then(|about| about.sequence),
        "files": read.tree.iter().count(), "skipped": read.skipped,
        "policies": policies, "bindings": bound, "exceptions": exceptions, "facts": facts,
    })
}
